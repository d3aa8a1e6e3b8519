"""Tools added at run time, measured: thresholds off a curve, what became of rows, draws and bounds."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.errors import EdgefnError, ToolDefinitionError
from edgefn.outcome import Abstained, Done, Failed, NeedsArgument, Outcome, Pending, ToolCall
from edgefn.rows import Row
from edgefn.tool import Tool

ROOT = Path(__file__).parents[2]
AREA = {
    "name": "area",
    "description": "Area of a triangle.",
    "parameters": {
        "type": "object",
        "properties": {"base": {"type": "integer"}, "unit": {"type": "string"}},
        "required": ["base"],
    },
}
ASKED = {"area": {"base": [10], "unit": ["cm", ""]}}
CALL = ToolCall("area", {"base": 10}, 0.9)


@pytest.fixture(scope="module")
def bench(load_benchmark: Callable[[str], ModuleType]) -> Callable[[str], ModuleType]:
    return load_benchmark


def asks_for(parameter: str) -> NeedsArgument:
    return NeedsArgument(CALL, parameter, "?", Pending("id", "area", {}, 0.9, parameter, 0.0))


@pytest.fixture
def asked(bench: Callable[[str], ModuleType]) -> Callable[..., Any]:
    """Make one row and what became of it."""
    published, asking = bench("published"), bench("dynamic_asking")

    def make(
        score: float,
        outcome: Outcome | None = None,
        answers: Any = (ASKED,),
        tool: str | None = "area",
        **arguments: Any,
    ) -> Any:
        row = {"id": "x", "query": "area", "functions": [AREA, AREA | {"name": "other"}]}
        case = published.case_of(row | {"answers": list(answers) if isinstance(answers, tuple) else answers})
        return case, asking.Answer(tool, score, arguments, score >= 0.5, outcome or Done(CALL, None))

    return make


# ---- asking ----------------------------------------------------------------------------------------------


class Device:
    """Takes tools, but none named `bad`."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def add(self, tool: Tool) -> None:
        if tool.name == "bad":
            raise ToolDefinitionError("bad: no", hint="")
        self.names.append(tool.name)

    def remove(self, name: str) -> None:
        self.names.remove(name)


def test_tools_are_there_for_a_while_and_refused_ones_are_counted(bench: Callable[[str], ModuleType]) -> None:
    device, refused = Device(), Counter[str]()
    tools = [Tool.select_only(name, "", {"type": "object"}) for name in ("one", "bad", "two")]
    with pytest.raises(KeyError), bench("dynamic_asking").added(device, tools, refused):
        assert device.names == ["one", "two"]
        raise KeyError
    assert device.names == []
    assert sum(refused.values()) == 1


def test_a_refused_tool_is_an_error_where_nobody_counts(bench: Callable[[str], ModuleType]) -> None:
    device = Device()
    tools = [Tool.select_only(name, "", {"type": "object"}) for name in ("one", "bad")]
    with pytest.raises(ToolDefinitionError), bench("dynamic_asking").added(device, tools):
        pass
    assert device.names == []


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=50), st.floats(0.01, 1))
def test_the_threshold_is_the_strictest_that_keeps_so_much(
    bench: Callable[[str], ModuleType], values: list[float], kept: float
) -> None:
    asking, scores = bench("dynamic_asking"), np.array(values)
    threshold = asking.threshold_keeping(scores, kept)
    assert asking.reaches(scores, threshold).mean() >= kept - 1e-9
    stricter = scores[scores > threshold]
    assert len(stricter) / len(scores) < kept


def test_a_text_that_was_never_read_is_never_accepted(bench: Callable[[str], ModuleType]) -> None:
    asking = bench("dynamic_asking")
    assert asking.reaches(np.array([0.0, 0.2]), 0.0).tolist() == [False, True]
    with pytest.raises(ValueError, match="no scores"):
        asking.threshold_keeping(np.array([]), 0.9)
    assert asking.share([]) is None


