"""Words that nothing divides belong together; every word is in exactly one group, in order."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edgefn.added.chunks import chunks
from edgefn.words import words_of


def words_in(text: str):
    """Return the words of a text as a tokenizer that makes a token of every character finds them."""
    return words_of(text, [(at, at + 1) for at in range(len(text))])


def groups(text: str) -> list[str]:
    words = words_in(text)
    return [text[words[each[0]].start : words[each[-1]].end] for each in chunks(text, words)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("set a timer", ["set", "a", "timer"]),
        ("close IT-660210 now", ["close", "IT-660210", "now"]),
        ("mail ann@example.org.", ["mail", "ann@example.org", "."]),
        ("a 10-minute timer", ["a", "10", "-", "minute", "timer"]),
        ("sum [3,5,7]", ["sum", "[", "3", ",", "5", ",", "7", "]"]),
        ("pay 1,250 euros", ["pay", "1,250", "euros"]),
        ("base=10", ["base", "=", "10"]),
        ("f(x) of 2", ["f(x)", "of", "2"]),
        ("ann's lamp", ["ann", "'", "s", "lamp"]),
        ("", []),
    ],
)
def test_what_belongs_together(text, expected):
    assert groups(text) == expected


@pytest.mark.parametrize("quotes", ['""', "“”", "«»", "''", "‘’", "「」"])
def test_what_stands_in_quotes_is_one(quotes):
    first, last = quotes
    assert groups(f"say {first}well done you{last} twice") == ["say", first, "well done you", last, "twice"]


def test_nothing_divides_chinese_words():
    assert groups("打开灯") == ["打", "开", "灯"]


@given(st.text(st.sampled_from("ab1 \"'“”,.-=[](){}@#;灯\n"), max_size=40))
@example("it's 'a b' isn't")
@example('""')
def test_every_word_is_in_one_group(text):
    words = words_in(text)
    found = chunks(text, words)
    assert [at for group in found for at in group] == list(range(len(words)))
    assert all(found)


@given(st.text(max_size=40))
def test_any_text(text):
    words = words_in(text)
    assert [at for group in chunks(text, words) for at in group] == list(range(len(words)))
