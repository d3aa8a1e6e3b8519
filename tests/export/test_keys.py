"""Which rows the heads get, and which of them each row asks for."""

import copy
import random

import pytest
from edgefn.export.keys import UNLABELLED, check_keys, choice_targets, head_keys, slot_labels

from edgefn.arguments.keys import choice_groups
from edgefn.errors import CheckpointError
from edgefn.manifest import Heads, TrainedTool
from edgefn.rows import Row
from edgefn.tool import Tool
from edgefn.words import words_of


def tool(name, properties, required=()):
    return Tool.select_only(name, name, {"type": "object", "properties": properties, "required": list(required)})


LAMP = {
    "state": {"type": "string", "enum": ["on", "off"]},
    "room": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    "slow": {"type": "boolean"},
}
TIMER = {"minutes": {"type": "integer"}, "label": {"type": "string"}, "room": {"type": "string"}}
SHOP = {"items": {"type": "array", "items": {"type": "string"}}, "state": {"type": "string", "enum": ["new", "off"]}}
TOOLS = (tool("lamp", LAMP, ["state"]), tool("timer", TIMER), tool("shop", SHOP))
ROWS = (
    Row("lamp off in the den", "lamp", {"state": "off", "room": "den"}, ((16, 19, "room"),)),
    *(Row(f"lights {word}", "lamp", {"state": "on", "room": "all"}) for word in ("up", "on", "yes")),
    Row("lights on", "lamp", {"state": "on", "room": "rare"}),
    Row("ten minutes", "timer", {"minutes": 10}, ((0, 3, "minutes"),)),
    *(Row(f"milk {word}", "shop", {"items": ["milk"]}) for word in "abc"),
    *(Row(f"two {word}", "shop", {"items": ["milk", "eggs"]}) for word in "abc"),
    Row("what", None),
)
HEADS = head_keys(TOOLS, ROWS, with_none=True)
BY_NAME = {each.name: each for each in TOOLS}


def words(text):
    return words_of(text, [(at, at + 1) for at in range(len(text))])


def labels(text, tool_name, *spans):
    row = Row(text, tool_name, spans=spans)
    found = slot_labels(row, BY_NAME.get(tool_name), words(text), HEADS)
    return ["".join(HEADS.slots[label][:1]) + HEADS.slots[label][1] for label in found]


def targets(tool_name, arguments, *spans):
    row = Row("some text of a row", tool_name, arguments, spans)
    found = choice_targets(row, BY_NAME.get(tool_name), HEADS)
    groups = choice_groups(HEADS)
    return {
        group.parameter: "-" if target == UNLABELLED else HEADS.choices[target][2]
        for group, target in zip(groups, found, strict=True)
    }


def test_the_rows_of_three_tools():
    assert HEADS.tools == ("lamp", "shop", "timer", None)
    assert HEADS.slots[0] == ("O", "", "")
    assert HEADS.slots[1:] == tuple(
        (tag, *slot)
        for slot in (("items", "string"), ("label", "string"), ("minutes", "integer"), ("room", "string"))
        for tag in "BI"
    )
    assert HEADS.choices == (
        ("items", "string", None),
        ("items", "string", "milk"),
        ("room", "string", None),
        ("room", "string", "all"),
        ("slow", "boolean", None),
        ("slow", "boolean", "false"),
        ("slow", "boolean", "true"),
        ("state", "string", None),
        ("state", "string", "new"),
        ("state", "string", "off"),
        ("state", "string", "on"),
    )


def test_an_enum_gets_slots_where_rows_span_it():
    rows = (*ROWS, Row("lamp on", "lamp", {"state": "on"}, ((5, 7, "state"),)))
    assert ("B", "state", "string") in head_keys(TOOLS, rows, with_none=False).slots


def test_without_parameters_there_are_only_tools():
    bare = [tool("b", {}), tool("a", {})]
    # "Fills nothing" is there all the same: slots of tools that are added on the device are told from it.
    assert head_keys(bare, [Row("x", "a")], with_none=False) == Heads(tools=("a", "b"), slots=(("O", "", ""),))


def test_values_without_a_span_are_kept_to_the_two_hundred_most_frequent():
    rows = [
        Row("x", "lamp", {"room": f"r{number:03}"}) for number in range(250) for _ in range(4 if number > 100 else 3)
    ]
    rooms = [value for name, _kind, value in head_keys(TOOLS, rows, with_none=False).choices if name == "room"]
    assert len(rooms) == 201 and rooms[0] is None
    assert {f"r{number:03}" for number in range(101, 250)} <= set(rooms[1:])


def shuffled(value, draw):
    """The same JSON schema with its keys, and what is a set in it, in another order."""
    if isinstance(value, dict):
        items = list(value.items())
        draw.shuffle(items)
        return {key: shuffled(each, draw) for key, each in items}
    if isinstance(value, list):
        return draw.sample([shuffled(each, draw) for each in value], len(value))
    return value


