"""Home Assistant's voice commands as rows: reading, a character error in each, and the files of a training run.

Data: `home_assistant/` in the data folder (github.com/home-assistant/intents, CC BY 4.0): published test sentences, and
training sentences sampled from the published templates. A row's gold is the call of `home_assistant_tools.py`:

- names of rooms, floors and devices are those of the fixtures, whatever variant was said;
- the room that the row's context supplies and the text does not say is given to every side: it is no part of the gold,
  and a side that answers with it is not held to have said it (no template takes anything else from the context);
- domain, device class and state have no span: the same word means different values of them ("open" is on or open).
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from edgefn.export.data import drop_seen, hold_out, text_key, write_rows
from hassil import is_template, parse_sentence, sample_expression

from edgefn.rows import Row, Span, read_rows

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data" / "home_assistant"
LANGUAGES = ("en", "zh-cn")
NAMED = ("area", "floor", "name")
SUPPLIED = ("area",)
UNMARKED = frozenset({"domain", "device_class", "state"})
STATES = frozenset({"on", "off", "open", "closed", "opening", "closing", "locked", "unlocked"})
FREE = frozenset({"item", "message", "search_query", "conversation_command", "state"})
"""Parameters that take any words; `name` too, where it names a timer."""
VALID_SHARE, SEED = 0.1, 1
MORE = {"en": 16_000, "zh-cn": 9_000}
"""How many sentences are sampled for training, before those that hassil understands otherwise are dropped."""


@dataclass(frozen=True)
class Case:
    """The files of one language, as `edgefn.export.train` takes them."""

    lang: str
    """Language code."""
    folder: Path
    """Holds train, valid, valid_mistyped, test and test_mistyped, each .jsonl."""
    tools: Path
    """File of the tools."""


@cache
def house(lang: str, data: Path = DATA) -> dict[str, Any]:
    """Return the names of the fixtures as `house.json` holds them."""
    fixtures = json.loads((data / f"{lang}_fixtures.json").read_text(encoding="utf-8"))
    entities: dict[str, dict[str, Any]] = {}
    for each in fixtures["entities"]:
        name, *also = variants(each["name"])
        known = entities.setdefault(name, {"name": name, "also": also, "domains": []})
        known["domains"] = sorted({*known["domains"], each["id"].split(".")[0]})
    places = {key: dict(_named(each) for each in fixtures.get(key, ())) for key in ("areas", "floors")}
    return {**places, "entities": list(entities.values())}


def variants(name: str) -> list[str]:
    """Return what a fixture's name stands for, the longest form first: it may be a template."""
    if not is_template(name):
        return [name.strip()]
    said = {each.strip() for each in sample_expression(parse_sentence(name).expression)}
    return sorted(said, key=lambda each: (-len(each), each))


def _named(fixture: Mapping[str, Any]) -> tuple[str, list[str]]:
    name, *also = variants(fixture["name"])
    return name, also


@cache
def _canonical(lang: str, data: Path) -> dict[tuple[str, str], str]:
    """Return the name for each parameter and everything said for it, a fixture's raw template too."""
    known = house(lang, data)
    fixtures = json.loads((data / f"{lang}_fixtures.json").read_text(encoding="utf-8"))
    found = {("name", text_key(each["name"])): variants(each["name"])[0] for each in fixtures["entities"]}
    listed = {"area": known["areas"], "floor": known["floors"]}
    listed["name"] = {each["name"]: each["also"] for each in known["entities"]}
    for parameter, names in listed.items():
        for name, also in names.items():
            found |= {(parameter, text_key(form)): name for form in (name, *also)}
    return found


def resolved(arguments: Mapping[str, Any], tool: str | None, lang: str, data: Path = DATA) -> dict[str, Any]:
    """Return arguments with the names of the fixtures; a timer's name is free text."""
    known = _canonical(lang, data)
    names = [each for each in NAMED if each != "name" or "Timer" not in (tool or "")]
    return {
        key: known.get((key, text_key(value)), value) if key in names and isinstance(value, str) else value
        for key, value in arguments.items()
    }


def from_context(row: Row) -> dict[str, Any]:
    """Return the arguments that the context of a row supplies."""
    context = {key: each for key, each in (row.context or {}).items() if key in SUPPLIED}
    return {key: each["value"] if isinstance(each, Mapping) else each for key, each in context.items()}


def as_call(row: Row, lang: str, data: Path = DATA) -> Row:
    """Return a row of the data with its gold in the form of the tools."""
    row = _spelled(row, lang, data)
    said, supplied = {span[2] for span in row.spans}, resolved(from_context(row), None, lang, data)
    arguments = {
        key: value
        for key, value in resolved(row.arguments, row.tool, lang, data).items()
        if key in said or key not in supplied or supplied[key] != value
    }
    spans = tuple(span for span in row.spans if span[2] not in UNMARKED or _is_place(span[2], arguments))
    return replace(row, arguments=arguments, spans=spans)


def _spelled(row: Row, lang: str, data: Path) -> Row:
    """Return a row without template syntax in its text: the sampled rows hold the names of fixtures as they stand."""
    for raw in _templated(lang, data):
        at = row.text.find(raw)
        if at >= 0:
            name = variants(raw)[0]
            row = _edited(row, (at, at + len(raw), name, ""))
    return row


@cache
def _templated(lang: str, data: Path) -> tuple[str, ...]:
    """Return the names of the fixtures that are templates."""
    fixtures = json.loads((data / f"{lang}_fixtures.json").read_text(encoding="utf-8"))
    return tuple(each["name"] for each in fixtures["entities"] if is_template(each["name"]))


