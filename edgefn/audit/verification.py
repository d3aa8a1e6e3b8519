"""Reading a log: is every line there and as it was written? It needs no lock, a device may write meanwhile."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from edgefn.audit.chain import START, Chain, Head, broken, check_cut
from edgefn.audit.files import log_files, refused, rotated_files
from edgefn.errors import AuditBroken, AuditError

_LOOKS = 10
"""How often a log is read again that is rotated while it is read."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a log that is whole consists of."""

    lines: int
    """How many lines stand in its files."""
    files: int
    """How many files there are."""
    first: int
    """Number of the first line; 0 where there is none."""
    head: Head
    """The last line; kept elsewhere, it shows later that nothing was cut off."""
    open: tuple[int, ...]
    """Numbers of the intents that no line closes: their outcome is not known, or not yet."""
    torn: bool
    """The last line has no end: it is being written just now, or was cut by a kill or by the power."""
    missing_before: bool
    """Earlier files are gone, as `keep` removes them; their lines could not be checked."""


def verify(path: str | Path, head: Head | None = None) -> Report:
    """Follow the chain through every file of the log at `path`, and through the line that `head` names.

    Raises:
        AuditBroken: a line is changed, removed, inserted, repeated or out of order (the message names its place), or
            the log ends before `head`, or passes it with another hash.
        AuditError: there is no log, it cannot be read, or the line of `head` is in a file that is gone.
    """
    real = Path(os.path.realpath(path))
    try:
        for _ in range(_LOOKS):
            files = rotated_files(real).keys()
            try:
                return _verified(real, head)
            except AuditError:  # a writer may have removed a file, or cut a half-written line back, under our eyes
                if rotated_files(real).keys() == files:
                    break
        return _verified(real, head)
    except OSError as exc:
        raise refused(real, "read", exc) from exc


def _verified(path: Path, head: Head | None) -> Report:
    chain, lines, files = Chain(), 0, 0
    torn: tuple[str, int] | None = None
    for name, file in log_files(path):
        files += 1
        for place, raw in enumerate(file, 1):
            if torn:
                raise broken(*torn, "it has no line end, and more lines follow")
            if not raw.endswith(b"\n"):
                check_cut(raw, name, place)
                torn = name, place
                continue
            chain.follow(raw, name, place)
            lines += 1
            if head is not None and chain.head.number == head.number and chain.head != head:
                raise broken(name, place, f"it is not the line that the head {head} names: the log was written anew")
    if not files:
        raise AuditError(f"there is no audit log at {path}", hint="check the path")
    before = chain.before or START
    if head is not None:
        _check_ends(path, before, chain.head, head)
    first = before.number + 1 if lines else 0
    return Report(lines, files, first, chain.head, tuple(chain.open), torn is not None, before.number > 0)


def _check_ends(path: Path, before: Head, last: Head, head: Head) -> None:
    if head.number > last.number:
        problem = f"{path.name} ends at line {last.number}, the head names line {head.number}: its end was cut off"
        raise AuditBroken(problem, hint="look for its other files, and for what cut it")
    if head.number < before.number:
        problem = f"the files begin after line {head.number}, which the head names"
        raise AuditError(problem, hint="bring back the files that were removed, or pass a later head")
    if head.number == before.number and head != before:
        problem = f"{path.name} does not go on from the head {head}: the log was written anew"
        raise AuditBroken(problem, hint="look for its other files, and for what wrote it")
