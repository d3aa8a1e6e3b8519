"""Several things said in one breath."""

from __future__ import annotations

import re

_WORDS = "and also|as well as|along with|and|plus|&"
_SEPARATOR = re.compile(
    r"[;；、，\n]|,(?!(?<=\d,)\d{3}(?!\d))"  # 1,000 is one number
    rf"|(?<![^\s,;])(?:{_WORDS}|\+)(?!\S)"
    r"|(?<![温柔缓暖饱共谐总])和(?![谐睦尚])|[还還]有|以及|(?<![高脚])跟|(?<!参)[与與]",
    re.IGNORECASE,
)
_AROUND = " ,;!?，、。！？；"


def split_list(text: str) -> list[str]:
    """Cut `text` at commas, "and", "plus", 和, 还有 and the like; the items keep their words as said.

    Words side by side without a separator are one item. Empty text gives an empty list.
    """
    items = (" ".join(item.split()).strip(_AROUND).removesuffix(".") for item in _SEPARATOR.split(text))
    return [item for item in items if item]
