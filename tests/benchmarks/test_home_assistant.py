"""The Home Assistant rows, tools and peer, on a house of three names, and on the published data where it is there."""

import importlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.registry import Registry
from edgefn.rows import Row, read_rows

pytest.importorskip("hassil", reason="the benchmark's peer is hassil: pip install hassil")

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT.parent / "shared" / "data" / "home_assistant"
published = pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"the data is not at {PUBLISHED}")

FIXTURES = {
    "areas": [{"name": "Kitchen", "id": "kitchen"}, {"name": "Guest Room", "id": "guest"}],
    "entities": [
        {"name": "Joe[']s Lamp", "id": "light.joe", "area": "kitchen", "state": "on"},
        {"name": "Front Door", "id": "lock.front", "state": "locked"},
    ],
}
TEMPLATES = {
    "language": "en",
    "intents": {
        "HassTurnOn": {
            "data": [
                {"sentences": ["turn on [the] {name}"], "requires_context": {"domain": "light"}},
                {"sentences": ["lights on in {area}"], "slots": {"domain": "light"}},
                {
                    "sentences": ["lights on"],
                    "slots": {"domain": "light"},
                    "requires_context": {"area": {"slot": True}},
                },
            ]
        },
        "HassGetState": {"data": [{"sentences": ["is the {name} {lock_states:state}"], "slots": {"domain": "lock"}}]},
        "HassStartTimer": {"data": [{"sentences": ["timer for {minutes} minutes (named|called) {timer_name:name}"]}]},
    },
    "lists": {
        "minutes": {"range": {"from": 1, "to": 90}},
        "timer_name": {"wildcard": True},
        "lock_states": {"values": [{"in": "[securely] locked", "out": "locked"}, "unlocked"]},
    },
    "expansion_rules": {},
    "skip_words": ["please"],
}
TEST = [
    {"text": "lights on", "tool": "HassTurnOn", "arguments": {"domain": "light", "area": "Kitchen"}},
    {
        "text": "turn on joes lamp",
        "tool": "HassTurnOn",
        "arguments": {"name": "Joes Lamp"},
        "spans": [[8, 17, "name"]],
    },
]
TRAIN = [
    {
        "text": f"turn on Joe[']s Lamp {'please ' * times}".strip(),
        "tool": "HassTurnOn",
        "arguments": {"name": "Joe[']s Lamp"},
        "spans": [[8, 20, "name"]],
    }
    for times in range(20)
]


