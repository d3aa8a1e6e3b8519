"""One worker process and the pipe to it: a line of JSON goes in, a line of JSON comes out.

spawn ─▶ ask ─▶ ask ...      one at a time, by the thread that has the process
kill                         by any thread, at any moment
discard, retire              at the end, once no thread asks any more
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal, TypeAlias

MARK = "EDGEFN_WORKER"
"""Environment variable that says: this process is a worker."""

Lost: TypeAlias = Literal["ended", "too_large", "garbled"]
"""Why there is no reply: the process or its pipe ended, it wrote more than was agreed, or no reply of the protocol."""

_CHUNK = 65_536
_LOOK = 0.2
"""Seconds between two looks at whether the process was killed: its pipe may be held open by a process it started."""
_GRACE = 1.0
"""Seconds that a process has to end by itself once its pipe is closed."""
_REAP = 5.0
"""Seconds to wait for a killed process: only one that hangs inside the kernel takes longer."""


class Process:
    """A running worker."""

    def __init__(self) -> None:
        """Start a worker; raises OSError where no process can be started."""
        import subprocess  # 3 ms: only who isolates a tool pays for it

        self.owner = os.getpid()
        """Process that started it; a fork of that one must leave it alone."""
        self.loaded: set[tuple[str, bool]] = set()
        """What the worker has loaded: names in its file, typed or not."""
        self._popen = subprocess.Popen(
            # -P: the folder that the device happens to work in must not shadow modules of the worker.
            [sys.executable, "-P", "-m", "edgefn.isolation.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Where the device has none, its number may be that of any file by now.
            stderr=None if sys.__stderr__ else subprocess.DEVNULL,
            bufsize=0,
            env=environment(),
            # A group of its own: Ctrl-C does not reach it, and killing it ends what it started, too.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        assert self._popen.stdin is not None and self._popen.stdout is not None  # for the type checker: both are pipes
        self._requests, self._replies = self._popen.stdin, self._popen.stdout
        self._asked = 0
        self._killed = False
        self._lock = threading.Lock()

    @property
    def pid(self) -> int:
        """Id of the process."""
        return self._popen.pid

    @property
    def was_killed(self) -> bool:
        """Whether `kill` was called."""
        return self._killed

    def is_fit(self) -> bool:
        """Say whether it lives and says nothing unasked."""
        if self._killed or self.has_ended():
            return False
        return not _has_poll() or not self._is_readable(0.0)

    def has_ended(self) -> bool:
        """Say whether the process has ended, without reaping it where that can be helped: its id stays taken then."""
        if not hasattr(os, "waitid"):
            with self._lock:
                ended = self._popen.poll() is not None
                self._killed |= ended  # the id may be another's by now
                return ended
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:  # reaped: by `discard`, or by the application, which has a handler for all children
            return True

    def ask(self, request: Mapping[str, Any], limit: int) -> dict[str, Any] | Lost:
        """Send a request and wait for its reply of at most `limit` bytes; whatever happens, it is sent only once.

        Raises RecursionError where the request is nested too deeply for JSON; nothing was sent then.
        """
        self._asked += 1
        line = json.dumps({**request, "number": self._asked, "limit": limit}, allow_nan=False) + "\n"
        if not self._send(line.encode("ascii")):
            return "ended"
        reply = self._receive(limit)
        return self._parse(reply) if isinstance(reply, bytearray) else reply

    def kill(self) -> None:
        """End the process and its group at once; from any thread, and again without harm."""
        with self._lock:
            if self._killed:
                return
            self._killed = True
            with suppress(ProcessLookupError, PermissionError):  # macOS says the second of a group that has ended
                if os.name == "posix":
                    os.killpg(self.pid, 9)
                else:
                    self._popen.kill()

    def retire(self) -> None:
        """Let an idle worker end by itself: what a tool left running on purpose, and returned, goes on."""
        self._requests.close()
        if self.wait_for_end():
            with self._lock:
                self._killed = True  # there is nothing left to kill
        self.discard()

    def discard(self) -> int | None:
        """Kill it where it still runs, free its pipes, and return its exit code; negative for a signal."""
        self.kill()  # first: after the wait its id may be another's
        self._requests.close()
        self._replies.close()
        return self.reap()

    def reap(self) -> int | None:
        """Wait for a process that was killed; return its exit code, or None where it does not end."""
        from subprocess import TimeoutExpired

        with suppress(TimeoutExpired):
            return self._popen.wait(_REAP)
        return None

    def wait_for_end(self) -> bool:
        """Wait a moment for a process whose pipe is closed; False where it goes on."""
        deadline = time.monotonic() + _GRACE
        while not self.has_ended():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    def _send(self, line: bytes) -> bool:
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[os.write(self._requests.fileno(), rest) :]
        except OSError:  # it has ended; part of the line may have arrived, so nobody sends it again
            return False
        return True

    def _receive(self, limit: int) -> bytearray | Lost:
        """Read one line and hold no more than it may be long."""
        line = bytearray()
        while len(line) <= limit + 1:
            if _has_poll() and not self._is_readable(_LOOK):
                if self._killed:
                    return "ended"
                continue
            chunk = os.read(self._replies.fileno(), _CHUNK)
            line += chunk
            if chunk.endswith(b"\n"):
                return line
            if not chunk:
                return "ended"
        return "too_large"

    def _parse(self, line: bytearray) -> dict[str, Any] | Lost:
        try:
            reply = json.loads(line)
        except (ValueError, RecursionError):
            return "garbled"
        # A tool that forked, or that found the pipe, may have answered in the place of its worker.
        if not isinstance(reply, dict) or reply.get("number") != self._asked:
            return "garbled"
        return reply

    def _is_readable(self, seconds: float) -> bool:
        import select

        poll = select.poll()
        poll.register(self._replies.fileno(), select.POLLIN)
        return bool(poll.poll(seconds * 1000))


def environment() -> dict[str, str]:
    """Return the environment of a worker, which finds the very `edgefn` that runs here.

    An installed edgefn, editable or not, is found by any interpreter of this environment. One that is here only because
    its folder is on `sys.path` (a checkout, a vendored copy) is found through PYTHONPATH. It must be that folder
    alone: all of `sys.path` would let files of the application shadow modules that tools import.
    """
    result = {**os.environ, MARK: "1"}
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    given = [each for each in result.get("PYTHONPATH", "").split(os.pathsep) if each]
    here = {os.path.abspath(each) for each in sys.path if isinstance(each, str)}
    if root in here and root not in _site_folders() and root not in given:
        result["PYTHONPATH"] = os.pathsep.join([root, *given])
    return result


def _site_folders() -> set[str]:
    import site

    return {os.path.abspath(each) for each in [*site.getsitepackages(), site.getusersitepackages()]}


def _has_poll() -> bool:
    return os.name == "posix"  # pipes of Windows cannot be polled: there a read ends when the process does
