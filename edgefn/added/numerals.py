"""Which words of an utterance may be a value of a type: "seven" may be a number, "triangle" may not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgefn.arguments.keys import choice_values, item_schema

_WORDS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands million millions
billion billions trillion dozen dozens half quarter third couple pair twice once double single first second fourth fifth
sixth seventh eighth ninth tenth both minus negative oh nil none a an
"""
_BEGINS = frozenset(_WORDS.split()) | {"-", "+", "$", "€", "£", "¥", "."}
"""What a number may begin with, figures aside."""
_GOES_ON = frozenset(_WORDS.split()) | {"and", "point", "of", "percent", "per", "cent", "k", "m", "bn", "e", *",.-/%^+"}
"""What may stand inside one."""
_FIGURE = re.compile(r"[-+$€£¥.#]*\d|[零〇一二两三四五六七八九十百千万亿半几兩萬億]")
_FIGURES = re.compile(r"\d|[零〇一二两三四五六七八九十百千万亿半几兩萬億点點分之]")

Mask = tuple[NDArray[np.bool_], NDArray[np.bool_]]
"""Which words may begin a value, and which may go on one."""


def word_masks(words: Sequence[str], schemas: Sequence[Mapping[str, Any]]) -> dict[int, Mask]:
    """Return for each schema of a number, by its index, which `words` may begin a value and which may go on one."""
    numeric = [at for at, schema in enumerate(schemas) if _is_number(schema)]
    if not numeric:
        return {}
    lowered = [word.lower() for word in words]
    begins = np.array([word in _BEGINS or _FIGURE.match(word) is not None for word in lowered], dtype=bool)
    goes_on = np.array([word in _GOES_ON or _FIGURES.search(word) is not None for word in lowered], dtype=bool)
    return dict.fromkeys(numeric, (begins, goes_on))


def _is_number(schema: Mapping[str, Any]) -> bool:
    return item_schema(schema).get("type") in ("integer", "number") and choice_values(schema) is None
