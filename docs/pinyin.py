"""Write edgefn/arguments/pinyin.txt: `pip install pypinyin && python docs/pinyin.py edgefn/arguments/pinyin.txt`.

The characters are those of GB 2312 (6,763 simplified) and of the first level of Big5 (5,401 traditional), both from
Python's own codecs. The readings are pypinyin's first ones, without tone; pypinyin is MIT-licensed
(Copyright (c) 2016 mozillazg and others, github.com/mozillazg/python-pinyin) and needed only here.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from pypinyin import Style, pinyin

_HEADER = """\
# First reading of each character, without tone, ü as v: syllable, TAB, characters. Made by docs/pinyin.py
# with pypinyin {version} (MIT License; pinyin.LICENSE.txt has its notice).
"""


def common() -> Iterator[str]:
    """Yield every character of GB 2312, rows 16 to 87, and of Big5, A440 to C67E."""
    for first, lowest, codec in ((range(0xB0, 0xF8), 0xA1, "gb2312"), (range(0xA4, 0xC7), 0x40, "big5")):
        for lead in first:
            for trail in range(lowest, 0xFF):
                if codec == "big5" and (lead, trail) > (0xC6, 0x7E):
                    return
                yield from bytes((lead, trail)).decode(codec, errors="ignore")


def main(path: str) -> None:
    """Group the characters by syllable and write them."""
    groups: dict[str, set[str]] = defaultdict(set)
    for character in common():
        if "\u4e00" <= character <= "\u9fff":
            syllable = pinyin(character, style=Style.NORMAL, heteronym=False, v_to_u=False)[0][0]
            groups[syllable].add(character)
    lines = [f"{syllable}\t{''.join(sorted(groups[syllable]))}\n" for syllable in sorted(groups)]
    Path(path).write_text(_HEADER.format(version=version("pypinyin")) + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