# ---- published rows --------------------------------------------------------------------------------------


def test_refusing_counts_kept_rows_whatever_their_tool(
    bench: Callable[[str], ModuleType], asked: Callable[..., Any]
) -> None:
    relevant = [asked(0.9), asked(0.8), asked(0.6, tool="other"), asked(0.1)]
    irrelevant = [asked(0.7, answers=()), asked(0.2, answers=())]
    found = bench("dynamic_published").refusing(relevant, irrelevant, 0.75)
    assert found["at_kept_0.75"] == {"threshold": 0.6, "kept": 0.75, "kept_right_tool": 0.5, "irrelevant_refused": 0.5}
    assert found["at_own_threshold"] == {"kept": 0.75, "kept_right_tool": 0.5, "irrelevant_refused": 0.5}
    assert found["auroc"] == 5 / 8


def test_required_arguments_are_counted_where_the_tool_is_right(
    bench: Callable[[str], ModuleType], asked: Callable[..., Any]
) -> None:
    rows = [asked(0.9, base=10), asked(0.9, base=11), asked(0.9), asked(0.9, tool="other", base=10)]
    one_each = {"right": 1, "wrong": 1, "missing": 1}
    assert bench("dynamic_published").argument_counts(rows) == {"all": one_each, "integer": one_each}


def test_outcomes_of_incomplete_queries_are_told_apart(
    bench: Callable[[str], ModuleType], asked: Callable[..., Any]
) -> None:
    missing = {"area": ["base"]}
    outcomes = [
        asks_for("base"),
        asks_for("unit"),
        Done(CALL, None),
        Abstained("unsure"),
        Failed(CALL, EdgefnError("x", hint="")),
    ]
    found = bench("dynamic_published").incomplete_outcomes([asked(0.9, each, missing) for each in outcomes])
    assert found == {
        "rows": 5, "asked_missing": 1, "asked_holder": 0, "asked_other": 1, "ran": 1, "abstained": 1, "failed": 1,
        "asked_missing_share": 0.2,
    }  # fmt: skip


def test_questions_are_counted_over_all_rows_and_over_those_that_say_everything(
    bench: Callable[[str], ModuleType], asked: Callable[..., Any]
) -> None:
    rows = [
        asked(0.9, asks_for("base"), {"area": {"base": 10}}),
        asked(0.9, Done(CALL, None), {"area": {"base": 10}}),
        asked(0.1, Abstained("unsure"), {"area": {"base": 10}}),
        asked(0.9, asks_for("base"), {"area": {"unit": "cm"}}),
    ]
    found = bench("dynamic_published").questions(rows)
    assert (found["all"]["asked"], found["all"]["rows"], found["all"]["asked_of_accepted"]) == (2, 4, 0.6667)
    assert (found["given"]["asked"], found["given"]["rows"]) == (1, 3)
    assert found["stated"] == found["given"]


# ---- CLINC150 --------------------------------------------------------------------------------------------


def test_the_held_out_tools_are_fifty_of_the_tool_set() -> None:
    held = json.loads((ROOT / "benchmarks" / "clinc150_held_out.json").read_text(encoding="utf-8"))
    known = (ROOT / "benchmarks" / "toolsets" / "clinc150.yaml").read_text(encoding="utf-8")
    assert len(set(held)) == len(held) == 50
    assert all(f"name: {name}\n" in known for name in held)


@pytest.fixture
def clinc(bench: Callable[[str], ModuleType]) -> ModuleType:
    pytest.importorskip("scipy", reason="bounds are found with what edgefn[export] installs")
    pytest.importorskip("yaml", reason="tool sets are YAML")
    return bench("dynamic_clinc")


