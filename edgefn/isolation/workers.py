"""The worker processes of one dispatcher, and calls that run in them.

Workers.call_of ─▶ IsolatedCall.start ─▶ IsolatedCall.__call__      the process goes back to the idle ones
                                └──────────▶ IsolatedCall.end       the process is killed

A request is sent once. A worker found dead before that is replaced; after that nobody knows how far the tool came,
and the call has failed.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from edgefn.errors import ArgumentError, ToolFailed
from edgefn.isolation.pool import Pool
from edgefn.isolation.process import MARK, Lost, Process
from edgefn.isolation.target import Target, target_of
from edgefn.tool import Tool

_UNKNOWN = "it may have done part of its work: look before you call it again"
_NOTHING_RAN = "nothing ran"


class Workers:
    """The worker processes of one dispatcher: idle ones are kept warm by file, one call at a time each."""

    def __init__(self, start_seconds: float = 30.0, max_reply: int = 16_000_000) -> None:
        """Start nothing yet.

        A worker may take `start_seconds` until it has loaded its tool; a reply may have `max_reply` bytes of JSON.
        """
        self.start_seconds = start_seconds
        self.max_reply = max_reply
        self.pool = Pool()
        self._close = weakref.finalize(self, self.pool.close)

    def call_of(self, tool: Tool) -> IsolatedCall:
        """Return a call of a tool; raises ToolDefinitionError where no worker could load it (see `target_of`)."""
        return IsolatedCall(self, tool, target_of(tool))

    def close(self) -> None:
        """End every process, idle or not; calls under way fail, later ones too. The interpreter's exit does the same.

        What a call under way has started is ended with it; what a call that returned left running is not.
        """
        self._close()


class IsolatedCall:
    """A call of one tool in a process of its own."""

    def __init__(self, workers: Workers, tool: Tool, target: Target) -> None:
        """Start nothing yet."""
        self._workers = workers
        self._tool = tool
        self._target = target
        self._process: Process | None = None
        self._busy = False
        self._ended = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Take an idle worker of the tool's file, or start one, and wait until it has loaded the tool.

        Raises ToolFailed: the file is broken, the tool is not there, loading took too long, or the call was ended.
        """
        with self._working():
            self._started()

    def __call__(self, arguments: Mapping[str, Any]) -> Any:
        """Call the tool once with typed arguments, as `Tool.bind` gives them; return the value in plain JSON form.

        Raises ToolFailed: the tool raised (its traceback is in the error's notes), its process ended, its reply was too
        large, or the call was ended.
        """
        with self._working():
            request = self._request(arguments)
            process = self._started()
            try:
                reply = process.ask(request, self._workers.max_reply)
            except (RecursionError, ValueError) as exc:  # ValueError: a whole number of more than 4,300 digits
                raise ToolFailed(f"{self._name} was not called: {exc}", hint=_NOTHING_RAN) from exc
            if isinstance(reply, str):
                raise self._lost(process, reply, _UNKNOWN)
            self._give_back()
            return self._value(reply)

    def end(self) -> None:
        """Kill the process of the call, and all that it started; from any thread, at any moment, and again."""
        with self._lock:
            self._ended = True
            process = self._process
            if process is None:  # not started yet, or given back: then it is another call's
                return
            process.kill()
            if self._busy:  # the thread that waits for it frees it
                return
            self._process = None
        self._workers.pool.discard(process)

    # ---- the process of the call -------------------------------------------------------------------------

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Keep `end` from freeing the process; after an error it is not used again."""
        with self._lock:
            self._check_not_ended()
            self._busy = True
        try:
            yield
        except BaseException:
            self._drop()
            raise
        finally:
            with self._lock:
                self._busy = False
        if self._ended:  # while the process was started: it is killed, and nobody else frees it
            self._drop()

    def _started(self) -> Process:
        """Return a process that has loaded the tool: the one at hand, an idle one or a new one."""
        if os.environ.get(MARK):
            hint = 'put what starts the application under `if __name__ == "__main__":`'
            raise ToolFailed(f"{self._name}: a worker starts no workers of its own", hint=hint)
        if self._process is not None and self._process.is_fit():
            return self._process
        self._drop()
        pool = self._workers.pool
        process = pool.take(self._target.file) or pool.spawn()
        with self._lock:
            self._process = process
            self._check_not_ended()
        self._load(process)
        return process

    def _load(self, process: Process) -> None:
        """Have the worker load the tool, within the time that starting may take."""
        key = (self._target.qualname, self._target.typed)
        if key in process.loaded:
            return
        with _kill_after(self._workers.start_seconds, process) as late:
            reply = process.ask({"file": self._target.file, **self._function}, self._workers.max_reply)
        if late.is_set():
            message = f"{self._name} could not be started: loading took more than {self._workers.start_seconds:g} s"
            raise ToolFailed(message, hint=f"look at what {self._target.file} does when it is imported")
        if isinstance(reply, str):
            raise self._lost(process, reply, _NOTHING_RAN)
        if reply["kind"] != "loaded":
            raise self._not_loaded(reply)
        process.loaded.add(key)

    def _give_back(self) -> None:
        with self._lock:
            process, self._process = self._process, None
            ended = self._ended
        if process is None:
            return
        if ended:
            self._workers.pool.discard(process)
        else:
            self._workers.pool.give_back(self._target.file, process)

    def _drop(self) -> int | None:
        """End the process for good; return its exit code."""
        with self._lock:
            process, self._process = self._process, None
        return None if process is None else self._workers.pool.discard(process)

    # ---- what is sent, and what comes back ----------------------------------------------------------------

    @property
    def _name(self) -> str:
        return self._target.tool

    @property
    def _function(self) -> dict[str, Any]:
        return {"qualname": self._target.qualname, "typed": self._target.typed}

    def _request(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return {"arguments": self._tool.unbind(arguments), **self._function}
        except ArgumentError as exc:
            raise ToolFailed(f"{self._name} was not called: {exc.message}", hint=exc.hint) from exc

    def _value(self, reply: Mapping[str, Any]) -> Any:
        """Return what the tool returned, or raise what kept it from returning."""
        match reply["kind"]:
            case "returned":
                return reply["value"]
            case "too_large":
                hint = f"return less: a reply may have {self._workers.max_reply} bytes of JSON"
                raise ToolFailed(f"{self._name} ran, but what it returned has {reply['size']} bytes", hint=hint)
            case "refused":
                message = f"{self._name} was not called: {reply['why']}"
                raise ToolFailed(message, hint=f"load the tools again if {self._target.file} has changed")
        hint = "the tool's own traceback is in this error's notes"
        error = ToolFailed(f"{self._name} raised {reply['error']}: {reply['said']}", hint=hint)
        error.add_note(reply["traceback"])
        raise error

    def _not_loaded(self, reply: Mapping[str, Any]) -> ToolFailed:
        file = self._target.file
        if reply["kind"] == "refused":
            return ToolFailed(f"{self._name} could not be started: {reply['why']}", hint=f"look into {file}")
        said = f"{reply['error']}: {reply['said']}"
        hint = f"a worker loads {file} by its path alone, without sys.path of the application and without its package"
        error = ToolFailed(f"{self._name} could not be started: its file raised {said}", hint=hint)
        error.add_note(reply["traceback"])
        return error

    def _lost(self, process: Process, lost: Lost, hint: str) -> ToolFailed:
        """Say why there is no reply."""
        if lost == "too_large":
            return ToolFailed(f"the worker of {self._name} wrote more than {self._workers.max_reply} bytes", hint=hint)
        if lost == "garbled":
            return ToolFailed(f"the worker of {self._name} wrote something that is no reply", hint=hint)
        if process.was_killed:
            return ToolFailed(f"{self._name} was ended", hint=hint)
        if not process.wait_for_end():
            return ToolFailed(f"{self._name} closed the pipe to its worker", hint=hint)
        code = self._drop()
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return ToolFailed(f"{self._name} ended its process with {how}", hint=hint)

    def _check_not_ended(self) -> None:
        if self._ended:
            raise ToolFailed(f"{self._name} was ended before it was called", hint=_NOTHING_RAN)


@contextmanager
def _kill_after(seconds: float, process: Process) -> Iterator[threading.Event]:
    """Kill a process unless the block ends in time; the event says that it did not."""
    late = threading.Event()

    def kill() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(seconds, kill)
    timer.daemon = True  # the exit of the interpreter does not wait for it
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
