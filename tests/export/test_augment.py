"""Rows that are made from rows say what their arguments say."""

import random

import pytest
from edgefn.export.align import says
from edgefn.export.augment import Values, augmented, chinese_in, mistyped
from hypothesis import given
from hypothesis import strategies as st

from edgefn.rows import Row
from edgefn.tool import Tool


def tool(name, properties):
    return Tool.select_only(name, name, {"type": "object", "properties": properties})


TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
SHORT = {"type": "integer", "maximum": 20}
ROOMS = {"type": "string", "x-said-as": {"Living Room": ["lounge"], "Kitchen": []}}
TOOLS = (
    tool("timer", {"minutes": WHOLE, "label": TEXT}),
    tool("nap", {"minutes": SHORT}),
    tool("shop", {"items": {"type": "array", "items": TEXT}}),
    tool("lamp", {"room": ROOMS, "state": {"type": "string", "enum": ["on", "off"]}}),
)
BY_NAME = {each.name: each for each in TOOLS}


def row(marked, tool_name, **arguments):
    """A row from a text with `[words|parameter]` at its spans."""
    text, spans = "", []
    for part in marked.replace("]", "[").split("["):
        words, _, name = part.partition("|")
        if name:
            spans.append((len(text), len(text) + len(words), name))
        text += words
    return Row(text, tool_name, arguments, tuple(spans))


ROWS = (
    row("set a [pasta|label] timer for [ten|minutes] minutes", "timer", minutes=10, label="pasta"),
    row("[thirty five|minutes] minutes for [Green Tea|label]", "timer", minutes=35, label="green tea"),
    row("nap for [5|minutes] minutes", "nap", minutes=5),
    row("buy [milk|items], [eggs|items] and [brown bread|items]", "shop", items=["milk", "eggs", "brown bread"]),
    row("we need [cheese|items]", "shop", items=["cheese"]),
    row("lights [on|state] in the [lounge|room]", "lamp", room="Living Room", state="on"),
    row("turn [off|state] the [kitchen|room]", "lamp", room="Kitchen", state="off"),
    row("it is [dark|state] in here", "lamp", state="on"),
    row("打开[卧室|label]的灯", "timer", label="卧室"),
    row("设置[厨房烤箱|label]十分钟", "timer", label="厨房烤箱"),
    Row("who was that", None),
)
VALUES = Values(ROWS, TOOLS, least=2)


def check(made):
    """Every span says its argument or its item."""
    for name, parameter in ((each.name, each) for each in BY_NAME[made.tool].parameters):
        spans = sorted(span for span in made.spans if span[2] == name)
        value = made.arguments.get(name)
        items = value if isinstance(value, list) else [value]
        assert len(items) == len(spans) or not spans
        for (start, end, _name), item in zip(spans, items, strict=False):
            assert says(parameter, made.text[start:end], item), (made, name)
    assert all(0 <= start < end <= len(made.text) for start, end, _name in made.spans)


@given(st.sampled_from(ROWS[:7]), st.integers(0, 10**6))
def test_a_swapped_row_says_its_arguments(before, seed):
    made = VALUES.swapped(before, random.Random(seed))
    check(made)
    if made is not before:
        assert made.text != before.text
        assert [name for *_, name in made.spans] == [name for *_, name in before.spans]


def swaps(before, times=60):
    draw = random.Random(0)
    return {(made.text, str(dict(made.arguments))) for made in (VALUES.swapped(before, draw) for _ in range(times))}


def test_items_of_a_list_change_one_by_one():
    made = [VALUES.swapped(ROWS[3], random.Random(seed)) for seed in range(40)]
    for each in made:
        check(each)
    changed = [
        sum(a != b for a, b in zip(each.arguments["items"], ROWS[3].arguments["items"], strict=True)) for each in made
    ]
    assert {1, 2} <= set(changed)
    assert any("cheese" in each.arguments["items"] for each in made)


def test_a_slot_with_few_values_is_closed():
    closed = Values(ROWS, TOOLS)
    assert all(closed.swapped(row, random.Random(seed)) is row for row in ROWS for seed in range(5))


def test_values_that_do_not_fit_the_tool_stay_out():
    assert swaps(ROWS[2]) == {("nap for ten minutes", "{'minutes': 10}")}


