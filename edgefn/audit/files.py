"""The files of a log: their names, the lock that keeps a second writer out, and the order they are read in.

Beside `audit.jsonl` stand `audit.000001.jsonl`, `audit.000002.jsonl` ... (rotated away, the oldest first),
`audit.jsonl.lock` (empty, locked while a process writes) and `audit.jsonl.torn` (lines that were cut).
"""

from __future__ import annotations

import os
import re
import stat
import sys
import time
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from edgefn.bundle_files import sync_folder
from edgefn.errors import AuditError

_MODE = 0o600
_LOOKS, _BETWEEN = 20, 0.005
"""How often a file is looked for that a writer is about to begin, and seconds between two looks."""


def refused(path: Path, doing: str, exc: OSError) -> AuditError:
    """Return the error for what the system refused."""
    hint = f"check that the disk has space, and that this user may write {path.name} and its folder"
    return AuditError(f"the audit log {path} cannot be {doing}: {exc.strerror or exc}", hint=hint)


def rotated_files(path: Path) -> dict[int, Path]:
    """Return the rotated files of the log at `path` by their numbers, the oldest first. Raises OSError."""
    pattern = re.compile(rf"{re.escape(path.stem)}\.([0-9]{{6,18}}){re.escape(path.suffix)}")
    matches = map(pattern.fullmatch, os.listdir(path.parent))
    found = {int(match[1]): path.with_name(match[0]) for match in matches if match}
    return dict(sorted(found.items()))


def rotated_name(path: Path, number: int) -> Path:
    """Return where the log at `path` goes when it is rotated."""
    return path.with_name(f"{path.stem}.{number:06d}{path.suffix}")


def check_regular(path: Path) -> bool:
    """Return whether there is a file at `path`. Raises AuditError where it is something else, OSError."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise AuditError(f"{path} is {what}", hint="give the audit log a path of its own, such as audit.jsonl")
    return True


def open_to_append(path: Path) -> FileIO:
    """Open a file, new ones for this user alone, so that every write goes to its end in one call. Raises OSError."""
    return FileIO(path, "a+b", opener=lambda name, flags: os.open(name, flags, _MODE))


def write_whole(path: Path, data: bytes) -> None:
    """Append `data` to a file and return when it is on the disk. Raises OSError."""
    with open(path, "ab", opener=lambda name, flags: os.open(name, flags, _MODE)) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def take_lock(path: Path) -> FileIO:
    """Keep other writers away from the log at `path` until the returned file is closed or the process ends.

    The lock has a file of its own because the log is renamed while it is held. Raises AuditError.
    """
    try:
        guard = open_to_append(path.with_name(f"{path.name}.lock"))
    except OSError as exc:
        raise refused(path, "locked", exc) from exc
    try:
        _lock(guard.fileno())
    except (BlockingIOError, PermissionError) as exc:
        guard.close()
        raise AuditError(
            f"{path} is being written already", hint="open it once, or give each process its own log"
        ) from exc
    except OSError as exc:
        guard.close()
        raise refused(path, "locked", exc) from exc
    return guard


if sys.platform == "win32":

    def _lock(handle: int) -> None:
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:

    def _lock(handle: int) -> None:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def log_files(path: Path) -> Iterator[tuple[str, BinaryIO]]:
    """Yield name and content of every file of a log, the oldest first, whatever a writer does meanwhile.

    Raises AuditError where the log is not a regular file, OSError.
    """
    current = _current(path)  # before the others are listed: it may become one of them at any time
    try:
        for each in rotated_files(path).values():
            file = _opened(each)
            if file is None:  # removed by its writer since
                continue
            with file:
                if current is not None and os.path.samestat(os.fstat(file.fileno()), os.fstat(current.fileno())):
                    break
                yield each.name, file
        if current is not None:
            yield path.name, current
    finally:
        if current is not None:
            current.close()


def _current(path: Path) -> BinaryIO | None:
    """Open the log's own file; wait for it where a writer has just renamed the one before."""
    for _ in range(_LOOKS):
        file = _opened(path)
        if file is not None or not rotated_files(path):
            return file
        time.sleep(_BETWEEN)
    return _opened(path)  # a writer that was killed just then begins it when it starts again


def _opened(path: Path) -> BinaryIO | None:
    try:
        return open(path, "rb") if check_regular(path) else None
    except FileNotFoundError:
        return None
