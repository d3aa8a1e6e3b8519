"""The kiosks' tools, templates and rows fit together, and no template gives a row that is evaluated."""

import importlib.util
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from edgefn.arguments.reader import reader_of
from edgefn.schema import Parameter
from edgefn.tool import Tool, mark_of

hassil = pytest.importorskip("hassil")

TOOLS = Path(__file__).parents[2] / "tools"
EVALUATION = ("valid", "test")
FILES = ("train", *EVALUATION, "demo")
NOW = datetime(2026, 11, 18, 10, 30)

Row = dict[str, Any]


@dataclass(frozen=True)
class Kiosk:
    """A folder of tools, templates and rows."""

    name: str
    lang: str
    required: frozenset[tuple[str, str]]
    """Tool and parameter of what a visitor has to say."""
    rows_per_tool: int
    """In scope, in each file that is evaluated."""
    out_of_scope: int
    templates: int
    """Of each tool, at least."""
    known: tuple[str, str]
    """A sentence that a template gives, and its tool."""

    @property
    def path(self) -> Path:
        return TOOLS / self.name

    @cached_property
    def sentences(self) -> dict[str, Any]:
        loaded: dict[str, Any] = yaml.safe_load((self.path / "sentences.yaml").read_text(encoding="utf-8"))
        return loaded

    @cached_property
    def intents(self) -> Any:
        return hassil.Intents.from_dict(self.sentences)

    @cached_property
    def rows(self) -> dict[str, list[Row]]:
        texts = {name: (self.path / f"{name}.jsonl").read_text(encoding="utf-8") for name in FILES}
        return {name: [json.loads(line) for line in text.splitlines()] for name, text in texts.items()}

    @cached_property
    def tools(self) -> dict[str, Tool]:
        found = [
            Tool.from_function(value)
            for path in sorted(self.path.glob("*.py"))
            for value in vars(load(path)).values()
            if callable(value) and mark_of(value)
        ]
        assert len({tool.name for tool in found}) == len(found)
        return {tool.name: tool for tool in found}

    def parameter(self, tool: str, name: str) -> Parameter:
        return next(each for each in self.tools[tool].parameters if each.name == name)


ENGLISH = Kiosk(
    "kiosk",
    "en",
    frozenset({("book_tour", "tour"), ("remind_me", "after")}),
    rows_per_tool=20,
    out_of_scope=200,
    templates=15,
    known=("Where is the nearest café?", "find_place"),
)
CHINESE = Kiosk(
    "kiosk_zh",
    "zh",
    frozenset({("remind_me", "after")}),
    rows_per_tool=24,
    out_of_scope=60,
    templates=14,
    known=("请问 水族馆 在哪里？", "find_place"),
)


@pytest.fixture(params=[ENGLISH, CHINESE], ids=lambda kiosk: kiosk.name)
def kiosk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Kiosk:
    """A kiosk whose printer, where it has one, takes no time."""
    value: Kiosk = request.param
    for tool in value.tools.values():
        module_of = getattr(tool.function, "__globals__", {})
        if "SHEET_SECONDS" in module_of:
            monkeypatch.setitem(module_of, "SHEET_SECONDS", 0)
    return value


