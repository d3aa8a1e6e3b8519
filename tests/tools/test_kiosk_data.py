"""The kiosk's tools, templates and rows fit together, and no template gives a row that is evaluated."""

import importlib.util
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from edgefn.tool import Tool, mark_of

hassil = pytest.importorskip("hassil")

KIOSK = Path(__file__).parents[2] / "tools" / "kiosk"
SENTENCES: dict[str, Any] = yaml.safe_load((KIOSK / "sentences.yaml").read_text(encoding="utf-8"))
EVALUATION = ("valid", "test")
FILES = ("train", *EVALUATION, "demo")
ROWS_PER_TOOL = 20
OUT_OF_SCOPE_ROWS = 200

Row = dict[str, Any]


def read(name: str) -> list[Row]:
    return [json.loads(line) for line in (KIOSK / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


ROWS = {name: read(name) for name in FILES}


def load(path: Path) -> ModuleType:
    """As a device loads it: by path, under a name that nobody else has, with no sibling to import."""
    spec = importlib.util.spec_from_file_location(f"_kiosk_under_test_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tools() -> dict[str, Tool]:
    values = [value for path in sorted(KIOSK.glob("*.py")) for value in vars(load(path)).values()]
    found = [Tool.from_function(value) for value in values if callable(value) and mark_of(value)]
    assert len({tool.name for tool in found}) == len(found)
    return {tool.name: tool for tool in found}


@pytest.fixture(scope="module")
def intents() -> Any:
    return hassil.Intents.from_dict(SENTENCES)


def words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.casefold())


def slots(body: str, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Parameters that a template names, also through its rules."""
    for reference in re.findall(r"\{([^}]+)\}", body):
        yield reference.partition(":")[2] or reference
    for rule in set(re.findall(r"<([^>]+)>", body)) - seen:
        yield from slots(SENTENCES["expansion_rules"][rule], seen | {rule})


# ---- tools


def test_every_tool_answers_without_arguments(tools: dict[str, Tool]) -> None:
    for tool in tools.values():
        assert tool.function is not None
        answer = tool.function()
        assert isinstance(answer, str) and answer.strip(), tool.name


def test_no_parameter_is_required(tools: dict[str, Tool]) -> None:
    assert [tool.name for tool in tools.values() if tool.schema["required"]] == []


def test_no_tool_is_destructive(tools: dict[str, Tool]) -> None:
    assert [tool.name for tool in tools.values() if tool.hints.destructive] == []


# ---- templates


def test_every_tool_has_templates_and_every_template_a_tool(tools: dict[str, Tool]) -> None:
    assert set(SENTENCES["intents"]) == set(tools)
    for name, intent in SENTENCES["intents"].items():
        assert sum(len(block["sentences"]) for block in intent["data"]) >= 15, name


def test_every_slot_is_a_parameter_of_its_tool(tools: dict[str, Tool]) -> None:
    for name, intent in SENTENCES["intents"].items():
        parameters = {parameter.name for parameter in tools[name].parameters}
        for block in intent["data"]:
            named = {slot for sentence in block["sentences"] for slot in slots(sentence)}
            assert named | set(block.get("slots", {})) <= parameters, (name, block["sentences"])


def test_every_list_and_rule_is_used() -> None:
    sentences = [
        text for intent in SENTENCES["intents"].values() for block in intent["data"] for text in block["sentences"]
    ]
    bodies = " ".join([*sentences, *SENTENCES["expansion_rules"].values()])
    assert {name.partition(":")[0] for name in re.findall(r"\{([^}]+)\}", bodies)} == set(SENTENCES["lists"])
    assert set(re.findall(r"<([^>]+)>", bodies)) == set(SENTENCES["expansion_rules"])


def test_values_of_templates_fit_their_tool(tools: dict[str, Tool]) -> None:
    for name, intent in SENTENCES["intents"].items():
        for block in intent["data"]:
            tools[name].bind(block.get("slots", {}))
            for reference in re.findall(r"\{([^}]+)\}", " ".join(block["sentences"])):
                listed, _, parameter = reference.partition(":")
                for value in SENTENCES["lists"][listed]["values"]:
                    out = value["out"] if isinstance(value, dict) else value
                    tools[name].bind({parameter or listed: out})


@pytest.mark.parametrize("name", FILES)
def test_no_row_can_be_made_from_a_template(name: str, intents: Any) -> None:
    # hassil itself ignores case and punctuation, so "Toilets, please!" counts as "toilets please".
    found = {row["text"]: hassil.recognize(row["text"], intents) for row in ROWS[name]}
    assert [text for text, result in found.items() if result is not None] == []


def test_templates_are_recognised_at_all(intents: Any) -> None:
    result = hassil.recognize("Where is the nearest café?", intents)
    assert result is not None and result.intent.name == "find_place"


# ---- rows


@pytest.mark.parametrize("name", FILES)
def test_rows_have_the_form_of_their_file(name: str) -> None:
    keys = {"text", "tool"} if name == "demo" else {"text", "tool", "lang"}
    for row in ROWS[name]:
        extra = {"arguments", "spans"} if row["tool"] else {"near_miss"}
        assert set(row) == (keys if name == "demo" else keys | extra), row
        assert row["text"] == row["text"].strip() != ""
        assert row.get("lang", "en") == "en"


@pytest.mark.parametrize("name", FILES)
def test_every_label_is_a_tool(name: str, tools: dict[str, Tool]) -> None:
    labels = {row["tool"] for row in ROWS[name]} - {None}
    assert labels <= set(tools) if name == "demo" else labels == set(tools)


@pytest.mark.parametrize("name", EVALUATION)
def test_there_are_enough_rows_in_scope(name: str) -> None:
    counts = Counter(row["tool"] for row in ROWS[name] if row["tool"])
    assert {tool: count for tool, count in counts.items() if count < ROWS_PER_TOOL} == {}


@pytest.mark.parametrize("name", ("train", *EVALUATION))
def test_there_are_enough_rows_out_of_scope(name: str) -> None:
    near = [row["near_miss"] for row in ROWS[name] if row["tool"] is None]
    assert len(near) >= OUT_OF_SCOPE_ROWS
    assert sum(near) * 2 >= len(near)


def test_the_demo_shows_tools_and_abstaining() -> None:
    labels = [row["tool"] for row in ROWS["demo"]]
    assert labels.count(None) == 3
    assert len(set(labels)) == 10


def test_no_text_stands_twice() -> None:
    counts = Counter(" ".join(words(row["text"])) for rows in ROWS.values() for row in rows)
    assert [text for text, count in counts.items() if count > 1] == []


def test_no_text_is_one_word_from_a_text_of_another_file() -> None:
    """Texts of four words and more; in shorter ones a single word is most of what is said."""
    said = {(name, tuple(words(row["text"]))) for name, rows in ROWS.items() for row in rows}
    files_of: dict[tuple[str, ...], set[str]] = {}
    for name, text in said:
        files_of.setdefault(text, set()).add(name)
        for at in range(len(text)):
            files_of.setdefault((*text[:at], "*", *text[at + 1 :]), set()).add(name)
    close = set()
    for name, text in said:
        for at in range(len(text) if len(text) >= 4 else 0):
            replaced, left_out = (*text[:at], "*", *text[at + 1 :]), (*text[:at], *text[at + 1 :])
            if (files_of[replaced] | files_of.get(left_out, set())) - {name}:
                close.add((name, " ".join(text)))
    assert close == set()


@pytest.mark.parametrize("name", FILES)
def test_arguments_and_spans_fit_the_tool_and_the_text(name: str, tools: dict[str, Tool]) -> None:
    for row in ROWS[name]:
        if row["tool"] is None or "arguments" not in row:
            continue
        tool, text, arguments = tools[row["tool"]], row["text"], row["arguments"]
        spans = {parameter: text[start:end] for start, end, parameter in row["spans"]}
        assert len(spans) == len(row["spans"]) and set(spans) <= set(arguments), row
        for parameter, said in spans.items():
            assert said == said.strip() != ""
            schema = next(each.schema for each in tool.parameters if each.name == parameter)
            if {"type": "string"} in (schema, schema.get("anyOf", [None])[0]):
                assert arguments[parameter] == said, row
        assert tool.function is not None
        assert tool.function(**tool.bind(arguments)), row


@pytest.mark.parametrize("name", EVALUATION)
def test_every_value_of_a_choice_stands_in_a_row(name: str, tools: dict[str, Tool]) -> None:
    """A value that no row has cannot be measured."""
    for tool in tools.values():
        for parameter in tool.parameters:
            schema = parameter.schema.get("anyOf", [parameter.schema])[0]
            values = [row["arguments"].get(parameter.name) for row in ROWS[name] if row["tool"] == tool.name]
            missing = set(schema.get("enum", ())) - set(values) - {parameter.default}
            assert missing == set(), (tool.name, parameter.name)
