"""The audit log: what a device did, in lines that are chained by their hashes."""

from edgefn.audit.chain import Head
from edgefn.audit.log import AuditLog
from edgefn.audit.verification import Report, verify

__all__ = ["AuditLog", "Head", "Report", "verify"]