def test_examples_are_drawn_by_the_seed_from_rows_of_added_tools(clinc: ModuleType) -> None:
    rows = [Row(f"{name} {at}", name) for name in ("a", "b", "c") for at in range(20)]
    first = clinc.examples(rows, frozenset("ab"), 0)
    assert {name: len(set(texts)) for name, texts in first.items()} == {"a": 5, "b": 5}
    assert all(text.startswith(name) for name, texts in first.items() for text in texts)
    assert first == clinc.examples(rows[::-1], frozenset("ab"), 0) != clinc.examples(rows, frozenset("ab"), 1)


def test_numbers_of_a_draw_tell_added_tools_from_trained_ones(
    clinc: ModuleType, bench: Callable[[str], ModuleType]
) -> None:
    rows = [Row("x", "new"), Row("x", "new"), Row("x", "old"), Row("x", None), Row("x", None)]
    said = [("new", 0.9), ("old", 0.9), ("old", 0.1), ("new", 0.9), (None, 0.0)]
    answer = bench("dynamic_asking").Answer
    answers = [answer(tool, score, {}, score >= 0.5, Abstained("select_only")) for tool, score in said]
    assert clinc.numbers(rows, answers, frozenset(["new"])) == {
        "tool_accuracy_added": 0.5,
        "tool_accuracy_trained": 1.0,
        "in_scope_kept": 0.3333,
        "in_scope_kept_added": 0.5,
        "in_scope_kept_trained": 0.0,
        "out_of_scope_recall": 0.5,
    }
    calls = clinc.Calls.of(rows, answers, frozenset(["new"]))
    assert calls.right.tolist() == [True, False, False, False]
    assert calls.in_scope.tolist() == [True, True, False, False]
    assert np.isneginf(calls.log_score).tolist() == [False, True, False, True]


def test_the_spread_is_over_the_draws(clinc: ModuleType) -> None:
    found = clinc.spread([{"x": 0.5, "y": None}, {"x": 0.7, "y": None}])
    assert found["x"] == {"mean": 0.6, "stdev": 0.1414, "draws": [0.5, 0.7]}
    assert found["y"] == {"mean": None, "stdev": None, "draws": []}


def test_a_bound_holds_on_scores_that_mean_what_they_say(clinc: ModuleType) -> None:
    generator = np.random.default_rng(3)
    in_scope = np.arange(2400) < 1600
    score = generator.beta(6, 1, 2400)
    right = in_scope & (generator.random(2400) < score**0.1)
    score = np.where(in_scope, score, score / 4)
    found = clinc.exceeded([clinc.Calls(np.log(score), right, in_scope)], 0.05, splits=40)
    assert found["splits_with_a_bound"] == 40
    assert found["exceeded"] <= 0.1
    assert 0 < found["median_wrong_rate"] < 0.05
    assert clinc.exceeded([clinc.Calls(np.log(score), right & False, in_scope)], 0.05, splits=4)["exceeded"] == 0


# ---- what is kept and printed ----------------------------------------------------------------------------


def test_parts_that_were_not_measured_stay_in_the_results(bench: Callable[[str], ModuleType], tmp_path: Path) -> None:
    dynamic, path = bench("dynamic"), tmp_path / "dynamic.json"
    dynamic.keep({"scaling": {"x": 1}}, path)
    dynamic.keep({"bfcl": {"rows": 2}}, path)
    dynamic.keep({"scaling": {"x": 3}}, path)
    read = json.loads(path.read_text(encoding="utf-8"))
    assert list(read.items()) == [("bfcl", {"rows": 2}), ("scaling", {"x": 3})]


def test_rows_of_the_same_cells_are_printed_as_a_table(bench: Callable[[str], ModuleType]) -> None:
    found = {"scaling": {"sizes": {"10": {"ms": 1, "right": 0.5}, "30": {"ms": 2, "right": None}}, "rounds": 3}}
    printed = [line.split() for line in bench("dynamic").lines(found)]
    assert printed == [["scaling"], ["sizes", "ms", "right"], ["10", "1", "0.5"], ["30", "2", "None"], ["rounds", "3"]]