@pytest.mark.parametrize("seed", range(5))
def test_no_order_matters(seed):
    draw = random.Random(seed)
    tools = [Tool.select_only(each.name, "", shuffled(copy.deepcopy(each.given_schema), draw)) for each in TOOLS]
    draw.shuffle(tools)
    rows = [Row(row.text, row.tool, shuffled(row.arguments, draw), row.spans) for row in ROWS]
    draw.shuffle(rows)
    assert head_keys(tools, rows, with_none=True) == HEADS


def test_one_label_a_word():
    assert labels("den and den", "lamp", (0, 3, "room")) == ["Broom", "O", "O"]
    assert labels("big den now", "lamp", (0, 7, "room")) == ["Broom", "Iroom", "O"]
    assert labels("milk eggs", "shop", (0, 4, "items"), (5, 9, "items")) == ["Bitems", "Bitems"]
    assert labels("开卧室灯", "lamp", (1, 3, "room")) == ["O", "Broom", "Iroom", "O"]


def test_a_word_belongs_to_the_span_that_covers_half_of_it():
    assert labels("dens here", "lamp", (0, 3, "room")) == ["Broom", "O"]
    assert labels("bathrooms", "lamp", (4, 8, "room")) == ["O"]


def test_what_has_no_column_is_outside():
    assert labels("den", "timer", (0, 3, "nonsense")) == ["O"]
    assert labels("den", None) == ["O"]
    assert labels("off", "lamp", (0, 3, "state")) == ["O"]


@pytest.mark.parametrize(
    ("tool_name", "arguments", "spans", "expected"),
    [
        ("lamp", {"state": "on"}, (), {"state": "on", "room": None, "slow": None, "items": "-"}),
        ("lamp", {"state": "off", "slow": True}, ((0, 4, "state"),), {"state": "off", "slow": "true"}),
        ("lamp", {"room": "all"}, (), {"state": None, "room": "all"}),
        ("lamp", {"room": "all"}, ((0, 4, "room"),), {"room": None}),
        ("lamp", {"room": "rare"}, (), {"room": "-"}),
        ("lamp", {"state": "strange"}, (), {"state": "-"}),
        ("shop", {"items": ["milk"]}, (), {"items": "milk", "slow": "-", "state": None}),
        ("shop", {"items": ["milk", "eggs"]}, (), {"items": "-"}),
        ("shop", {"items": ["milk"]}, ((0, 4, "items"),), {"items": None}),
        ("timer", {}, (), {"room": None, "state": "-"}),
        (None, {}, (), {"room": "-", "state": "-", "slow": "-", "items": "-"}),
    ],
)
def test_the_right_row_of_every_choice(tool_name, arguments, spans, expected):
    found = targets(tool_name, arguments, *spans)
    assert {name: found[name] for name in expected} == expected


def trained(properties, name="lamp"):
    return TrainedTool(name, "", {"type": "object", "properties": properties}, "")


def test_tools_as_trained_and_harmless_edits_fit():
    check_keys([trained(each.given_schema["properties"], each.name) for each in TOOLS], HEADS)
    check_keys([trained({**LAMP, "state": {"type": "string", "enum": ["on"]}})], HEADS)
    check_keys([trained({**LAMP, "room": {"type": "string", "x-said-as": {"den": ["study"]}}})], HEADS)
    check_keys([trained({**LAMP, "slow": {"type": "boolean", "description": "slowly"}})], HEADS)
    check_keys([trained({"n": {"type": "integer"}})], Heads(tools=("lamp",)))


@pytest.mark.parametrize(
    ("edit", "message", "hint"),
    [
        ({"state": {"type": "string", "enum": ["on", "dim"]}}, "'dim' was not trained", "new, off, on"),
        ({"room": {"type": "integer"}}, "type integer", "write back the type string"),
        ({"extra": {"type": "string"}}, "type string", "remove the parameter"),
        ({"room": {"type": "string", "enum": ["den"]}}, "'den' was not trained", "all"),
        ({"slow": {"type": "string"}}, "type string", "write back the type boolean"),
        ({"room": {"type": "string", "x-said-as": {"den": "study"}}}, "is not understood", "lounge"),
        ({"room": {"type": "string", "x-said-as": ["den"]}}, "is not understood", "lounge"),
    ],
)
def test_an_edit_without_rows_is_one_clear_error(edit, message, hint):
    with pytest.raises(CheckpointError, match=message) as raised:
        check_keys([trained({**LAMP, **edit})], HEADS)
    assert "config.json: lamp" in raised.value.message and repr(next(iter(edit))) in raised.value.message
    assert hint in raised.value.hint


@pytest.mark.parametrize("properties", [{"room": "string"}, ["room"], {"room": {"type": "strnig"}}, {"room": None}])
def test_what_is_no_schema_is_one_clear_error(properties):
    with pytest.raises(CheckpointError, match=r"config\.json: lamp") as raised:
        check_keys([trained(properties)], HEADS)
    assert raised.value.hint


def test_an_enum_of_what_had_only_spans_is_refused():
    with pytest.raises(CheckpointError, match="values to choose from"):
        check_keys([trained({"label": {"type": "string", "enum": ["tea"]}}, "timer")], HEADS)
