"""Values as they are written in a line of text: JSON, with Python's and Chinese spellings beside it.

Numbers, strings, lists and objects are JSON's. Beside them stand single and Chinese quotes, full-width digits and
punctuation, and True, False and None. Nothing is evaluated. The method is recursive descent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from edgefn.checking import shown
from edgefn.errors import ExplicitCallError

MAX_DEPTH = 20
"""How deep lists and objects may be nested."""
_EXAMPLES = 'right examples: call square(3), call function("square", [3], 9), 请执行square，参数为3，期望输出为9'

T = TypeVar("T")

# One character for one, so that a position in the plain text is a position in what was written.
_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_WIDTH |= str.maketrans("‐‑‒–—―−。｡、【】〔〕", "-------..,[][]")
_CLOSING = {
    '"': '"',
    "'": "'",
    "“": "“”",
    "”": "“”",  # both marks are typed for one another
    "‘": "‘’",
    "’": "‘’",
    "「": "」",
    "『": "』",
    "＂": "＂",
    "＇": "＇",
}
"""What may close a string, by what opens it."""
_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?+([eE][+-]?[0-9]++)?+(?!\.*[A-Za-z0-9_])")
_WORD = re.compile(r"[^\s,;()\[\]{}\"'“”「」『』:=]+")
_CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"} | {mark: mark for mark in "\\/\"'“”‘’「」『』＂＇"}
_HEX = re.compile("[0-9a-fA-F]{4}")


def plain_width(text: str) -> str:
    """Return `text` with full-width signs and digits made plain, character for character."""
    return text if text.isascii() else text.translate(_WIDTH)


@dataclass(slots=True)
class LiteralReader:
    """Reads values from left to right; every error names the character where it stopped."""

    said: str
    """The line as it was written: strings are taken from it."""
    text: str
    """The same line after `plain_width`: everything else is read from it."""
    at: int = 0
    """The next character."""

    def value(self, depth: int = 0) -> Any:
        """Read one JSON value. Raises ExplicitCallError where none stands here."""
        self.skip()
        first = self.text[self.at : self.at + 1]
        if self.said[self.at : self.at + 1] in _CLOSING:
            return self.string()
        if first in ("[", "{"):
            if depth >= MAX_DEPTH:
                self.fail(f"more than {MAX_DEPTH} lists and objects stand in one another")
            return self._list(depth + 1) if first == "[" else self._object(depth + 1)
        if first.isdigit() or first in ("-", "+", "."):
            return self._number()
        return self._constant()

    def string(self) -> str:
        """Read a string in quotes; \\n, \\" and \\u00e9 mean what they mean in JSON."""
        start, closing = self.at, _CLOSING[self.said[self.at]]
        pieces: list[str] = []
        self.at += 1
        while self.at < len(self.said):
            char = self.said[self.at]
            self.at += 1
            if char in closing:
                return self._whole("".join(pieces), start)
            pieces.append(self._escape() if char == "\\" else char)
        self.at = start
        self.fail("the quote that begins here is not closed")

    def opens_string(self) -> bool:
        """Say whether a quote stands here."""
        self.skip()
        return self.said[self.at : self.at + 1] in _CLOSING

    def items(self, close: str, item: Callable[[], T]) -> list[T]:
        """Read items with commas between them, up to and with `close`."""
        found: list[T] = []
        if self.take(close):
            return found
        while True:
            found.append(item())
            if self.take(close):
                return found
            if not self.take(","):
                self.fail(f"',' or {close!r} is expected")

    def skip(self) -> None:
        """Go past spaces."""
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def take(self, sign: str) -> bool:
        """Go past `sign` if it stands here."""
        self.skip()
        if not self.text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        return True

    def fail(self, problem: str) -> NoReturn:
        """Raise ExplicitCallError: the problem, where, and what a right line looks like."""
        self.skip()
        word = _WORD.match(self.said, self.at)
        here = word[0] if word else self.said[self.at : self.at + 1]
        stands = f"before {shown(here)}" if here else "at the end"
        raise ExplicitCallError(f"character {self.at + 1}, {stands}: {problem}", hint=_EXAMPLES)

    def _list(self, depth: int) -> list[Any]:
        self.at += 1
        return self.items("]", lambda: self.value(depth))

    def _object(self, depth: int) -> dict[str, Any]:
        self.at += 1
        found: dict[str, Any] = {}
        self.items("}", lambda: self._member(found, depth))
        return found

    def _member(self, found: dict[str, Any], depth: int) -> None:
        if not self.opens_string():
            self.fail('a name in quotes is expected, as in {"number": 3}')
        start, name = self.at, self.string()
        if name in found:
            self.at = start
            self.fail(f"{shown(name)} is given twice")
        if not self.take(":"):
            self.fail("':' is expected")
        found[name] = self.value(depth)

    def _number(self) -> int | float:
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            self.fail("this is no number; put text in quotes")
        if match[1] is None and match[2] is None:
            self.at = match.end()
            return int(match[0])
        number = float(match[0])
        if not math.isfinite(number):
            self.fail("this number is too large")
        self.at = match.end()
        return number

    def _constant(self) -> bool | None:
        match = _WORD.match(self.text, self.at)
        word = match[0].rstrip(".") if match else ""
        if word not in _CONSTANTS:
            self.fail("put text in quotes" if word else "a value is expected")
        self.at += len(word)
        return _CONSTANTS[word]

    def _escape(self) -> str:
        """Read what follows a backslash."""
        char = self.said[self.at : self.at + 1]
        digits = _HEX.match(self.said, self.at + 1) if char == "u" else None
        if digits is not None:
            self.at = digits.end()
            return chr(int(digits[0], 16))
        if char not in _ESCAPES:
            self.fail("after a backslash comes one of \\ / \" ' b f n r t, or u and four digits")
        self.at += 1
        return _ESCAPES[char]

    def _whole(self, string: str, start: int) -> str:
        """Join the two halves that JSON writes for one character; half of one is no text."""
        try:
            return string.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.at = start
            self.fail("this string holds half of a character")