def test_names_move_with_what_is_said_for_them():
    rooms = {text for text, _ in swaps(ROWS[5])}
    assert "lights on in the kitchen" in rooms and "lights off in the lounge" in rooms


def test_words_that_do_not_say_their_argument_are_left_alone():
    assert swaps(ROWS[7]) == {("it is dark in here", "{'state': 'on'}")}
    assert not any("dark" in text for text, _ in swaps(ROWS[5]))


@pytest.mark.parametrize("before", [Row("who was that", None), Row("hm", "timer", {"minutes": 3}), Row("x", "unknown")])
def test_rows_without_spans_stay(before):
    assert VALUES.swapped(before, random.Random(0)) is before


def test_values_come_from_the_rows_given():
    few = Values(ROWS[:1], TOOLS)
    assert all(few.swapped(ROWS[0], random.Random(seed)) is ROWS[0] for seed in range(5))


def distance(first, second):
    """How many insertions, deletions, replacements and exchanges of neighbours lie between two texts."""
    table = {(-1, -1): 0}
    for at in range(len(first)):
        table[at, -1] = at + 1
    for at in range(len(second)):
        table[-1, at] = at + 1
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (a != b))
            if i and j and first[i - 1 : i + 1] == second[j - 1 : j + 1][::-1]:
                table[i, j] = min(table[i, j], table[i - 2, j - 2] + 1)
    return table[len(first) - 1, len(second) - 1]


LETTERS = st.text(st.sampled_from("abzé 5,.'卧室灯三两"), min_size=1, max_size=14).filter(str.strip)


@st.composite
def spanned(draw):
    text = draw(LETTERS)
    edges = sorted(set(draw(st.lists(st.integers(0, len(text)), max_size=4))))
    spans = tuple((start, end, f"p{at}") for at, (start, end) in enumerate(zip(edges[::2], edges[1::2], strict=False)))
    return Row(text, "any", {name: text[start:end] for start, end, name in spans}, spans)


@given(spanned(), st.integers(0, 10**6))
def test_one_typing_error_moves_the_spans_along(before, seed):
    made = mistyped(before, random.Random(seed), "厨房")
    assert made.arguments == before.arguments and [each[2] for each in made.spans] == [each[2] for each in before.spans]
    if made is before:
        return
    assert distance(before.text, made.text) == 1
    for old, new in zip(before.spans, made.spans, strict=True):
        said, says_now = before.text[old[0] : old[1]], made.text[new[0] : new[1]]
        assert says_now and distance(said, says_now) <= 1
        # Characters next to a span are no part of it, before and after.
        assert before.text[: old[0]] == made.text[: new[0]] or before.text[old[1] :] == made.text[new[1] :]
    digits = [each for each in before.text if each.isdigit() or each in "三两"]
    assert [each for each in made.text if each.isdigit() or each in "三两"] == digits


@pytest.mark.parametrize("text", ["5 10 1,000", "三十五", "a b", "灯", "ok go"])
def test_numbers_and_short_words_are_never_mistyped(text):
    before = Row(text, None)
    assert all(mistyped(before, random.Random(seed), "卧室") is before for seed in range(50))


def test_chinese_is_mistyped_with_characters_of_the_rows():
    assert chinese_in(ROWS) == "".join(sorted(set("打开卧室的灯设置厨房烤箱分钟")))
    written = {each for seed in range(300) for each in mistyped(ROWS[8], random.Random(seed), "甲乙").text}
    assert {"甲", "乙"} <= written <= set("打开卧室的灯甲乙")


def test_the_same_seed_gives_the_same_rows():
    first = augmented(ROWS, TOOLS, 20, 30, seed=4)
    assert first == augmented(ROWS, TOOLS[::-1], 20, 30, seed=4) != augmented(ROWS, TOOLS, 20, 30, seed=5)
    assert 20 < len(first) <= 50 and not {each.text for each in first} & {each.text for each in ROWS}


def test_nothing_is_made_of_rows_that_cannot_change():
    assert augmented([Row("5", None)], TOOLS, 10, 10, seed=0) == ()
    assert augmented(ROWS, TOOLS, 0, 0, seed=0) == ()
