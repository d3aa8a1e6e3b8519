"""How well names are found: `python benchmarks/names.py [--draws 3] [--seed 0] [--json]`.

On the lists in tests/arguments/names, 350 English and 150 Chinese names each:

    one_edit    a random character edit in a name on the list; the share recovered to that name (wanted: at least 0.97)
    two_edits   two of them (at least 0.90)
    alike       what a recogniser might write for a name on the list; the share recovered (at least 0.92)
    unlisted    names that are not on the list; the share that matched one all the same (at most 0.03)

An edit inserts, deletes, substitutes or exchanges, each as likely, anywhere in the name. Letters put in are a-z, or
the 3,755 characters of the first level of GB 2312. Every part is divided into halves; costs and limits were chosen on
`dev`. Edits that happen to make another name of the list count as errors. Last come microseconds for one look-up
among the 500.

Two edits leave one character of a Chinese name of three and hardly one of a name of two, so that two_edits is met in
English only: limits loose enough for Chinese matched 17 % of the Chinese names that are not on the list (dev).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from edgefn.arguments.names import Among, Match, find
from edgefn.arguments.normal import is_chinese

DATA = Path(__file__).resolve().parent.parent / "tests" / "arguments" / "names"
WANTED = {"one_edit": 0.97, "two_edits": 0.90, "alike": 0.92, "unlisted": 0.03}
_SPLIT_SEED = 11
_LATIN = "abcdefghijklmnopqrstuvwxyz"
_CHINESE = "".join(
    bytes((row, cell)).decode("gb2312", errors="ignore") for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)
)
Pair = tuple[str, str]
"""A name, and what was said for it."""


def lines(file: str) -> list[str]:
    """Return the lines of a file of names without its comments."""
    return [line for line in (DATA / file).read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def half(items: Sequence[Any], part: str) -> list[Any]:
    """Return the `dev` or the `test` half of a list, or its `whole`."""
    shuffled = list(items)
    random.Random(_SPLIT_SEED).shuffle(shuffled)
    middle = len(shuffled) // 2
    return {"dev": shuffled[:middle], "test": shuffled[middle:], "whole": shuffled}[part]


def edited(name: str, times: int, draw: random.Random) -> str:
    """Return the name after random character edits."""
    letters = _CHINESE if is_chinese(name) else _LATIN
    for _ in range(times):
        before = name
        while name == before or not name.strip():
            at = draw.randrange(len(before))
            name = draw.choice((
                before[:at] + draw.choice(letters) + before[at:],
                before[:at] + before[at + 1 :],
                before[:at] + draw.choice(letters) + before[at + 1 :],
                before[:at] + before[at + 1 : at + 2] + before[at] + before[at + 2 :],
            ))  # fmt: skip
    return name


def pairs(part: str, draws: int, seed: int) -> Iterator[tuple[str, Pair]]:
    """Yield which number a text counts for, and the text with the name behind it."""
    draw = random.Random(seed)
    for name in half(lines("listed.txt"), part):
        for _ in range(draws):
            yield "one_edit", (name, edited(name, 1, draw))
            yield "two_edits", (name, edited(name, 2, draw))
    for line in half(lines("alike.txt"), part):
        name, said = line.split("\t")
        yield "alike", (name, said)
    for name in half(lines("unlisted.txt"), part):
        yield "unlisted", (name, name)


def measure(part: str, draws: int = 3, seed: int = 0) -> dict[str, dict[str, float]]:
    """Return the four shares for all names of a part, and for those of each language."""
    names = Among(lines("listed.txt")).current()
    counted: dict[str, dict[str, list[bool]]] = {}
    for number, (name, said) in pairs(part, draws, seed):
        found = find(said, names)
        hit = isinstance(found, Match) and (number == "unlisted" or found.name == name)
        for language in ("all", "zh" if is_chinese(name) else "en"):
            counted.setdefault(language, {}).setdefault(number, []).append(hit)
    return {
        language: {number: round(sum(hits) / len(hits), 4) for number, hits in numbers.items()}
        for language, numbers in sorted(counted.items())
    }


def speed(rounds: int = 200) -> dict[str, float]:
    """Return the median microseconds of a look-up among all names, by how it ends."""
    listed = lines("listed.txt")
    among = Among(listed)
    names = among.current()
    draw = random.Random(0)
    texts: dict[str, list[str]] = {
        "exact": draw.choices(listed, k=rounds),
        "normalised": [f"the {name.upper()}" for name in draw.choices(listed, k=rounds)],
        "one_edit": [edited(name, 1, draw) for name in draw.choices(listed, k=rounds)],
        "unlisted": draw.choices(lines("unlisted.txt"), k=rounds),
    }
    found = {way: median(_timed(lambda text=text: find(text, names)) for text in some) for way, some in texts.items()}
    return found | {"asking_the_list": median(_timed(among.current) for _ in range(rounds))}


def _timed(call: Callable[[], object]) -> float:
    begin = perf_counter()
    call()
    return round((perf_counter() - begin) * 1e6, 1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=3, help="edited texts per name")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    result = {part: measure(part, given.draws, given.seed) for part in ("whole", "dev", "test")}
    microseconds = speed()
    if given.json:
        json.dump({"wanted": WANTED, "shares": result, "microseconds": microseconds}, sys.stdout, indent=2)
        print()
        return
    print(f"{'':12}" + "".join(f"{number:>12}" for number in WANTED))
    print(f"{'wanted':12}" + "".join(f"{share:12.1%}" for share in WANTED.values()))
    for part, languages in result.items():
        for language, shares in languages.items():
            print(f"{part + ' ' + language:12}" + "".join(f"{shares[number]:12.1%}" for number in WANTED))
    print("microseconds: " + ", ".join(f"{way} {taken}" for way, taken in microseconds.items()))


if __name__ == "__main__":
    main()
