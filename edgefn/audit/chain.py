"""A line of the log, its hash, and the chain that lines make.

A line is one JSON object of ASCII bytes and a line end:

    {"n":17,"time":"2026-11-21T10:00:00.123456+00:00","event":"result",...,"prev":"<64 hex>","hash":"<64 hex>"}

`prev` is the `hash` of the line before, 64 zeros in line 1. `hash` is the SHA-256 of the line's own bytes from `{` up
to and without `,"hash":"`: all but the last 75 bytes before the line end. Numbers rise by one. An intent has
`"opens":true`; the line that ends it has `"closes"` with its number. Every file but the first begins with a line of
event `rotated`, which goes on with the chain and holds the intents that are still open.

The idea is the hash chain of Schneier & Kelsey (1999), "Secure audit logs to support computer forensics", without
their keys: it shows a change to whoever keeps a later head elsewhere, but cannot stop one who writes the log anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, BinaryIO

from edgefn.errors import AuditBroken, AuditError

ROTATED = "rotated"
"""Event of the first line of every file but the first."""
RESERVED = frozenset({"n", "time", "event", "opens", "closes", "prev", "hash"})
"""Keys that belong to the log."""

_ZEROS = "0" * 64
_HEAD = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")
_SEAL = re.compile(rb',"prev":"([0-9a-f]{64})"(,"hash":"([0-9a-f]{64})"\}\n)')
_SEAL_BYTES = 150
_HASH_END = re.compile(rb'"(,"hash":"([0-9a-f]{64})"\})')
_KEEP_IT = "the lines before it are as they were written; keep the files as they are, and find out what changed them"
_encoder = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Head:
    """The last line of a log; kept elsewhere, it shows later that no line was cut off or written anew."""

    number: int
    """Its number; 0 where the log has no line yet."""
    hash: str
    """Its hash, 64 hexadecimal digits; zeros where the log has no line yet."""

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Read the form `number:hash`. Raises AuditError."""
        found = _HEAD.fullmatch(text.strip())
        if found is None:
            raise AuditError(f"{text[:80]!r} is not a head", hint="a head is a number, a colon and 64 digits of 0-9a-f")
        return cls(int(found[1]), found[2])


START = Head(0, _ZEROS)
"""The head of a log without lines."""


def members(event: str, fields: Mapping[str, Any], opens: bool = False, closes: int | None = None) -> str:
    """Return the part of a line that does not depend on its place, from `"event"` on. Raises AuditError."""
    if not isinstance(event, str) or not event:
        raise AuditError(f"the event {event!r} is not a name", hint="pass a word that says what happened")
    if not RESERVED.isdisjoint(fields):
        taken = ", ".join(sorted(RESERVED.intersection(fields)))
        raise AuditError(f"the log writes {taken} itself", hint="use other names for these fields")
    if not all(isinstance(key, str) for key in fields):
        raise AuditError("a name of a field is not a string", hint="name each field by a string")
    if closes is not None and type(closes) is not int:
        raise AuditError(f"{closes!r} is not the number of a line", hint="pass what `append` returned for the intent")
    try:
        inner = _encoder.encode(dict(fields))[1:-1]
        text = f'"event":{_encoder.encode(event)}{"," if inner else ""}{inner}'
    except (TypeError, ValueError, RecursionError) as exc:
        raise AuditError(
            f"a field has no JSON form: {exc}", hint="pass strings, finite numbers, lists and dicts"
        ) from exc
    if opens:
        text += ',"opens":true'
    return text if closes is None else f'{text},"closes":{closes:d}'


def seal(number: int, time: str, text: str, prev: str) -> tuple[bytes, str]:
    """Return a whole line with its line end, and its hash; `text` is what `members` gives."""
    body = f'{{"n":{number},"time":"{time}",{text},"prev":"{prev}"'.encode("ascii")
    digest = sha256(body).hexdigest()
    return b'%b,"hash":"%b"}\n' % (body, digest.encode("ascii")), digest


