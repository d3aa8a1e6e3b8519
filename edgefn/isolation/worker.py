"""What runs in a worker process: it loads a tool file by path, then answers one request a line.

main ─▶ Worker.answer ─▶ load      {"kind": "loaded"}
                      └▶ run       {"kind": "returned" | "raised" | "too_large"}; "refused" where nothing ran

The device that started it holds the other end of the pipe. When that closes, because the device is done or because it
was killed, a thread ends this process at once, and what the call under way has started: no orphan stays. Only a tool
that never lets another thread run (one long regular expression) ends later, when it does.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from edgefn.errors import ArgumentError, EdgefnError
from edgefn.outcome import plain
from edgefn.registry import import_file
from edgefn.tool import Tool

Reply = dict[str, Any]

_SAID = 10_000
"""Characters of a message that are sent back."""
_TRACE = 50_000
"""Characters of a traceback that are sent back: its end, where the error is."""


def main() -> None:
    """Answer requests until the pipe closes."""
    requests, replies = take_pipes()
    inbox: SimpleQueue[bytes] = SimpleQueue()
    worker, busy, first = Worker(), threading.Event(), os.getpid()
    threading.Thread(target=_watch, args=(requests, inbox, busy), daemon=True).start()
    while True:
        request = inbox.get()
        busy.set()
        line = worker.reply(request)
        if os.getpid() != first:  # the tool forked, and this is the copy: only the original answers
            os._exit(0)
        busy.clear()
        _send(replies, line)


def take_pipes() -> tuple[int, int]:
    """Return the descriptors of requests and replies; whatever is printed or read from now on touches neither."""
    requests, replies = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    # Lines appear as they are printed, and no character that the terminal lacks makes a tool fail.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    return requests, replies


def _watch(requests: int, inbox: SimpleQueue[bytes], busy: threading.Event) -> None:
    try:
        with open(requests, "rb") as pipe:
            for line in pipe:
                inbox.put(line)
    finally:
        if busy.is_set() and hasattr(os, "killpg") and os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), 9)
        os._exit(0)


def _send(replies: int, line: bytes) -> None:
    rest = memoryview(line)
    try:
        while rest:
            rest = rest[os.write(replies, rest) :]
    except OSError:  # nobody listens any more
        os._exit(0)


class Worker:
    """Loads the functions of one file and calls them."""

    def __init__(self) -> None:
        """Nothing is loaded yet."""
        self._modules: dict[str, Any] = {}
        self._calls: dict[tuple[str, bool], Callable[[dict[str, Any]], Any]] = {}

    def reply(self, line: bytes) -> bytes:
        """Return the reply to one request, both as lines of JSON; never longer than the request allows."""
        try:
            request = json.loads(line)
        except RecursionError:  # the device could write it, so this is not expected
            return _line(None, _refused("the arguments are nested too deeply"))
        number, limit = request["number"], request["limit"]
        found = _line(number, self.answer(request))
        if len(found) <= limit:
            return found
        return _line(number, {"kind": "too_large", "size": len(found)})

    def answer(self, request: dict[str, Any]) -> Reply:
        """Load what is to be loaded, or run what is to be run; whatever a stranger's code raises becomes a reply."""
        key = (request["qualname"], request["typed"])
        try:
            if "file" in request:
                self._calls[key] = self._load(request["file"], *key)
                return {"kind": "loaded"}
            value = plain(self._calls[key](request["arguments"]))
        except _Refused as exc:
            return _refused(str(exc))
        except BaseException as exc:  # SystemExit and KeyboardInterrupt too: only os._exit ends a worker
            return _raised(exc)
        finally:
            _flush()
        return {"kind": "returned", "value": value}

    def _load(self, file: str, qualname: str, typed: bool) -> Callable[[dict[str, Any]], Any]:
        if file not in self._modules:
            self._modules[file] = import_file(Path(file))
        found: Any = self._modules[file]
        for name in qualname.split("."):
            found = getattr(found, name, None)
        if not callable(found):
            raise _Refused(f"{file} has no function {qualname}")
        return _typed(found) if typed else _by_name(found)


class _Refused(Exception):
    """Why a request cannot be fulfilled; the tool was not called."""


def _typed(function: Callable[..., Any]) -> Callable[[dict[str, Any]], Any]:
    """Return what calls a function with JSON values, bound to the types that the function asks for."""
    try:
        tool = Tool.from_function(function)
    except EdgefnError as exc:
        raise _Refused(exc.message) from exc
    with suppress(ArgumentError):
        tool.bind({"": None})  # builds the validator now, while the tool starts, and not within the time of its call

    def call(arguments: dict[str, Any]) -> Any:
        try:
            bound = tool.bind(arguments)
        except ArgumentError as exc:  # the file has changed since the device loaded it
            raise _Refused(exc.message) from exc
        return _finished(function(**bound))

    return call


def _by_name(function: Callable[..., Any]) -> Callable[[dict[str, Any]], Any]:
    return lambda arguments: _finished(function(**arguments))


def _finished(result: Any) -> Any:
    """Return the result of a function, `async def` or not."""
    if not inspect.iscoroutine(result):
        return result
    import asyncio  # 24 ms: only an async tool pays for it

    return asyncio.run(result)


def _refused(why: str) -> Reply:
    return {"kind": "refused", "why": why}


def _raised(exc: BaseException) -> Reply:
    frames = exc.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:  # the worker's own
        frames = frames.tb_next
    trace = _text(lambda: "".join(traceback.format_exception(type(exc), exc, frames)))[-_TRACE:]
    said = _text(lambda: str(exc))[:_SAID]
    return {"kind": "raised", "error": type(exc).__name__, "said": said, "traceback": trace}


def _text(make: Callable[[], str]) -> str:
    """Return text that any terminal or file takes; lone surrogates are written out."""
    try:
        return make().encode("utf-8", "backslashreplace").decode()
    except BaseException:  # its __str__ is a stranger's
        return "(no message)"


def _line(number: int | None, reply: Reply) -> bytes:
    try:
        text = json.dumps({"number": number, **reply}, allow_nan=False)
    except RecursionError:  # it just had a JSON form, and is one level deeper now
        text = json.dumps({"number": number, "kind": "returned", "value": "<nested too deeply>"})
    return text.encode("ascii") + b"\n"


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # a tool may have put anything in its place, or closed it
            stream.flush()


if __name__ == "__main__":
    main()
