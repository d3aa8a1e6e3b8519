"""Tool sets as tokens, and the batches that general training draws from them."""

import random
from collections import Counter

import pytest
from edgefn.export.base import load_tokenizer
from edgefn.export.episodes import epoch, prepare
from edgefn.export.toolsets import ToolSet

from edgefn.rows import Row
from edgefn.tool import Tool


@pytest.fixture(scope="module")
def tokenizer(bases):
    return load_tokenizer(str(bases["bert"]))


@pytest.fixture(scope="module")
def said(home, tokenizer):
    """What is said, by the text."""
    return dict(zip([row.text for row in home.rows], prepare(home, tokenizer, 128).said, strict=True))


@pytest.fixture(scope="module")
def large(tokenizer):
    """A set of 30 tools, three utterances each and twenty of none."""
    tools = tuple(Tool.select_only(f"tool_{at}", "play", {"type": "object", "properties": {}}) for at in range(30))
    rows = [Row(f"play {'now ' * at}today", f"tool_{at % 30}") for at in range(90)] + [Row("why", None)] * 20
    return prepare(ToolSet("large", tools, tuple(rows)), tokenizer, 512)


@pytest.fixture(scope="module")
def small(home, tokenizer):
    return prepare(home, tokenizer, 128)


def test_every_word_says_what_it_fills(said):
    assert said["please play jazz"].slots == (None, None, ("kind", True))
    assert said["please set twenty minutes for old kings now"].slots == (
        None, None, ("minutes", True), None, None, ("about", True), ("about", False), None
    )  # fmt: skip
    both = said["light and candle off now"]
    assert both.slots == (("spots", True), None, ("spots", True), ("state", True), None)
    assert both.words == (1, 2, 3, 4, 5) and len(both.ids) == 7


def test_closed_parameters_are_given_or_not_and_named_or_not(said):
    assert dict((name, (value, named)) for name, value, named in said["please play jazz"].choices) == {
        "kind": ("jazz", frozenset({"jazz"})), "again": (None, frozenset())
    }  # fmt: skip
    choices = {name: value for name, value, _ in said["hear jazz tonight"].choices}
    assert choices == {"kind": "jazz", "again": "false"}
    assert [value for _, value, _ in said["play songs"].choices] == [None, None]
    assert said["set five minutes"].choices == ()
    (state,) = said["hey turn lights up"].choices
    assert state == ("state", "on", frozenset())


def test_what_is_for_no_tool_asks_for_nothing(said):
    outside = said["why whales sleep"]
    assert (outside.tool, outside.words, outside.slots, outside.choices) == (None, (), (), ())


def test_longer_utterances_are_left_out(home, tokenizer):
    assert {len(each.ids) for each in prepare(home, tokenizer, 5).said} == {4, 5}


def test_careless_people_give_names_alone(small):
    for described, bare in zip(small.tools, small.names_only, strict=True):
        assert len(bare.ids[0]) < len(described.ids[0])
        assert [each[0] for each in bare.parameters] == [each[0] for each in described.parameters]


def test_an_epoch_is_a_seed(small, large):
    first, second, third = ([*epoch([small, large], 600, random.Random(seed))] for seed in (1, 1, 2))
    assert first == second != third


def test_everything_is_said_once_an_epoch_and_no_more_than_asked(small, large):
    count = Counter(id(each) for episode in epoch([small, large], 600, random.Random(0)) for each in episode.said)
    assert len(count) == len(small.said) + len(large.said) and set(count.values()) == {1}
    assert sum(len(each.said) for each in epoch([small, large], 7, random.Random(0))) == 14


def test_the_right_tool_is_always_among_those_of_its_own_set(small, large):
    for episode in epoch([large, small, large], 600, random.Random(3)):
        for each, gold, (first, after) in zip(episode.said, episode.gold, episode.own, strict=True):
            source = small if any(each is other for other in small.said) else large
            own = episode.tools[first:after]
            assert all(tool in source.tools or tool in source.names_only for tool in own)
            assert (gold is None) == (each.tool is None)
            if gold is not None:
                assert first <= gold < after
                assert episode.tools[gold] in (source.tools[each.tool], source.names_only[each.tool])


def test_tools_that_nobody_asks_for_stand_beside(large, small):
    for episode in epoch([large], 5, random.Random(0)):
        assert len(episode.tools) == len({each for each in episode.gold if each is not None}) + 14
    for episode in epoch([small], 600, random.Random(0)):
        assert len(episode.tools) == 3  # a set has no more than it has
