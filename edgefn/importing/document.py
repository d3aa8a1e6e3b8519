"""A document of tool definitions: its values, each with the JSON pointer that an error names."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edgefn.checking import shown
from edgefn.errors import ToolDefinitionError

DEEPEST = 64
"""Most levels of lists and objects: what is deeper no later step could walk."""
_MOST = 2_000_000
"""Most values: a few lines of YAML with aliases can stand for more than any memory holds."""
_JSON = "a document holds objects with text keys, lists, text, finite numbers, true, false and null"


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a document, and where it stands."""

    value: Any
    """Pure JSON."""
    pointer: str = ""
    """JSON pointer (RFC 6901); empty for the whole document."""

    def __getitem__(self, key: str | int) -> Node:
        """Return the value under a key, or at an index, that is there."""
        return Node(self.value[key], below(self.pointer, key))

    def __iter__(self) -> Iterator[Node]:
        """Walk a list, or the values of an object."""
        return (self[key] for key in (self.value if isinstance(self.value, dict) else range(len(self.value))))

    def __contains__(self, key: str) -> bool:
        """Say whether this is an object with that key."""
        return isinstance(self.value, dict) and key in self.value

    def under(self, key: str) -> Node:
        """Return the value under a key of an object; without one, this itself."""
        if key not in self:
            return self
        return self[key]

    def error(self, message: str, hint: str = "correct the document") -> ToolDefinitionError:
        """Return the error for this value."""
        return ToolDefinitionError(f"{self.pointer or 'the document'}: {message}", hint=hint)

    def mapping(self) -> dict[str, Any]:
        """Return the object that this is; ToolDefinitionError where it is none."""
        if not isinstance(self.value, dict):
            raise self.error(f"an object is expected, not {shown(self.value)}")
        return self.value

    def items(self) -> list[Any]:
        """Return the list that this is; ToolDefinitionError where it is none."""
        if not isinstance(self.value, list):
            raise self.error(f"a list is expected, not {shown(self.value)}")
        return self.value

    def text(self) -> str:
        """Return the text that this is; ToolDefinitionError where it is none."""
        if not isinstance(self.value, str):
            raise self.error(f"text is expected, not {shown(self.value)}")
        return self.value

    def flag(self) -> bool:
        """Return the boolean that this is; ToolDefinitionError where it is none."""
        if not isinstance(self.value, bool):
            raise self.error(f"true or false is expected, not {shown(self.value)}")
        return self.value

    def need(self, key: str) -> Node:
        """Return the value under a key of an object; ToolDefinitionError where it is missing."""
        if key not in self.mapping():
            raise Node(None, below(self.pointer, key)).error("is missing")
        return self[key]

    def prose(self, *keys: str) -> str:
        """Return the first text under one of the keys of an object, whitespace collapsed; "" without one."""
        found = (self[key].text() for key in keys if self.mapping().get(key) is not None)
        return next(filter(None, (" ".join(each.split()) for each in found)), "")


def below(pointer: str, key: str | int) -> str:
    """Return the JSON pointer of what stands under a key."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def document_of(value: object) -> Node:
    """Return a copy of a parsed document; ToolDefinitionError where it is no JSON, or too large or deep."""
    return Node(_copied(value, "", 0, itertools.count()))


def _copied(value: object, pointer: str, depth: int, seen: Iterator[int]) -> Any:
    if depth > DEEPEST:
        raise Node(None, pointer).error(f"is nested more than {DEEPEST} levels deep")
    if next(seen) > _MOST:
        raise Node(None, pointer).error(f"the document holds more than {_MOST:,} values", "divide it")
    if isinstance(value, Mapping):
        keys = [_text(key, pointer) for key in value]
        values = zip(keys, value.values(), strict=True)
        return {key: _copied(each, below(pointer, key), depth + 1, seen) for key, each in values}
    if isinstance(value, list | tuple):
        return [_copied(each, below(pointer, index), depth + 1, seen) for index, each in enumerate(value)]
    return _scalar(value, pointer)


def _scalar(value: object, pointer: str) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise Node(None, pointer).error(f"{shown(value)} is no number that a double can hold", _JSON)
        return int(value) if isinstance(value, int) else number
    return _text(value, pointer)


def _text(value: object, pointer: str) -> str:
    try:
        if isinstance(value, str):
            return value.encode().decode()
    except UnicodeEncodeError:
        raise Node(None, pointer).error(f"{shown(value)} holds half a character", _JSON) from None
    raise Node(None, pointer).error(f"{shown(value)} has no place in JSON here", _JSON)
