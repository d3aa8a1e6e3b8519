"""How well names are found: `python benchmarks/names.py [--draws 2] [--seed 0] [--own] [--json]`.

The list has 500 names, 350 English and 150 Chinese: our own in tests/arguments/names/listed.txt, and the areas, floors
and entities of Home Assistant's test fixtures in ../shared/data/home_assistant (github.com/home-assistant/intents,
CC BY 4.0), each name once and without those that are templates. Where that folder is absent, or with --own, the list
has our own names only.

    one_edit    a random character edit in a name on the list; the share recovered to that name (wanted: at least 0.97)
    two_edits   two of them (at least 0.90)
    alike       what a recogniser might write for a name on the list; the share recovered (at least 0.92)
    unlisted    names that are not on the list; the share that matched one all the same (at most 0.03)

An edit inserts, deletes, substitutes or exchanges, each as likely, anywhere in the name. Letters put in are a-z, or
the 3,755 characters of the first level of GB 2312. Everything is divided into halves; costs and limits were chosen on
`dev`. Edits that happen to make another name of the list count as errors. Last come microseconds of processor time
for one look-up.

Two edits leave one character of a Chinese name of three and hardly one of a name of two, so that two_edits is met in
English only. Limits loose enough for Chinese matched too many names that are not on the list.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, TypeAlias

from edgefn.arguments.marks import Among
from edgefn.arguments.names import Match, find
from edgefn.arguments.normal import is_chinese
from edgefn.machine import this_machine

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "arguments" / "names"
FIXTURES = ROOT.parent / "shared" / "data" / "home_assistant"
WANTED = {"one_edit": 0.97, "two_edits": 0.90, "alike": 0.92, "unlisted": 0.03}
PARTS = ("dev", "test")
_SPLIT_SEED = 11
_TEMPLATE = frozenset("[](){}<>|")
_LATIN = "abcdefghijklmnopqrstuvwxyz"
_CHINESE = "".join(
    bytes((row, cell)).decode("gb2312", errors="ignore") for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)
)
Halves: TypeAlias = dict[str, list[str]]
"""Lines of each part."""
Hits: TypeAlias = dict[str, dict[str, list[bool]]]
"""By language and number: whether each text was found or, of those that are not on the list, matched."""


def lines(file: str) -> Halves:
    """Return the lines of a file of names by the heading that they are under: "# dev" or "# test"."""
    found: Halves = {part: [] for part in PARTS}
    part = ""
    for line in (DATA / file).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            found[part].append(line)
        elif line[2:] in PARTS:
            part = line[2:]
    return found


def fixtures() -> Halves:
    """Return the names of the fixtures, divided by a seed; none where their folder is absent."""
    names = set()
    for file in (FIXTURES / f"{lang}_fixtures.json" for lang in ("en", "zh-cn")):
        read = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        names |= {each["name"].strip() for key in ("areas", "floors", "entities") for each in read.get(key, ())}
    whole = sorted(name for name in names if not _TEMPLATE & set(name))
    random.Random(_SPLIT_SEED).shuffle(whole)
    return {"dev": whole[::2], "test": whole[1::2]}


def listed(own: bool) -> Halves:
    """Return the names that are on the list."""
    ours, others = lines("listed.txt"), {} if own else fixtures()
    return {part: ours[part] + others.get(part, []) for part in PARTS}


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


def texts(names: Halves, part: str, draws: int, seed: int) -> Iterator[tuple[str, str, str]]:
    """Yield which number a text counts for, the name behind it and the text."""
    draw = random.Random(f"{seed} {part}")
    for name in names[part]:
        for _ in range(draws):
            yield "one_edit", name, edited(name, 1, draw)
            yield "two_edits", name, edited(name, 2, draw)
    known = {name for some in names.values() for name in some}
    for line in lines("alike.txt")[part]:
        name, said = line.split("\t")
        if name in known:
            yield "alike", name, said
    for name in lines("unlisted.txt")[part]:
        yield "unlisted", name, name


def measure(names: Halves, parts: Sequence[str] = PARTS, draws: int = 2, seed: int = 0) -> dict[str, Any]:
    """Return the four shares for the whole and for each part: all names, and those of each language."""
    current = Among([name for some in names.values() for name in some]).current()
    counted: dict[str, Hits] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for part in parts:
        for number, name, said in texts(names, part, draws, seed):
            found = find(said, current)
            hit = isinstance(found, Match) and (number == "unlisted" or found.name == name)
            for where in ("whole", part):
                for language in ("all", "zh" if is_chinese(name) else "en"):
                    counted[where][language][number].append(hit)
    return {
        where: {
            language: {number: round(sum(hits) / len(hits), 4) for number, hits in numbers.items()}
            for language, numbers in sorted(languages.items())
        }
        for where, languages in counted.items()
    }


def speed(names: Halves, rounds: int = 100) -> dict[str, float]:
    """Return the median microseconds of processor time of a look-up among all names, by how it ends."""
    whole = [name for some in names.values() for name in some]
    among = Among(whole)
    current = among.current()
    draw = random.Random(0)
    said: dict[str, list[str]] = {
        "exact": draw.choices(whole, k=rounds),
        "normalised": [f"the {name.upper()}" for name in draw.choices(whole, k=rounds)],
        "one_edit": [edited(name, 1, draw) for name in draw.choices(whole, k=rounds)],
        "unlisted": draw.choices(lines("unlisted.txt")["dev"], k=rounds),
    }
    found = {way: median(_timed(lambda text=text: find(text, current)) for text in some) for way, some in said.items()}
    return found | {"asking_the_list": median(_timed(among.current) for _ in range(rounds))}


def _timed(call: Callable[[], object]) -> float:
    begin = process_time()
    call()
    return round((process_time() - begin) * 1e6, 1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2, help="edited texts per name and number of edits")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--own", action="store_true", help="without the names of the fixtures")
    parser.add_argument("--part", choices=PARTS, help="one half only")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not given.own and not FIXTURES.exists():
        print("no ../shared/data/home_assistant: measured on our own names only", file=sys.stderr)
    names = listed(given.own)
    shares = measure(names, [given.part] if given.part else PARTS, given.draws, given.seed)
    count, microseconds = sum(map(len, names.values())), speed(names)
    if given.json:
        result = {"names": count, "draws": given.draws, "seed": given.seed, "wanted": WANTED}
        about = {"date": datetime.now(UTC).date().isoformat(), "machine": this_machine().to_json()}
        json.dump(about | result | {"shares": shares, "microseconds": microseconds}, sys.stdout, indent=2)
        print()
        return
    print(f"{f'{count} names':12}" + "".join(f"{number:>12}" for number in WANTED))
    print(f"{'wanted':12}" + "".join(f"{share:12.1%}" for share in WANTED.values()))
    for where, languages in shares.items():
        for language, numbers in languages.items():
            print(f"{where + ' ' + language:12}" + "".join(f"{numbers[number]:12.1%}" for number in WANTED))
    print("microseconds: " + ", ".join(f"{way} {taken}" for way, taken in microseconds.items()))


if __name__ == "__main__":
    main()
