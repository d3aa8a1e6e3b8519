"""What belongs together in an utterance: an id, an address, a formula, what stands in quotes.

A row made from a description finds words less surely than a trained one. Words that nothing divides are taken or left
together: "IT-660210" is never "660210", and a quoted sentence never half of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from edgefn.words import Word, is_chinese

_QUOTED = re.compile(
    r"\"([^\"]{1,200})\"|“([^”]{1,200})”|«([^»]{1,200})»|(?<!\w)['‘]([^'‘’]{1,200})['’](?!\w)|「([^」]{1,200})」"
)
_RUN = re.compile(r"\S+")
_OPENING, _CLOSING = "([{\"'“‘<*", ".,;:!?)]}\"'”’>*…"
_OWNER = re.compile(r"['’]s$")
_DIVIDES = re.compile(
    r"(?<=\d)-(?=[A-Za-z]{3})"  # 10-minute
    r"|,(?!\d{3}(?!\d))|(?<!\d),"  # [3,5,7], but not 1,250
    r"|(?<=[A-Za-z]{2})[=:](?=[-+$€£]?\d)"  # base=10
    r"|[;|]"
)


def chunks(text: str, words: Sequence[Word]) -> list[list[int]]:
    """Return the words of `text`, as indexes, in groups that belong together, in order."""
    found: list[list[int]] = []
    reached = 0
    for start, end in _places(text):
        inside = [at for at in range(reached, len(words)) if words[at].start < end]
        before = [at for at in inside if words[at].start < start]
        found += [[at] for at in before]
        if len(inside) > len(before):
            found.append(inside[len(before) :])
        reached += len(inside)
    return found + [[at] for at in range(reached, len(words))]


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Yield the characters of every chunk."""
    reached = 0
    for quoted in _QUOTED.finditer(text):
        yield from _runs(text, reached, quoted.start())
        yield quoted.start(quoted.lastindex or 0), quoted.end(quoted.lastindex or 0)
        reached = quoted.end()
    yield from _runs(text, reached, len(text))


def _runs(text: str, first: int, last: int) -> Iterator[tuple[int, int]]:
    for run in _RUN.finditer(text, first, last):
        if any(map(is_chinese, run[0])):
            continue  # nothing divides Chinese words
        start = run.start()
        for mark in (*_DIVIDES.finditer(run[0]), None):
            end = run.end() if mark is None else run.start() + mark.start()
            inner = _bare(text, start, end)
            if inner[0] < inner[1]:
                yield inner
            start = end if mark is None else run.start() + mark.end()


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the place without the marks around it; a bracket stays that closes one inside."""
    while start < end and text[start] in _OPENING:
        start += 1
    while start < end and text[end - 1] in _CLOSING:
        if text[end - 1] in ")]}" and text.count("([{"[")]}".index(text[end - 1])], start, end):
            break
        end -= 1
    owner = _OWNER.search(text, start, end)
    return start, owner.start() if owner else end