def _is_place(parameter: str, arguments: Mapping[str, Any]) -> bool:
    """Tell whether a state is where a person is: such a state is any words."""
    return parameter == "state" and arguments.get("state") not in STATES


def rows(lang: str, part: str, data: Path = DATA) -> tuple[Row, ...]:
    """Return the rows of "train", "valid" or "test"; valid is divided off the published train file by a seed."""
    published = tuple(
        as_call(row, lang, data) for row in read_rows(data / f"{lang}_{'test' if part == 'test' else 'train'}.jsonl")
    )
    if part == "test":
        return published
    train, valid = hold_out(published, VALID_SHARE, SEED)
    return {"train": train, "valid": valid}[part]


def with_character_error(row: Row, seed: int) -> Row:
    """Return a row with one letter left out, put in, replaced or swapped with the next, drawn with a seed.

    Digits and Chinese numerals stay: another one is another value. Where the error stands in free text, the gold is
    that text as it then is; a name stays what was meant. Raises ValueError for a text without a letter.
    """
    rng = random.Random(f"{seed} {row.text}")
    edits = [edit for at in range(len(row.text)) for edit in _edits(row.text, at, rng) if _fits(edit, row.spans)]
    edits = [edit for edit in edits if text_key(_apply(row.text, edit)) != text_key(row.text)]
    if not edits:
        raise ValueError(f"no letter of {row.text!r} can be mistyped")
    kind = rng.choice(sorted({edit[3] for edit in edits}))
    return _edited(row, rng.choice([edit for edit in edits if edit[3] == kind]))


Edit = tuple[int, int, str, str]
"""First character replaced, one past the last, what stands there then, and the kind of error."""
_LETTERS, _HAN = "abcdefghijklmnopqrstuvwxyz", "的是不了人我在有他这中大来上个国到说们为子和你地出道也时年"
_NUMERALS = frozenset("零一二两三四五六七八九十百半")


def _edits(text: str, at: int, rng: random.Random) -> list[Edit]:
    """Return one error of each kind at a letter; none elsewhere."""
    letter = text[at]
    if not _is_letter(letter):
        return []
    other = rng.choice(_LETTERS if letter.isascii() else _HAN)
    edits = [(at, at + 1, "", "out"), (at, at + 1, letter + other, "in"), (at, at + 1, other, "replaced")]
    if _is_letter(text[at + 1 : at + 2]):
        edits.append((at, at + 2, text[at + 1] + letter, "swapped"))
    return edits


def _is_letter(character: str) -> bool:
    return character.isalpha() and character not in _NUMERALS


def _fits(edit: Edit, spans: Iterable[Span]) -> bool:
    """Tell whether an error stands inside or outside of each span, and leaves something of it."""
    start, end, new, _ = edit
    return all(
        end <= first or start >= last or (first <= start and end <= last and (new or end - start < last - first))
        for first, last, _ in spans
    )


def _apply(text: str, edit: Edit) -> str:
    return text[: edit[0]] + edit[2] + text[edit[1] :]


def _edited(row: Row, edit: Edit) -> Row:
    """Return a row with the error in its text, and spans and free text that follow."""
    text, longer = _apply(row.text, edit), len(edit[2]) - (edit[1] - edit[0])
    spans = tuple(
        (first + longer * (edit[1] <= first), last + longer * (edit[0] < last), name) for first, last, name in row.spans
    )
    free = FREE | ({"name"} if "Timer" in (row.tool or "") else set())
    arguments = dict(row.arguments)
    for before, (start, end, name) in zip(row.spans, spans, strict=True):
        was = row.text[before[0] : before[1]]
        if name in free and text_key(str(arguments.get(name))) == text_key(was):
            arguments[name] = " ".join(text[start:end].split())
    return replace(row, text=text, spans=spans, arguments=arguments)


def mistyped(given: Sequence[Row], seed: int) -> tuple[Row, ...]:
    """Return the rows with one character error in each; a text without letters stays away."""
    return tuple(with_character_error(row, seed) for row in given if any(map(_is_letter, row.text)))


def cases(data: Path = DATA, work: Path = ROOT / ".bench", languages: Sequence[str] = LANGUAGES) -> list[Case]:
    """Write the rows and tools of each language below `work` and return where they are.

    Train: the published rows, sampled ones, and a copy of each second row with a character error. No text of valid or
    test stands in train. Rows of train and valid that the templates' own engine understands otherwise are left out.
    """
    return [_case(lang, data, work / ("home_assistant" if lang == "en" else "home_assistant_zh")) for lang in languages]


def _case(lang: str, data: Path, folder: Path) -> Case:
    from home_assistant_hassil import more_rows, understood

    folder.mkdir(parents=True, exist_ok=True)
    parts = {part: rows(lang, part, data) for part in ("train", "valid", "test")}
    parts |= {part: tuple(understood(parts[part], lang, data)) for part in ("train", "valid")}
    seen = (*parts["valid"], *parts["test"])
    train = (*parts["train"], *more_rows(lang, MORE[lang], SEED, data))
    parts["train"] = drop_seen((*train, *mistyped(train[::2], SEED + 1)), seen)
    parts["valid_mistyped"] = mistyped(parts["valid"], SEED)
    parts["test_mistyped"] = mistyped(parts["test"], SEED)
    for part, written in parts.items():
        write_rows(folder / f"{part}.jsonl", written)
    (folder / "house.json").write_text(json.dumps(house(lang, data), ensure_ascii=False), encoding="utf-8")
    shutil.copyfile(Path(__file__).with_name("home_assistant_tools.py"), folder / "tools.py")
    return Case(lang, folder, folder / "tools.py")
