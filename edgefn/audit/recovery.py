"""What an earlier process left: where the chain ends, and a line that it never wrote to its end."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from edgefn.audit.chain import Chain
from edgefn.audit.files import check_regular, rotated_files, write_whole
from edgefn.errors import AuditBroken, AuditError

_FIRST = b'{"n":'


@dataclass(frozen=True, slots=True)
class Left:
    """What stands in the last file of a log."""

    chain: Chain
    """The chain up to its last whole line."""
    size: int
    """Bytes of the log's own file; 0 where its last line is in a rotated file, or there is none yet."""
    torn: int
    """Bytes of a cut line that were moved aside."""


def recover(path: Path) -> Left:
    """Read the last file of the log at `path` that holds a line, and move a cut line aside.

    A line without its end was never acknowledged: its write was cut by a kill or by the power. Raises AuditError,
    AuditBroken where lines of that file do not fit, and OSError.
    """
    torn = 0
    for file in (path, *reversed(rotated_files(path).values())):
        if not check_regular(file):  # a kill between the rename and the first line of the new file
            continue
        chain, cut = _read(file)
        if cut:
            _move_aside(path, file, cut)
            torn += len(cut)
        if chain.head.number:
            return Left(chain, os.stat(file).st_size if file == path else 0, torn)
    return Left(Chain(), 0, torn)


def _read(file: Path) -> tuple[Chain, bytes]:
    chain = Chain()
    with open(file, "rb") as lines:
        start = lines.peek(len(_FIRST))[: len(_FIRST)]
        if not _FIRST.startswith(start) and start.strip(b"\0"):
            raise AuditError(f"{file} is not an audit log", hint="give the audit log a path of its own")
        try:
            return chain, chain.follow_all(lines, file.name)
        except AuditBroken as exc:
            hint = f"run `edgefn audit verify {file}`, move the file aside, and open the log again"
            raise AuditBroken(exc.message, hint=hint) from exc


def _move_aside(path: Path, file: Path, cut: bytes) -> None:
    write_whole(path.with_name(f"{path.name}.torn"), cut + b"\n")
    with open(file, "r+b") as whole:
        whole.truncate(os.fstat(whole.fileno()).st_size - len(cut))
        os.fsync(whole.fileno())
