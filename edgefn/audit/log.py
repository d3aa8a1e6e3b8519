"""The audit log as its one writer sees it.

append ─▶ _settle (is the file as it was left?) ─▶ _add ─▶ _write
                                                    └───▶ _rotate ─▶ _begin

Signals can raise between any two steps. So each change of state is one assignment, a line counts from the moment
it is whole in the file, and every append first compares the file with what is known of it.
"""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple

from edgefn.audit.chain import ROTATED, START, Chain, Head, members, seal
from edgefn.audit.files import check_regular, open_to_append, refused, rotated_files, rotated_name, take_lock
from edgefn.audit.recovery import recover
from edgefn.bundle_files import sync_folder
from edgefn.errors import AuditBroken, AuditError

_OWN = frozenset({ROTATED, "recovered", "unknown_outcome"})


class _Place(NamedTuple):
    """Where the chain ends: number and hash of the last line, and the size of the file with it."""

    number: int
    hash: str
    size: int


def _now() -> datetime:
    return datetime.now(UTC)


class AuditLog:
    """An append-only log of what a device did, chained by hashes; one process at a time, safe between its threads.

    The form of a line, and what the chain shows, is said in `edgefn.audit.chain`. Signals may arrive at any time, but a
    signal handler must not append itself: the thread that it interrupts may hold the lock.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        fsync: Literal["intents", "always", "never"] = "intents",
        max_bytes: int = 10_000_000,
        keep: int | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """Open or create the log at `path`, and close what an earlier process left open as of unknown outcome.

        `fsync` says which lines are on the disk when `append` returns, `max_bytes` when the file is rotated, `keep` how
        many rotated files stay (None: all), `clock` what time it is. Raises AuditError where it cannot be opened, is
        locked by another writer, or is no audit log, and AuditBroken where lines of its last file do not fit.
        """
        _check_settings(fsync, max_bytes, keep)
        self._path = Path(os.path.realpath(path))
        self._fsync = fsync
        self._max_bytes = max_bytes
        self._keep = keep
        self._clock = clock
        self._lock = threading.Lock()
        self._at = _Place(START.number, START.hash, 0)
        self._open: dict[int, Mapping[str, Any]] = {}
        self._rotations = 0
        self._floor = 0  # where the first line of a rotated log ends: a file is not rotated for that line alone
        self._writing = b""  # the line that was written last, whole or not
        self._failed = False  # what stands after `_at` was refused and must go
        self._whole = False  # False while the file is being replaced
        self._file: io.FileIO | None = None
        self._guard: io.FileIO | None = None
        self._unknown: tuple[Mapping[str, Any], ...] = ()
        try:
            self._enter()
        except BaseException:  # an interrupt too: the lock must not outlive the object
            self.close()
            raise

    @property
    def head(self) -> Head:
        """The last line, to be kept elsewhere: a chain alone cannot show that its end was cut off."""
        return Head(self._at.number, self._at.hash)

    @property
    def unknown(self) -> tuple[Mapping[str, Any], ...]:
        """Intents that were open when the log was opened, as they were written; nobody knows what came of them."""
        return self._unknown

    def append(self, event: str, fields: Mapping[str, Any], *, intent: bool = False, closes: int | None = None) -> int:
        """Write one line and return its number; `intent` opens a matter that a later line `closes` by this number.

        When this returns, the line survives the end of this process; an intent survives a power cut too unless
        `fsync` is "never", and every line does where it is "always". Raises AuditError where it cannot be
        written: nothing of it is left then, and a later append works again when the cause is gone.
        """
        if event in _OWN:
            raise AuditError(f"lines of event {event} are written by the log itself", hint="use another event")
        text = members(event, fields, intent, closes)
        with self._lock:
            try:
                self._settle()
                if closes is not None and not 0 < closes <= self._at.number:
                    raise AuditError(f"there is no line {closes} to close", hint="pass the number of its intent")
                return self._add(text, intent, closes)
            except OSError as exc:
                raise refused(self._path, "written", exc) from exc

    def close(self) -> None:
        """Let go of the file and the lock; closing twice does nothing."""
        with self._lock:
            guard, self._guard = self._guard, None
            for file in (self._file, guard):
                if file is not None:
                    file.close()

    def __enter__(self) -> AuditLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _enter(self) -> None:
        try:
            check_regular(self._path)
            self._guard = take_lock(self._path)
            torn = self._attach()
            if torn:
                self._add(members("recovered", {"bytes": torn, "file": f"{self._path.name}.torn"}))
            self._unknown = tuple(self._open.values())
            for intent in self._unknown:
                tool = {"tool": intent["tool"]} if "tool" in intent else {}
                self._add(members("unknown_outcome", tool, closes=intent["n"]), closes=intent["n"])
        except OSError as exc:
            raise refused(self._path, "opened", exc) from exc

    def _settle(self) -> None:
        """Make the file and what is known of it agree; raise AuditError where they cannot."""
        if self._guard is None:
            raise AuditError(f"the audit log {self._path} is closed", hint="open it again")
        if not self._whole:  # a rotation was interrupted, or refused
            self._resume()
        status = os.fstat(self._handle())
        if not status.st_nlink:
            raise AuditError(f"{self._path} was removed while it was written", hint="close the log, and open it again")
        if status.st_size != self._at.size:
            self._catch_up(status.st_size)

    def _resume(self) -> None:
        if check_regular(self._path) and os.stat(self._path).st_size:
            self._attach(self._at)
        else:
            self._begin()

    def _attach(self, known: _Place | None = None) -> int:
        """Go on where the files end; return how many bytes of a cut line were moved aside."""
        self._whole = False
        left = recover(self._path)
        chain = left.chain
        # Since `known` this process can have written one line at most, the first of a new file.
        if known and chain.head.hash != known.hash and (chain.before is None or chain.before.hash != known.hash):
            raise _foreign(self._path)
        self._open, self._rotations = chain.open, chain.rotations
        self._at = _Place(chain.head.number, chain.head.hash, left.size)
        if not left.size:
            self._begin()
            return left.torn
        with open(self._path, "rb") as file:
            self._floor = len(file.readline()) if chain.before != START else 0
        self._replace(open_to_append(self._path))
        self._whole = True
        return left.torn

    def _begin(self) -> None:
        """Start a file; where lines came before, its first line goes on with their chain."""
        self._replace(open_to_append(self._path))
        self._at, self._floor, self._failed = self._at._replace(size=0), 0, False
        if os.fstat(self._handle()).st_size:
            raise _foreign(self._path)
        if self._at.number:
            self._rotations = max([self._rotations, *rotated_files(self._path)])
            kept = {"rotations": self._rotations, "open": list(self._open.values())}
            self._add(members(ROTATED, kept), durable=self._fsync != "never")
            self._floor = self._at.size
        if self._fsync != "never":
            sync_folder(self._path.parent)
        self._whole = True
        self._forget_oldest()

    def _rotate(self) -> None:
        """Rename the file to the next number, and begin a new one."""
        if self._fsync != "never":  # or a power cut could take its end and leave the lines that come after it
            os.fsync(self._handle())
        number = max([self._rotations, *rotated_files(self._path)]) + 1
        self._whole = False
        if self._file is not None:
            self._file.close()  # Windows renames no open file
        os.rename(self._path, rotated_name(self._path, number))
        if self._fsync != "never":
            sync_folder(self._path.parent)
        self._begin()

    def _forget_oldest(self) -> None:
        if self._keep is None:
            return
        files = list(rotated_files(self._path).values())
        for file in files[: max(len(files) - self._keep, 0)]:
            with suppress(OSError):  # somebody reads it, on Windows: the next rotation tries again
                os.unlink(file)

    def _add(self, text: str, opens: bool = False, closes: int | None = None, durable: bool = False) -> int:
        """Seal and write one line; the caller holds the lock, and the file is settled."""
        line, digest = self._seal(text)
        if self._at.size > self._floor and self._at.size + len(line) > self._max_bytes:
            self._rotate()
            line, digest = self._seal(text)
        self._write(line, durable or self._fsync == "always" or (opens and self._fsync == "intents"))
        if opens:
            self._open[self._at.number + 1] = _as_written(line)
        if closes is not None:
            self._open.pop(closes, None)
        # Last, and at once: an interrupt before it leaves a line that `_catch_up` finds in the file.
        self._at = _Place(self._at.number + 1, digest, self._at.size + len(line))
        return self._at.number

    def _seal(self, text: str) -> tuple[bytes, str]:
        return seal(self._at.number + 1, self._clock().isoformat(timespec="microseconds"), text, self._at.hash)

    def _write(self, line: bytes, durable: bool) -> None:
        """Write a line in one call; where that fails, cut off what came through of it. Raises AuditError, OSError."""
        self._writing = line
        try:
            written = self._file.write(line) if self._file else 0
            if written != len(line):
                raise OSError(f"only {written} of {len(line)} bytes of a line were taken")
            if durable:
                os.fsync(self._handle())
        except OSError as exc:
            self._failed = True
            with suppress(OSError):  # the next append tries again
                self._cut_back()
            raise refused(self._path, "written", exc) from exc

    def _cut_back(self) -> None:
        os.ftruncate(self._handle(), self._at.size)
        self._failed = False

    def _catch_up(self, size: int) -> None:
        """Read what stands after the last known line: ours after an interrupt or a failure, or somebody else's."""
        with open(self._path, "rb") as file:
            file.seek(self._at.size)
            tail = file.read()
        if size > self._at.size and self._writing.startswith(tail) and (self._failed or tail != self._writing):
            self._cut_back()
            return
        chain = Chain(self.head, self.head, open=dict(self._open))
        try:
            rest = chain.follow_all(io.BytesIO(tail), self._path.name)
        except AuditBroken as exc:
            raise _foreign(self._path) from exc
        if size < self._at.size or rest:
            raise _foreign(self._path)
        self._open = chain.open
        self._at = _Place(chain.head.number, chain.head.hash, self._at.size + len(tail))

    def _handle(self) -> int:
        if self._file is None:
            raise AuditError(f"the audit log {self._path} is closed", hint="open it again")
        return self._file.fileno()

    def _replace(self, file: io.FileIO) -> None:
        old, self._file = self._file, file
        if old is not None:
            old.close()


def _as_written(line: bytes) -> Mapping[str, Any]:
    return {key: value for key, value in json.loads(line).items() if key not in ("prev", "hash")}


def _foreign(path: Path) -> AuditError:
    hint = "close the log, run `edgefn audit verify` on it, and move the file aside where it is broken"
    return AuditError(f"something else changed {path} while it was written", hint=hint)


def _check_settings(fsync: str, max_bytes: int, keep: int | None) -> None:
    if fsync not in ("intents", "always", "never"):
        raise AuditError(f"fsync cannot be {fsync!r}", hint="pass intents, always or never")
    if max_bytes < 1 or (keep is not None and keep < 0):
        raise AuditError(f"max_bytes={max_bytes}, keep={keep}: too few", hint="pass max_bytes from 1 and keep from 0")
