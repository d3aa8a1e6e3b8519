"""The two published sets: names made legal and back, calls judged by the published rule."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
WEATHER = {
    "name": "weather.get",
    "description": "Get the weather.",
    "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "height": {"type": "number"},
            "alerts": {"type": "boolean"},
            "parts": {"type": "array", "items": {"type": "string"}},
            "span": {"type": "object", "properties": {"from": {"type": "string"}, "to": {"type": "string"}}},
        },
        "required": ["city"],
    },
}
ACCEPTED = {
    "city": ["New York, NY", "NYC"],
    "days": [3, ""],
    "height": [2, 2.5, ""],
    "alerts": [True, ""],
    "parts": [["Wind", "rain fall"], ""],
    "span": [{"from": ["May 1", "05-01"], "to": ["June", ""]}, ""],
}


@pytest.fixture(scope="module")
def bench(load_benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return load_benchmark("published")


def row(answers: Any, *functions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "x_0", "query": "how is it", "functions": list(functions or [WEATHER]), "answers": answers, **more}


def judged(bench: ModuleType, **arguments: Any) -> bool:
    case = bench.case_of(row([{"weather.get": ACCEPTED}]))
    found: bool = bench.call_right(case, "weather.get", arguments)
    return found


# ---- names -----------------------------------------------------------------------------------------------


@given(st.lists(st.text(max_size=80), max_size=6))
def test_any_names_become_legal_and_distinct_and_can_be_undone(bench: ModuleType, names: list[str]) -> None:
    legal = bench.legal_names(names)
    assert len(set(legal)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", name) for name in legal)


def test_legal_names_stay_and_two_of_one_name_are_told_apart(bench: ModuleType) -> None:
    assert bench.legal_names(["a.b-c_1", "2nd", "查询 x", "a.b-c_1"]) == ["a.b-c_1", "_2nd", "___x", "a.b-c_1_2"]


def test_an_illegal_name_is_judged_by_the_published_one(bench: ModuleType) -> None:
    function = WEATHER | {"name": "查询天气"}
    case = bench.case_of(row([{"查询天气": {"city": ["Paris"]}}], function))
    (tool,) = case.tools
    assert tool.name != "查询天气"
    assert case.is_right_tool(tool.name)
    assert bench.call_right(case, tool.name, {"city": "paris"})


def test_schemas_and_descriptions_go_through_as_they_are(bench: ModuleType) -> None:
    (tool,) = bench.case_of(row([])).tools
    assert (tool.schema, tool.description) == (WEATHER["parameters"], WEATHER["description"])
    assert tool.function is not None
    assert tool.function(**tool.bind({"city": "Paris"})) is None


def test_a_file_is_read_up_to_a_limit(bench: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row([], messages=[])) for _ in range(3)) + "\n", encoding="utf-8")
    assert len(bench.read_cases(path)) == 3
    (case,) = bench.read_cases(path, 1)
    assert case.dialogue
    assert case.calls == ()


def test_accepted_calls_are_found_in_every_published_form(bench: ModuleType) -> None:
    call = {"weather.get": {"city": "Paris"}}
    for answers in (call, [call]):
        assert bench.case_of(row(answers)).calls == (("weather.get", {"city": "Paris"}),)
    assert bench.case_of(row("There is no function for that.")).calls == ()
    assert not bench.case_of(row("There is no function for that.")).is_right_tool("weather.get")


# ---- the rule --------------------------------------------------------------------------------------------


def test_optional_parameters_may_be_left_out_where_nothing_is_among_the_accepted(bench: ModuleType) -> None:
    assert judged(bench, city="NYC")
    case = bench.case_of(row([{"weather.get": {"city": ["NYC"], "days": [3]}}]))
    assert not bench.call_right(case, "weather.get", {"city": "NYC"})
    assert bench.call_right(case, "weather.get", {"city": "NYC", "days": 3})


@pytest.mark.parametrize("city", ["NYC", "nyc", "n.y.c.", "new york ny", "New_York-NY"])
def test_strings_are_compared_without_case_spaces_and_marks(bench: ModuleType, city: str) -> None:
    assert judged(bench, city=city)


@pytest.mark.parametrize("city", ["New York City", "", 3, None, ["NYC"]])
def test_other_strings_and_other_types_are_wrong(bench: ModuleType, city: Any) -> None:
    assert not judged(bench, city=city)


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("days", 3, True),
        ("days", 3.0, False),
        ("days", "3", False),
        ("days", 4, False),
        ("height", 2, True),
        ("height", 2.0, True),
        ("height", 2.5, True),
        ("height", True, False),
        ("alerts", True, True),
        ("alerts", 1, False),
        ("alerts", False, False),
        ("parts", ["wind", "RAINFALL"], True),
        ("parts", ["rain fall", "wind"], False),
        ("parts", ["wind"], False),
        ("parts", "wind", False),
        ("span", {"from": "may 1", "to": "june"}, True),
        ("span", {"from": "0501"}, True),
        ("span", {"to": "june"}, False),
        ("span", {"from": "may 1", "by": "bus"}, False),
        ("span", "may 1", False),
    ],
)
def test_values_are_judged_by_type_and_content(bench: ModuleType, name: str, value: Any, right: bool) -> None:
    assert judged(bench, city="NYC", **{name: value}) is right


def test_a_bool_is_no_one(bench: ModuleType) -> None:
    case = bench.case_of(row([{"weather.get": {"city": ["NYC"], "days": [1]}}]))
    assert not bench.call_right(case, "weather.get", {"city": "NYC", "days": True})


def test_unknown_parameters_missing_ones_and_other_functions_are_wrong(bench: ModuleType) -> None:
    assert not judged(bench, city="NYC", wind="strong")
    assert not judged(bench, days=3)
    case = bench.case_of(row([{"weather.get": ACCEPTED}], WEATHER, WEATHER | {"name": "other"}))
    assert not bench.call_right(case, "other", {"city": "NYC"})
    assert not bench.call_right(case, None, {"city": "NYC"})


def test_a_parameter_without_accepted_values_must_be_left_out(bench: ModuleType) -> None:
    case = bench.case_of(row([{"weather.get": {"city": ["NYC"]}}]))
    assert not bench.call_right(case, "weather.get", {"city": "NYC", "days": 3})


@given(st.text())
def test_comparing_strings_does_not_depend_on_what_is_dropped(bench: ModuleType, text: str) -> None:
    assert bench.normal(text) == bench.normal(f" {text}_-") == bench.normal(bench.normal(text))


# ---- parts of calls --------------------------------------------------------------------------------------


def test_required_arguments_are_counted_by_type(bench: ModuleType) -> None:
    parameters = WEATHER["parameters"] | {"required": ["city", "days", "parts"]}
    case = bench.case_of(row([{"weather.get": ACCEPTED}], WEATHER | {"parameters": parameters}))
    found = list(bench.required_arguments(case, {"city": "NYC", "days": 4}))
    assert found == [("string", "right"), ("integer", "wrong"), ("array", "missing")]


@pytest.mark.parametrize(
    ("required", "given", "states"),
    [
        (["city"], {"city": "NYC"}, True),
        (["city", "parts"], {"city": "NYC", "parts": ["wind"]}, True),
        (["city", "days"], {"city": "NYC"}, False),
        (["span"], {"span": {"from": "May"}}, False),
        (["stops"], {"stops": [{"at": "May"}]}, False),
    ],
)
def test_a_call_states_its_arguments_where_no_object_is_required(
    bench: ModuleType, required: list[str], given: dict[str, Any], states: bool
) -> None:
    stops = {"type": "array", "items": {"type": "object", "properties": {"at": {"type": "string"}}}}
    properties = WEATHER["parameters"]["properties"] | {"stops": stops}  # type: ignore[index]
    parameters = {"type": "object", "properties": properties, "required": required}
    case = bench.case_of(row({"weather.get": given}, WEATHER | {"parameters": parameters}))
    assert bench.states_its_arguments(case) is states


def test_a_missing_parameter_is_named_or_held(bench: ModuleType) -> None:
    case = bench.case_of(row({"weather.get": ["city", "to"]}, WEATHER, WEATHER | {"name": "other"}))
    assert bench.is_missing(case, "weather.get", "city") == "named"
    assert bench.is_missing(case, "weather.get", "span") == "holder"
    assert bench.is_missing(case, "weather.get", "days") == ""
    assert bench.is_missing(case, "other", "city") == ""
