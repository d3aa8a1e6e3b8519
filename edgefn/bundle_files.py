"""A bundle as files: names that are safe, reads that are whole, writes that survive a power cut.

Beside `kiosk.bundle` a writer uses two hidden siblings, on the same file system so that a rename is enough:
`.kiosk.bundle.new-PID-RANDOM` is being written, `.kiosk.bundle.previous` is the bundle being replaced.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from edgefn.jsonform import Malformed

# A colon is a drive or an alternate stream on Windows; control characters hide in terminals.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
# Some network file systems have no sync for folders; the files themselves were synced.
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP}


def check_name(name: str) -> None:
    """Accept a path that stays inside the bundle on every system.

    Raises:
        Malformed: it is absolute, climbs with `..`, or holds a backslash, colon or control character.
    """
    parts = name.split("/")
    if _FORBIDDEN.search(name) or any(part in {"", ".", ".."} for part in parts):
        raise Malformed(f"the path {name!r} is not a plain path inside the bundle")


def read_file(root: Path, name: str, *, size: int | None = None) -> bytes:
    """Return the whole of one regular file under `root`, a folder given by its real path.

    Raises:
        Malformed: a link leads outside, it is not a regular file, or it does not have `size` bytes.
        OSError: the system refused.
    """
    real = Path(os.path.realpath(root / name))
    if not real.is_relative_to(root):
        raise Malformed("is a link that leads outside the bundle")
    status = os.stat(real)
    if not stat.S_ISREG(status.st_mode):  # opening a named pipe would wait for ever
        raise Malformed("is not a regular file")
    if size is not None and status.st_size != size:  # known before 23 MB are read and hashed
        raise Malformed(f"has {status.st_size} bytes where the manifest says {size}")
    with open(real, "rb") as file:
        return file.read()


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Create `folder` with `files` in it, and return when all of it is on the disk.

    Raises:
        OSError: the disk is full, read-only or failing; what was written so far is left.
    """
    os.mkdir(folder)
    folders = {folder}
    for name, data in files.items():
        file = folder / name
        for parent in reversed(file.relative_to(folder).parents):
            if folder / parent not in folders:
                os.mkdir(folder / parent)
                folders.add(folder / parent)
        _write_file(file, data)
    for written in folders:
        sync_folder(written)


def _write_file(path: Path, data: bytes) -> None:
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable.

    Raises:
        OSError: the disk failed.
    """
    if os.name == "nt":  # folders cannot be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as exc:
        if exc.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(handle)


def swap(new: Path, target: Path) -> None:
    """Put the folder `new` at `target`; what stood there is moved aside first and deleted last.

    Raises:
        OSError: a step failed; the steps before it were undone.
    """
    previous = aside(target)
    replacing, placed = os.path.lexists(target), False
    if replacing:
        remove(previous)
        os.rename(target, previous)
    try:
        os.rename(new, target)
        placed = True
        sync_folder(target.parent)  # before the old bundle is deleted: a power cut must leave one of the two
    except OSError:
        if placed:
            os.rename(target, new)
        if replacing:
            os.rename(previous, target)
        raise
    remove(previous)


def remove(folder: Path) -> None:
    """Delete a folder as far as the system allows; the next writer tries again."""
    import shutil  # not at the top: a device that only reads never needs it

    shutil.rmtree(folder, ignore_errors=True)


def aside(target: Path) -> Path:
    """Return where the bundle at `target` stands while it is being replaced."""
    return target.with_name(f".{target.name}.previous")


def staging(target: Path) -> Path:
    """Return a fresh name for a folder that is to become `target`."""
    return target.with_name(f".{target.name}.new-{os.getpid()}-{secrets.token_hex(4)}")


def remove_leftovers(target: Path) -> None:
    """Delete what dead writers of `target` left; the caller holds the lock, so no writer is alive.

    Raises:
        OSError: the folder around `target` cannot be listed.
    """
    pattern = re.compile(rf"\.{re.escape(target.name)}\.new-\d+-[0-9a-f]{{8}}")
    for name in os.listdir(target.parent):
        if pattern.fullmatch(name):
            remove(target.with_name(name))


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Keep other writers out of `folder` inside the block; yield False where that cannot be done.

    The lock is on the folder itself: it needs no file of its own and ends with the process, however it ends.
    Windows and some network file systems have none; writers must then not be two at a time.
    """
    handle = None
    held = False
    try:
        with suppress(ImportError, OSError):
            import fcntl  # not at the top: Windows has none

            handle = os.open(folder, os.O_RDONLY)
            fcntl.flock(handle, fcntl.LOCK_EX)
            held = True
        yield held
    finally:
        if handle is not None:
            os.close(handle)
