"""What is wrong with descriptions is named with what to add; thousands of tools that are alike stay cheap."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import tiny

from edgefn.added.lint import CONFUSABLE, confusable, text_findings

STRING = {"type": "string"}


@pytest.fixture(scope="module")
def maker():
    return tiny.row_maker()


def pairs(found) -> list[tuple[str, ...]]:
    return [each.tools for each in found]


def test_no_description():
    (found,) = text_findings([tiny.described("fan", "")])
    assert (found.kind, found.tools) == ("no_description", ("fan",))
    assert "examples" in found.hint


def test_the_same_description_but_for_case_and_full_stop():
    tools = [tiny.described(name, text) for name, text in {"a": "Spin it.", "b": "spin it", "c": "Stop it."}.items()]
    (found,) = text_findings(tools)
    assert (found.kind, found.tools) == ("same_description", ("a", "b"))
    assert found.hint


def test_every_further_tool_of_a_description_is_told_beside_the_first():
    found = text_findings([tiny.described(name, "Spin it.") for name in "abc"])
    assert pairs(found) == [("a", "b"), ("a", "c")]


def test_a_parameter_that_is_not_described():
    tool = tiny.described("fan", "Spin.", speed=STRING, loud={"type": "boolean", "description": "whether"})
    (found,) = text_findings([tool])
    assert found.kind == "undescribed_parameter"
    assert "speed" in found.message


def test_nothing_is_wrong(maker):
    tools = [tiny.described("fan", "Spin the fan."), tiny.described("gate", "Close the gate.")]
    assert [*text_findings(tools)] == []
    assert confusable([maker.rows(each) for each in tools]) == []


def test_pairs_are_named_nearest_first(maker):
    said = {"fan": "Spin.", "turn": "Fan.", "spin": "Spin fan open.", "gate": "Gate."}
    rows = [maker.rows(tiny.described(*each)) for each in said.items()]
    found = confusable(rows)
    cosines = {
        (one.tool.name, other.tool.name): float(one.row @ other.row)
        for at, one in enumerate(rows)
        for other in rows[at + 1 :]
    }
    near = sorted((pair for pair, cosine in cosines.items() if cosine >= CONFUSABLE), key=lambda each: -cosines[each])
    assert pairs(found) == near
    assert 2 <= len(near) < 6
    assert all(each.kind == "confusable" and f"{cosines[each.tools]:.2f}" in each.message for each in found)


def test_only_pairs_with_one_of_those_asked_about(maker):
    rows = [maker.rows(tiny.described(name, "Spin.")) for name in ("a", "b", "c")]
    assert pairs(confusable(rows, rows[2:])) == [("a", "c"), ("b", "c")]
    assert pairs(confusable(rows, [])) == []
    assert confusable(rows[:1]) == confusable([]) == []


def test_the_hint_asks_for_examples_where_there_are_none(maker):
    bare, shown = (tiny.described(name, "Spin the fan.") for name in ("bare", "shown"))
    (found,) = confusable([maker.rows(bare), maker.rows(shown, ["fan"])])
    assert "examples" in found.hint and "bare" in found.hint and "shown" not in found.hint
    (found,) = confusable([maker.rows(bare, ["spin"]), maker.rows(shown, ["fan"])])
    assert "description" in found.hint


def test_thousands_that_are_all_alike_are_a_few_pairs_and_little_memory(maker):
    one = maker.rows(tiny.described("same", "Spin."))
    rows = [type(one)(tiny.described(f"t{at}", "Spin."), *list(vars(one).values())[1:9]) for at in range(800)]
    assert all(np.array_equal(each.row, one.row) for each in rows)
    tracemalloc.start()
    try:
        found = confusable(rows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found) == len(set(pairs(found))) == 50
    assert peak < 5_000_000  # all pairs would be ten times as much
