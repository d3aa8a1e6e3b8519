"""Home Assistant's template engine, hassil: the peer of the benchmark, and the source of more training sentences.

The templates and fixtures are those that the published test sentences were made with. As in Home Assistant, of several
parses the best one counts (`recognize_best`).
"""

from __future__ import annotations

import itertools
import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from edgefn.export.data import text_key, write_file
from edgefn.export.sentences import expand
from edgefn.export.templates import Templates, load_templates
from hassil import Intents, TextSlotList, recognize_best
from hassil.intents import SlotList
from home_assistant import DATA, as_call, from_context, house, resolved, variants
from home_assistant_phrases import phrases, spoken

from edgefn.evaluation import same_arguments
from edgefn.rows import Row, read_rows

COMMANDED = ("HassTurnOn", "HassTurnOff", "HassLightSet", "HassSetVolume", "HassSetPosition", "HassMediaPause")
"""Tools whose sentences a timer may carry out when its time is over."""
COMMANDS = 150
SHARE_OF_TEMPLATES = 0.75
"""A tool's share of the rows grows with this power of the number of its templates."""
POLITE = ("please {}", "{} please", "can you {}", "could you {}", "would you {}", "can you please {}", "{} for me")
"""Ways to wrap a sentence in words that the English templates skip; a question takes the first two."""
QUESTIONS = ("HassGet", "HassClimateGet", "HassTimerStatus", "HassRespond")
"""How the names of tools begin that are asked, not told."""
FEW = 30
"""A tool with fewer rows has each of them wrapped in every way."""
SHARES = {"polite": 0.08, "lower": 0.5, "words": 0.3}
"""Share of the English rows wrapped and in lower case, and of each row's numbers said in words."""


class Hassil:
    """Understands sentences of one language."""

    def __init__(self, lang: str, data: Path = DATA) -> None:
        """Read the templates and the names of the fixtures."""
        self.lang, self.data = lang, data
        self._intents = Intents.from_dict(_content(lang, data))
        self._lists = _slot_lists(lang, data)

    def call(self, row: Row) -> Row:
        """Return the text as understood, the row's context given; without a tool where no template fits.

        What the context supplies and the text does not say is left out, as in the gold.
        """
        found = recognize_best(
            "".join(row.text.split()) if self._intents.settings.ignore_whitespace else row.text,
            self._intents,
            slot_lists=self._lists,
            intent_context=dict(row.context or {}),
            best_slot_name="name",
        )
        if found is None:
            return replace(row, tool=None, arguments={}, spans=())
        given = from_context(row)
        said = {
            each.name: each.value
            for each in found.entities_list
            if each.text or each.name not in given or given[each.name] != each.value
        }
        tool = found.intent.name
        return replace(row, tool=tool, arguments=resolved(said, tool, self.lang, self.data), spans=())


@cache
def _content(lang: str, data: Path) -> dict[str, Any]:
    """Return the templates; where white space means nothing, without any.

    The templates were written for hassil 3.0, which leaves out all white space in such a language; later versions leave
    out only what stands between two CJK characters, and then "78 秒" in a template fits no sentence as it is said.
    """
    content: dict[str, Any] = json.loads((data / f"{lang}_templates.json").read_text(encoding="utf-8"))
    return content if not content.get("settings", {}).get("ignore_whitespace") else _without_spaces(content)


def _without_spaces(content: Any) -> Any:
    """Return the same content, all white space in its values keys and values, gone."""
    if isinstance(content, str):
        return "".join(content.split())
    if isinstance(content, list):
        return [_without_spaces(each) for each in content]
    if isinstance(content, dict):
        # A rule's name may hold a space; where it is used it then has none.
        return {_without_spaces(key): _without_spaces(each) for key, each in content.items()}
    return content


def _names(lang: str, data: Path) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    """Return what may be said for a room, a floor and a device: words, name, and context."""
    fixtures = json.loads((data / f"{lang}_fixtures.json").read_text(encoding="utf-8"))
    known = house(lang, data)
    found = {
        list_name: [(form, name, {}) for name, also in known[key].items() for form in (name, *also)]
        for list_name, key in (("area", "areas"), ("floor", "floors"))
    }
    found["name"] = [
        (form, variants(each["name"])[0], {"domain": each["id"].split(".")[0], **each.get("attributes", {})})
        for each in fixtures["entities"]
        for form in variants(each["name"])
    ]
    return found


def _slot_lists(lang: str, data: Path) -> dict[str, SlotList]:
    return {key: TextSlotList.from_tuples(values, False, key) for key, values in _names(lang, data).items()}


def hassil_side(rows: Iterable[Row], lang: str, data: Path = DATA) -> list[bool]:
    """Tell for each row whether hassil gives the exact call: the tool and all arguments."""
    peer = Hassil(lang, data)
    return [agrees(peer.call(row), row) for row in rows]


def agrees(call: Row, row: Row) -> bool:
    """Tell whether a call is the row's gold."""
    return call.tool == row.tool and same_arguments(call.arguments, row.arguments)


def more_rows(lang: str, count: int, seed: int, data: Path = DATA) -> tuple[Row, ...]:
    """Return about `count` rows or fewer, sampled from the templates with a seed; none has the text of a test row.

    Numbers are partly said in words, English partly in lower case and wrapped in polite words. A row that hassil
    understands otherwise than its template means is dropped.
    """
    commands = [row.text for row in _sampled(lang, COMMANDS * len(COMMANDED), seed, data, [], COMMANDED)]
    rng = random.Random(f"{seed} {lang}")
    chosen = rng.sample(commands, min(COMMANDS, len(commands)))
    plain = _sampled(lang, count, seed, data, chosen)
    sampled = [varied(row, lang, rng) for row in plain] + _of_rare_tools(plain, lang)
    seen = {text_key(row.text) for row in read_rows(data / f"{lang}_test.jsonl")}
    kept: list[Row] = []
    for row in (*understood(sampled, lang, data), *_spoken(lang)):
        if (key := text_key(row.text)) not in seen:
            seen.add(key)
            kept.append(row)
    return tuple(kept)