@pytest.fixture(scope="module")
def bench(load_benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return load_benchmark("home_assistant")


@pytest.fixture(scope="module")
def peer(bench: ModuleType) -> ModuleType:
    return importlib.import_module("home_assistant_hassil")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    test = [TEST[0] | {"context": {"area": "Kitchen"}}, TEST[1]]
    for name, content in (("fixtures", FIXTURES), ("templates", TEMPLATES)):
        (folder / f"en_{name}.json").write_text(json.dumps(content), encoding="utf-8")
    for name, rows in (("train", TRAIN), ("test", test)):
        (folder / f"en_{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


def test_names_are_those_of_the_fixtures_and_what_context_supplies_is_given(bench: ModuleType, data: Path) -> None:
    from_room, named = bench.rows("en", "test", data)
    assert from_room.arguments == {"domain": "light"}
    assert from_room.context == {"area": "Kitchen"}
    assert named.arguments == {"name": "Joe's Lamp"}


def test_sampled_rows_lose_template_syntax_and_valid_is_apart(bench: ModuleType, data: Path) -> None:
    train, valid = bench.rows("en", "train", data), bench.rows("en", "valid", data)
    assert len(train) + len(valid) == len(TRAIN)
    assert not {row.text for row in train} & {row.text for row in valid}
    assert all(row.text[start:end] == "Joe's Lamp" for row in (*train, *valid) for start, end, _ in row.spans)


def test_the_peer_gives_the_calls_as_written_and_not_with_an_error(
    bench: ModuleType, peer: ModuleType, data: Path
) -> None:
    rows = bench.rows("en", "test", data)
    assert peer.hassil_side(rows, "en", data) == [True, True]
    assert peer.hassil_side([replace(rows[1], text="turm on joes lamp")], "en", data) == [False]


def test_sampled_rows_mean_what_the_peer_understands(bench: ModuleType, peer: ModuleType, data: Path) -> None:
    rows = peer.more_rows("en", 120, 3, data)
    understood = [row for row in rows if row.tool in ("HassTurnOn", "HassGetState", "HassStartTimer")]
    assert understood == peer.understood(understood, "en", data)
    assert {row.tool for row in understood} == {"HassTurnOn", "HassGetState", "HassStartTimer"}
    assert rows == peer.more_rows("en", 120, 3, data)
    assert not {row.text.casefold() for row in rows} & {row["text"] for row in TEST}
    states = [row for row in understood if row.tool == "HassGetState"]
    assert {row.arguments["state"] for row in states} == {"locked", "unlocked"}
    assert {span[2] for row in states for span in row.spans} == {"name"}


@given(
    st.text(alphabet="abc de8灯开关", min_size=1, max_size=20), st.integers(0, 5), st.integers(1, 5), st.integers(0, 3)
)
def test_one_error_changes_letters_alone_and_moves_the_spans(
    bench: ModuleType, text: str, start: int, length: int, seed: int
) -> None:
    spans = ((start, min(start + length, len(text)), "item"),) if text[start : start + length].strip() else ()
    arguments = dict((name, " ".join(text[first:last].split())) for first, last, name in spans)
    row = Row(text, "HassListAddItem", arguments, spans, "en")
    try:
        wrong = bench.with_character_error(row, seed)
    except ValueError:
        return
    assert wrong == bench.with_character_error(row, seed)
    assert wrong.text.casefold().split() != text.casefold().split()
    assert abs(len(wrong.text) - len(text)) <= 1
    assert [char for char in wrong.text if char.isdigit()] == [char for char in text if char.isdigit()]
    for first, last, name in wrong.spans:
        assert wrong.arguments[name] == " ".join(wrong.text[first:last].split())


def test_an_error_in_a_name_leaves_what_was_meant(bench: ModuleType) -> None:
    row = Row("Kitchen", "HassMediaPause", {"area": "Kitchen"}, ((0, 7, "area"),), "en")
    wrong = [bench.with_character_error(row, seed) for seed in range(8)]
    assert all(each.arguments == row.arguments and each.text != row.text for each in wrong)
    assert all(each.spans == ((0, len(each.text), "area"),) for each in wrong)


def test_without_a_letter_there_is_nothing_to_mistype(bench: ModuleType) -> None:
    with pytest.raises(ValueError, match="no letter"):
        bench.with_character_error(Row("12 !", "HassNevermind"), 0)


def test_numbers_in_words(peer: ModuleType) -> None:
    assert [peer.in_words(each, "en") for each in (0, 13, 40, 99, 100)] == [
        *("zero", "thirteen", "forty", "ninety nine", "one hundred")
    ]
    assert [peer.in_words(each, "zh-cn") for each in (0, 9, 10, 15, 40, 99, 100)] == [
        *("零", "九", "十", "十五", "四十", "九十九", "一百")
    ]


def test_cases_write_rows_and_tools_that_load(
    bench: ModuleType, peer: ModuleType, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(bench.MORE, "en", 90)
    (case,) = bench.cases(data, tmp_path, ["en"])
    parts = {path.stem: read_rows(path) for path in case.folder.glob("*.jsonl")}
    assert parts.keys() == {"train", "valid", "valid_mistyped", "test", "test_mistyped"}
    seen = {row.text.casefold() for part in ("valid", "test") for row in parts[part]}
    assert not seen & {row.text.casefold() for row in parts["train"]}
    registry = Registry.load(case.tools)
    assert registry.broken == ()
    assert {"area", "name", "domain"} <= {each.name for each in registry["HassTurnOn"].parameters}
    assert_fits(registry, parts["train"])


def assert_fits(registry: Registry, rows: Any) -> None:
    """Every argument of every row is one that its tool takes."""
    for row in rows:
        registry[row.tool].bind(row.arguments)


@published
@pytest.mark.parametrize("lang", ["en", "zh-cn"])
def test_published_rows_fit_the_tools_and_the_peer_understands_them(
    bench: ModuleType, peer: ModuleType, lang: str
) -> None:
    rows = bench.rows(lang, "train")
    assert_fits(Registry.load(ROOT / "benchmarks" / "home_assistant_tools.py"), rows)
    sample = rows[:: len(rows) // 150]
    assert len(peer.understood(sample, lang)) >= 0.9 * len(sample)
