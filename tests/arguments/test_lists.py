"""Several things in one breath."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.arguments.lists import split_list


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("", []),
        (" and ", []),
        ("Milk", ["Milk"]),
        ("milk eggs", ["milk eggs"]),
        ("milk, eggs, and some Bread.", ["milk", "eggs", "some Bread"]),
        ("a plus b as well as c & d; e", ["a", "b", "c", "d", "e"]),
        ("sand and candy", ["sand", "candy"]),
        ("1,000 nails, 2 boards", ["1,000 nails", "2 boards"]),
        ("牛奶、鸡蛋和面包", ["牛奶", "鸡蛋", "面包"]),
        ("牛奶，還有鸡蛋以及茶", ["牛奶", "鸡蛋", "茶"]),
        ("牛奶跟鸡蛋与茶", ["牛奶", "鸡蛋", "茶"]),
        ("高跟鞋和参与者", ["高跟鞋", "参与者"]),
        ("牛奶鸡蛋", ["牛奶鸡蛋"]),
    ],
)
def test_items_keep_their_words(text: str, items: list[str]) -> None:
    assert split_list(text) == items


@given(
    st.lists(st.sampled_from(["milk", "two eggs", "Brandy", "牛奶", "1,000 nails"]), min_size=1),
    st.sampled_from([", ", " and ", "; ", "、", " plus ", ", and "]),
)
def test_joined_items_come_back(items: list[str], separator: str) -> None:
    assert split_list(separator.join(items)) == items


@given(st.text(st.characters()))
def test_no_item_is_empty(text: str) -> None:
    assert all(split_list(text))


def test_a_long_text_is_split_all_the_same() -> None:
    assert len(split_list("a, " * 30_000)) == 30_000
    assert split_list(" " * 100_000) == []