def unseal(raw: bytes) -> dict[str, Any]:
    """Return the object in a line. Raises ValueError, whose text says what is wrong with the line itself."""
    try:
        found = json.loads(raw.decode())
    except (ValueError, RecursionError) as exc:
        raise ValueError("it is not JSON") from exc
    end = _SEAL.fullmatch(raw[-_SEAL_BYTES:])
    if end is None or not isinstance(found, dict):
        raise ValueError("it is no line of an audit log")
    if sha256(raw[: -len(end[2])]).hexdigest().encode() != end[3]:
        raise ValueError("it was changed: its hash does not fit what it says")
    if not _is_formed(found):
        raise ValueError("it is no line of an audit log")
    return found


def _is_formed(line: dict[str, Any]) -> bool:
    """Say whether the members that the log relies on have their kinds; only a made-up line has others."""
    kept = line.get("open", []) if line.get("event") == ROTATED else []
    return (
        type(line.get("n")) is int
        and isinstance(line.get("event"), str)
        and type(line.get("closes", 0)) is int
        and isinstance(kept, list)
        and all(isinstance(each, dict) and type(each.get("n")) is int for each in kept)
    )


def broken(file: str, line: int, problem: str) -> AuditBroken:
    """Return the error that names a place in a log."""
    return AuditBroken(f"{file}, line {line}: {problem}", hint=_KEEP_IT)


@dataclass(slots=True)
class Chain:
    """Follows lines one after another, and refuses the first that does not fit."""

    head: Head = START
    """The last line that was followed."""
    before: Head | None = None
    """The line before the first one; None where none was followed yet."""
    rotations: int = 0
    """How many files were rotated away so far."""
    open: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    """Intents without a closing line, by their numbers."""

    def follow(self, raw: bytes, file: str, place: int) -> None:
        """Take a line with its line end, the one at `place` (from 1) of `file`. Raises AuditBroken."""
        try:
            line = unseal(raw)
        except ValueError as exc:
            raise broken(file, place, str(exc)) from exc
        if self.before is None:
            self._begin(line)
        problem = self._misfit(line)
        if problem:
            raise broken(file, place, problem)
        self.head = Head(line["n"], line["hash"])
        self._keep(line)

    def follow_all(self, lines: BinaryIO, file: str) -> bytes:
        """Take every whole line of a file; return what stands after the last line end. Raises AuditBroken."""
        for place, raw in enumerate(lines, 1):
            if not raw.endswith(b"\n"):
                check_cut(raw, file, place)
                return raw
            self.follow(raw, file, place)
        return b""

    def _begin(self, line: dict[str, Any]) -> None:
        """Take the place of the first line on trust where it begins a file: those before it may be gone."""
        self.before = START
        if line["event"] == ROTATED and line["n"] > 1:
            self.before = self.head = Head(line["n"] - 1, line["prev"])
            self.open = {each["n"]: each for each in line.get("open", [])}

    def _misfit(self, line: dict[str, Any]) -> str:
        number, expected = line["n"], self.head.number + 1
        if number > expected:
            return f"it has number {number} where {expected} belongs: lines were removed, or it is out of order"
        if number < expected:
            return (
                f"it has number {number} where {expected} belongs: it was repeated or inserted, or it is out of order"
            )
        if line["prev"] != self.head.hash:
            return "its previous hash is not that of the line before it: that line was replaced"
        return ""

    def _keep(self, line: dict[str, Any]) -> None:
        if line["event"] == ROTATED and type(line.get("rotations")) is int:
            self.rotations = line["rotations"]
        self.open.pop(line.get("closes", 0), None)
        if line.get("opens") is True:
            self.open[line["n"]] = {key: value for key, value in line.items() if key not in ("prev", "hash")}


def check_cut(raw: bytes, file: str, place: int) -> None:
    """Accept the start of a line whose writing was cut; a whole line that goes on is not. Raises AuditBroken."""
    for end in _HASH_END.finditer(raw):
        if end.end() < len(raw) and sha256(raw[: end.start(1)]).hexdigest().encode() == end[2]:
            raise broken(file, place, "it was changed: its line end is gone")