def load(path: Path) -> ModuleType:
    """As a device loads it: by path, under a name that nobody else has, with no sibling to import."""
    spec = importlib.util.spec_from_file_location(f"_{path.parent.name}_under_test_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def words(text: str) -> list[str]:
    return re.findall(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+(?:'\w+)*", text.casefold())


def slots(sentences: dict[str, Any], body: str, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Parameters that a template names, also through its rules."""
    for reference in re.findall(r"\{([^}]+)\}", body):
        yield reference.partition(":")[2] or reference
    for rule in set(re.findall(r"<([^>]+)>", body)) - seen:
        yield from slots(sentences, sentences["expansion_rules"][rule], seen | {rule})


def blocks(kiosk: Kiosk) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every block of sentences with its tool."""
    for name, intent in kiosk.sentences["intents"].items():
        yield from ((name, block) for block in intent["data"])


# ---- tools


def test_every_tool_answers_without_what_it_does_not_require(kiosk: Kiosk) -> None:
    needed = {tool for tool, _ in kiosk.required}
    for tool in kiosk.tools.values():
        if tool.name not in needed:
            assert tool.function is not None
            answer = tool.function()
            assert isinstance(answer, str) and answer.strip(), tool.name


def test_only_what_must_be_asked_is_required(kiosk: Kiosk) -> None:
    required = {(tool.name, name) for tool in kiosk.tools.values() for name in tool.schema["required"]}
    assert required == kiosk.required
    for tool, parameter in required:
        assert kiosk.tools[tool].question_for(parameter).endswith(("?", "？"))


def test_only_the_restart_is_destructive(kiosk: Kiosk) -> None:
    assert [tool.name for tool in kiosk.tools.values() if tool.hints.destructive] == ["restart_kiosk"]


def test_rules_of_the_policy_are_of_tools_that_exist(kiosk: Kiosk) -> None:
    policy = json.loads((kiosk.path / "policy.json").read_text(encoding="utf-8"))
    assert set(policy) == {"rules"}
    assert set(policy["rules"]) <= set(kiosk.tools)
    assert all(rule["timeout"] > 0 for rule in policy["rules"].values())


# ---- templates


def test_every_tool_has_templates_and_every_template_a_tool(kiosk: Kiosk) -> None:
    assert set(kiosk.sentences["intents"]) == set(kiosk.tools)
    assert kiosk.sentences["language"] == kiosk.lang
    for name, intent in kiosk.sentences["intents"].items():
        assert sum(len(block["sentences"]) for block in intent["data"]) >= kiosk.templates, name


def test_every_slot_is_a_parameter_of_its_tool(kiosk: Kiosk) -> None:
    for name, block in blocks(kiosk):
        parameters = {parameter.name for parameter in kiosk.tools[name].parameters}
        named = {slot for sentence in block["sentences"] for slot in slots(kiosk.sentences, sentence)}
        assert named | set(block.get("slots", {})) <= parameters, (name, block["sentences"])


def test_every_list_and_rule_is_used(kiosk: Kiosk) -> None:
    sentences = [text for _, block in blocks(kiosk) for text in block["sentences"]]
    bodies = " ".join([*sentences, *kiosk.sentences["expansion_rules"].values()])
    assert {name.partition(":")[0] for name in re.findall(r"\{([^}]+)\}", bodies)} == set(kiosk.sentences["lists"])
    assert set(re.findall(r"<([^>]+)>", bodies)) == set(kiosk.sentences["expansion_rules"])


def in_lists(kiosk: Kiosk) -> Iterator[tuple[str, str, str, Any]]:
    """Tool, parameter, what is said for it and what that is worth, for every value that a template may say."""
    for name, block in blocks(kiosk):
        bodies = [*block["sentences"]]
        for body in bodies:
            bodies += [kiosk.sentences["expansion_rules"][rule] for rule in re.findall(r"<([^>]+)>", body)]
        for reference in set(re.findall(r"\{([^}]+)\}", " ".join(bodies))):
            listed, _, parameter = reference.partition(":")
            for value in kiosk.sentences["lists"][listed]["values"]:
                said, out = (value["in"], value["out"]) if isinstance(value, dict) else (value, value)
                yield name, parameter or listed, said, out


def test_values_of_templates_fit_their_tool(kiosk: Kiosk) -> None:
    for name, block in blocks(kiosk):
        bind(kiosk.tools[name], block.get("slots", {}))
    for name, parameter, _, out in in_lists(kiosk):
        bind(kiosk.tools[name], {parameter: out})


def test_values_of_templates_are_read_as_they_say(kiosk: Kiosk) -> None:
    found = {
        (name, parameter, said, out, read(kiosk.parameter(name, parameter), said))
        for name, parameter, said, out in in_lists(kiosk)
        if not re.search(r"[(\[|]", said)
    }
    assert [each for each in found if each[3] != each[4]] == []


@pytest.mark.parametrize("name", FILES)
def test_no_row_can_be_made_from_a_template(name: str, kiosk: Kiosk) -> None:
    # hassil itself ignores case and punctuation, so "Toilets, please!" counts as "toilets please".
    found = {row["text"]: hassil.recognize(row["text"], kiosk.intents) for row in kiosk.rows[name]}
    assert [text for text, result in found.items() if result is not None] == []


def test_templates_are_recognised_at_all(kiosk: Kiosk) -> None:
    text, tool = kiosk.known
    result = hassil.recognize(text, kiosk.intents)
    assert result is not None and result.intent.name == tool


# ---- rows


@pytest.mark.parametrize("name", FILES)
def test_rows_have_the_form_of_their_file(name: str, kiosk: Kiosk) -> None:
    keys = {"text", "tool"} if name == "demo" else {"text", "tool", "lang"}
    for row in kiosk.rows[name]:
        extra = {"arguments", "spans"} if row["tool"] else {"near_miss"}
        assert set(row) - {"context"} == (keys if name == "demo" else keys | extra), row
        assert row["text"] == row["text"].strip() != ""
        assert row.get("lang", kiosk.lang) == kiosk.lang


@pytest.mark.parametrize("name", FILES)
def test_every_label_is_a_tool(name: str, kiosk: Kiosk) -> None:
    labels = {row["tool"] for row in kiosk.rows[name]} - {None}
    assert labels <= set(kiosk.tools) if name == "demo" else labels == set(kiosk.tools)


@pytest.mark.parametrize("name", EVALUATION)
def test_there_are_enough_rows_in_scope(name: str, kiosk: Kiosk) -> None:
    counts = Counter(row["tool"] for row in kiosk.rows[name] if row["tool"])
    assert {tool: count for tool, count in counts.items() if count < kiosk.rows_per_tool} == {}


@pytest.mark.parametrize("name", ("train", *EVALUATION))
def test_there_are_enough_rows_out_of_scope(name: str, kiosk: Kiosk) -> None:
    near = [row["near_miss"] for row in kiosk.rows[name] if row["tool"] is None]
    assert len(near) >= kiosk.out_of_scope
    assert sum(near) * 2 >= len(near)


def test_the_demo_shows_tools_and_abstaining(kiosk: Kiosk) -> None:
    labels = [row["tool"] for row in kiosk.rows["demo"]]
    assert len(labels) >= 12
    assert None in labels
    assert len(set(labels)) >= 9


def test_the_demo_has_an_answer_after_a_question(kiosk: Kiosk) -> None:
    """Two rows in a row for one tool: the first says nothing of what is required, the second nothing else."""
    required = dict(kiosk.required)
    pairs = [(tool, answer) for tool, answer in same_tool_again(kiosk) if tool in required]
    (tool, answer), *others = pairs
    assert others == []
    assert read(kiosk.parameter(tool, required[tool]), answer) == "PT20M"


def test_the_demo_has_an_answer_before_the_dangerous_tool_runs(kiosk: Kiosk) -> None:
    answers = [answer for tool, answer in same_tool_again(kiosk) if kiosk.tools[tool].hints.destructive]
    assert answers == {"en": ["wait", "yes, go ahead"], "zh": ["不要"]}[kiosk.lang]


def same_tool_again(kiosk: Kiosk) -> list[tuple[str, str]]:
    """Return tool and text of every row of the demo whose tool is that of the row before."""
    rows = kiosk.rows["demo"]
    return [(one["tool"], two["text"]) for one, two in pairwise(rows) if one["tool"] == two["tool"] is not None]


def test_no_text_stands_twice(kiosk: Kiosk) -> None:
    counts = Counter(" ".join(words(row["text"])) for rows in kiosk.rows.values() for row in rows)
    assert [text for text, count in counts.items() if count > 1] == []


def test_no_text_is_one_word_from_a_text_of_another_file(kiosk: Kiosk) -> None:
    """Texts of four words and more, six characters in Chinese; in shorter ones one word is most of what is said."""
    least = 4 if kiosk.lang == "en" else 6
    said = {(name, tuple(words(row["text"]))) for name, rows in kiosk.rows.items() for row in rows}
    files_of: dict[tuple[str, ...], set[str]] = {}
    for name, text in said:
        files_of.setdefault(text, set()).add(name)
        for at in range(len(text)):
            files_of.setdefault((*text[:at], "*", *text[at + 1 :]), set()).add(name)
    close = set()
    for name, text in said:
        for at in range(len(text) if len(text) >= least else 0):
            replaced, left_out = (*text[:at], "*", *text[at + 1 :]), (*text[:at], *text[at + 1 :])
            if (files_of[replaced] | files_of.get(left_out, set())) - {name}:
                close.add((name, " ".join(text)))
    assert close == set()


# ---- arguments


def labelled(kiosk: Kiosk, name: str) -> list[Row]:
    return [row for row in kiosk.rows[name] if row["tool"] is not None and "arguments" in row]


def bind(tool: Tool, arguments: dict[str, Any]) -> dict[str, Any]:
    """Bind what a row gives and, for what it does not say, a value that fits."""
    asked = {"after": "PT10M", "tour": "Whale tour"}
    return tool.bind({name: asked[name] for name in tool.schema["required"]} | arguments)


def read(parameter: Parameter, text: str, now: datetime = NOW) -> Any:
    try:
        return reader_of(parameter).read(text, now).value
    except ValueError as exc:
        return exc


@pytest.mark.parametrize("name", ("train", *EVALUATION))
def test_spans_lie_in_the_text_on_word_boundaries(name: str, kiosk: Kiosk) -> None:
    for row in labelled(kiosk, name):
        text, last = row["text"], 0
        for start, end, parameter in row["spans"]:
            assert last <= start < end <= len(text), row
            assert text[start:end] == text[start:end].strip()
            assert words(text) == [*words(text[:start]), *words(text[start:end]), *words(text[end:])], row
            assert parameter in row["arguments"], row
            last = end


@pytest.mark.parametrize("name", ("train", *EVALUATION))
def test_arguments_fit_the_tool(name: str, kiosk: Kiosk) -> None:
    for row in labelled(kiosk, name):
        tool = kiosk.tools[row["tool"]]
        assert tool.function is not None
        assert tool.function(**bind(tool, row["arguments"])), row


@pytest.mark.parametrize("name", ("train", *EVALUATION))
def test_spans_are_read_as_the_arguments(name: str, kiosk: Kiosk) -> None:
    wrong = []
    for row in labelled(kiosk, name):
        now = datetime.fromisoformat(row["context"]["now"]) if "context" in row else datetime(2026, 11, 18, 23, 59)
        for start, end, parameter in row["spans"]:
            said, value = row["text"][start:end], row["arguments"][parameter]
            found = read(kiosk.parameter(row["tool"], parameter), said, now)
            if found != value:
                wrong.append((row["text"], parameter, said, value, found))
    assert wrong == []


@pytest.mark.parametrize("name", ("train", *EVALUATION))
def test_only_choices_are_given_without_words(name: str, kiosk: Kiosk) -> None:
    for row in labelled(kiosk, name):
        spanned = {parameter for _, _, parameter in row["spans"]}
        for parameter in set(row["arguments"]) - spanned:
            schema = kiosk.parameter(row["tool"], parameter).schema
            inner = schema.get("anyOf", [schema])[0]
            assert "enum" in inner or inner["type"] == "boolean", row


@pytest.mark.parametrize("name", ("train", *EVALUATION))
def test_what_is_required_is_sometimes_not_said(name: str, kiosk: Kiosk) -> None:
    for tool, parameter in kiosk.required:
        said = [parameter in row["arguments"] for row in labelled(kiosk, name) if row["tool"] == tool]
        assert 3 <= said.count(False) < said.count(True), (tool, parameter)


@pytest.mark.parametrize("name", EVALUATION)
def test_every_value_of_a_choice_stands_in_a_row(name: str, kiosk: Kiosk) -> None:
    """A value that no row has cannot be measured."""
    for tool in kiosk.tools.values():
        for parameter in tool.parameters:
            schema = parameter.schema.get("anyOf", [parameter.schema])[0]
            values = [row["arguments"].get(parameter.name) for row in kiosk.rows[name] if row["tool"] == tool.name]
            missing = set(schema.get("enum", ())) - set(values) - {parameter.default}
            assert missing == set(), (tool.name, parameter.name)
