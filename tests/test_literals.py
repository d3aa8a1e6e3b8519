"""Reading values one after the other; what they are is tested with the calls that hold them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.errors import ExplicitCallError
from edgefn.literals import MAX_DEPTH, LiteralReader, plain_width


def reader(text: str, at: int = 0) -> LiteralReader:
    return LiteralReader(text, plain_width(text), at)


@given(st.text())
def test_plain_width_keeps_every_position(text: str) -> None:
    assert len(plain_width(text)) == len(text)


def test_values_are_read_one_after_the_other() -> None:
    values = reader("“一，二” [1、２] {'a': null}")
    assert [values.value(), values.value(), values.value()] == ["一，二", [1, 2], {"a": None}]
    assert values.at == len(values.text)


def test_items_end_where_they_are_closed() -> None:
    values = reader("1，2）3")
    assert values.items(")", values.value) == [1, 2]
    assert values.value() == 3


def test_a_failure_names_the_place_as_it_was_written() -> None:
    with pytest.raises(ExplicitCallError, match="character 4, before '三': put text in quotes"):
        reader("一二 三", 2).value()


@pytest.mark.parametrize("ends", ["[]", "{}"])
def test_depth_is_limited(ends: str) -> None:
    inner = "[" * (MAX_DEPTH - 1) + ends + "]" * (MAX_DEPTH - 1)
    assert json.dumps(reader(inner).value()) == inner
    with pytest.raises(ExplicitCallError, match="more than 20"):
        reader(f"[{inner}]").value()


@given(st.text(st.characters(exclude_categories=["Cs"])), st.booleans())
def test_every_string_of_json_is_read(text: str, escaped: bool) -> None:
    assert reader(json.dumps(text, ensure_ascii=escaped)).value() == text
