"""Whether a value of a closed set is named in an utterance, word for word."""

from __future__ import annotations

import re
from functools import lru_cache

from edgefn.describing import Place, words_in

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_UNNAMED = frozenset({"true", "false"})
"""Nobody says these for a switch."""


def place_of(value: str, text: str) -> Place | None:
    """Return the characters of `text` that name `value`; None where nothing does.

    The words of the value stand beside each other; case, marks between them and plurals do not count.
    """
    wanted = "" if value in _UNNAMED else _joined(value)
    if not wanted:
        return None
    words = _words(text)
    for first, (start, _, _) in enumerate(words):
        said = ""
        for _, end, folded in words[first:]:
            said += folded
            if said == wanted:
                return start, end
            if not wanted.startswith(said):
                break
    return None


@lru_cache(maxsize=4096)
def _joined(value: str) -> str:
    return "".join(folded for _, _, folded in _words(words_in(value) or value))


@lru_cache(maxsize=64)
def _words(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return first character, one past the last and folded form of every word."""
    from edgefn.arguments.forms import fold  # sounds and pinyin come along: only who has closed parameters pays

    return tuple((each.start(), each.end(), fold(each[0]).replace(" ", "")) for each in _WORD.finditer(text))