def _of_rare_tools(rows: Sequence[Row], lang: str) -> list[Row]:
    """Return the English rows of tools that have few of them, wrapped in every way."""
    number = Counter(row.tool for row in rows)
    return [_wrapped(row, wrap) for row in rows if lang == "en" and number[row.tool] < FEW for wrap in _polite(row)]


def _spoken(lang: str) -> list[Row]:
    """Return sentences of our own; hassil understands few of them."""
    rows = []
    for tool, text in spoken(lang):
        at = text.find("Rover")
        spans, arguments = (((at, at + 5, "name"),), {"name": "Rover"}) if at >= 0 else ((), {})
        rows.append(Row(text, tool, arguments, spans, lang))
    return rows


def understood(rows: Iterable[Row], lang: str, data: Path = DATA) -> list[Row]:
    """Return the rows that hassil understands as they are meant, in some room where it needs to know the room."""
    peer, room = Hassil(lang, data), next(iter(house(lang, data)["areas"]))
    kept = []
    for row in rows:
        alone = peer.call(row)
        call = alone if alone.tool is not None else peer.call(replace(row, context={"area": room}))
        if agrees(call, row):
            kept.append(row)
    return kept


def _sampled(
    lang: str, count: int, seed: int, data: Path, commands: Sequence[str], tools: Sequence[str] = ()
) -> list[Row]:
    """Return sampled rows as calls; a tool with more templates has more of them, by a power of their number.

    A row that glues a span to other letters, as "and26" does, is left out: words are labelled whole.
    """
    templates = _templates(lang, data, commands)
    shared = {tool: [each for each in templates.items if each.tool == tool] for tool in tools or templates.tools}
    whole = sum(len(each) ** SHARE_OF_TEMPLATES for each in shared.values())
    rows: list[Row] = []
    for items in shared.values():
        rows += expand(Templates(tuple(items)), round(count * len(items) ** SHARE_OF_TEMPLATES / whole), seed)
    return [as_call(row, lang, data) for row in rows if not _GLUED.search(_marked(row))]


_GLUED = re.compile("[0-9A-Za-z]\n[0-9A-Za-z]")


def _marked(row: Row) -> str:
    """Return the text with a line end at both ends of each span."""
    ends = sorted({end for span in row.spans for end in span[:2]})
    return "\n".join(row.text[start:end] for start, end in itertools.pairwise([0, *ends, len(row.text)]))


def _templates(lang: str, data: Path, commands: Sequence[str]) -> Templates:
    """Return the templates with names and examples for every list."""
    content = dict(_content(lang, data))
    names = {
        key: {"values": [{"in": form, "out": name, "context": context} for form, name, context in values]}
        for key, values in _names(lang, data).items()
    }
    content["lists"] = {**content["lists"], **names}
    content["wildcard_examples"] = {**phrases(lang), "timer_command": list(commands) or ["-"]}
    with tempfile.TemporaryDirectory() as folder:
        # JSON is YAML.
        path = Path(folder) / f"{lang}.yaml"
        write_file(path, json.dumps(content).encode())
        return load_templates([path])


def varied(row: Row, lang: str, rng: random.Random) -> Row:
    """Return a row said a little differently: numbers in words, lower case, polite words around it."""
    row = _numbers_in_words(row, lang, rng)
    if lang != "en":
        return row
    if rng.random() < SHARES["lower"] and len(row.text.lower()) == len(row.text):
        row = replace(row, text=row.text.lower())
    return _wrapped(row, rng.choice(_polite(row))) if rng.random() < SHARES["polite"] else row


def _polite(row: Row) -> tuple[str, ...]:
    return POLITE[:2] if (row.tool or "").startswith(QUESTIONS) else POLITE


def _wrapped(row: Row, wrap: str) -> Row:
    before, after = wrap.split("{}")
    spans = tuple((start + len(before), end + len(before), name) for start, end, name in row.spans)
    return replace(row, text=before + row.text + after, spans=spans)


def _numbers_in_words(row: Row, lang: str, rng: random.Random) -> Row:
    """Return a row with some of the numbers that fill an argument in words."""
    for start, end, _ in sorted(row.spans, reverse=True):
        digits = row.text[start:end]
        if not re.fullmatch("[0-9]{1,3}", digits) or rng.random() >= SHARES["words"]:
            continue
        words = in_words(int(digits), lang)
        longer = len(words) - len(digits)
        spans = (
            (first + longer * (first >= end), last + longer * (last >= end), other) for first, last, other in row.spans
        )
        row = replace(row, text=row.text[:start] + words + row.text[end:], spans=tuple(spans))
    return row


_ONES = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ZH = "零一二三四五六七八九"


def in_words(number: int, lang: str) -> str:
    """Return a number from 0 to 100 in words."""
    tens, ones = divmod(number, 10)
    if lang == "zh-cn":
        if number == 100:
            return "一百"
        return (_ZH[tens] if tens > 1 else "") + "十" * (tens > 0) + (_ZH[ones] if ones or not tens else "")
    if number == 100:
        return "one hundred"
    return _ONES[number] if number < 20 else " ".join([_TENS[tens - 2], *([_ONES[ones]] if ones else [])])


def summary(flags: Sequence[bool]) -> Mapping[str, float]:
    """Return the share of exact calls and how many rows it is of."""
    return {"exact_call": round(sum(flags) / len(flags), 4), "rows": len(flags)}
