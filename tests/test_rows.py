"""Reading labelled rows: what is accepted, and one clear error with its line for everything else."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.errors import DataError
from edgefn.rows import Row, read_rows

GOOD = '{"text": "stop", "tool": "stop_timer"}'


def write(tmp_path, content):
    path = tmp_path / "data.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def test_a_whole_row_is_read_and_other_keys_are_ignored(tmp_path):
    record = {
        "text": "add milk",
        "tool": "add_item",
        "arguments": {"item": "milk", "amount": 1},
        "spans": [[4, 8, "item"]],
        "lang": "en",
        "context": {"area": "kitchen"},
        "group": "shopping",
    }
    (row,) = read_rows(write(tmp_path, json.dumps(record)))
    assert row == Row(
        "add milk",
        "add_item",
        {"item": "milk", "amount": 1},
        ((4, 8, "item"),),
        "en",
        {"area": "kitchen"},
    )
    assert row.to_json() == {key: value for key, value in record.items() if key != "group"}


def test_what_is_left_out_is_empty(tmp_path):
    (row,) = read_rows(write(tmp_path, '{"text": "hm", "tool": null, "spans": null, "context": "hall"}'))
    assert row == Row("hm", None)
    assert "context" not in row.to_json()


def test_rows_can_be_counted_and_put_in_sets():
    assert len({Row("a", "b", {"c": [1]}), Row("a", "b", {"c": [1]})}) == 1


def test_blank_lines_windows_line_ends_and_a_byte_order_mark_are_skipped(tmp_path):
    rows = read_rows(write(tmp_path, f"\ufeff\r\n{GOOD}\r\n   \n{GOOD}".encode()))
    assert [row.text for row in rows] == ["stop", "stop"]


def test_a_line_separator_inside_a_string_does_not_end_the_line(tmp_path):
    (row,) = read_rows(write(tmp_path, '{"text": "one\u2028two\x85three", "tool": "a"}'))
    assert row.text == "one\u2028two\x85three"


BROKEN = {
    "not JSON": "stop the timer",
    "half a line": '{"text": "stop", "to',
    "NaN": '{"text": "stop", "tool": "a", "arguments": {"x": NaN}}',
    "too deep": '{"text": "stop", "tool": ' + "[" * 100_000,
    "not an object": '["stop", "stop_timer"]',
    "no text": '{"tool": "stop_timer"}',
    "text is null": '{"text": null, "tool": "a"}',
    "text is a number": '{"text": 5, "tool": "a"}',
    "blank text": '{"text": " \\t\\u3000", "tool": "a"}',
    "no tool": '{"text": "stop"}',
    "tool is a number": '{"text": "stop", "tool": 1}',
    "tool is false": '{"text": "stop", "tool": false}',
    "blank tool": '{"text": "stop", "tool": " "}',
    "arguments are a list": '{"text": "stop", "tool": "a", "arguments": []}',
    "lang is a number": '{"text": "stop", "tool": "a", "lang": 7}',
    "spans are an object": '{"text": "stop", "tool": "a", "spans": {}}',
    "span is no list": '{"text": "stop", "tool": "a", "spans": [1]}',
    "span is short": '{"text": "stop", "tool": "a", "spans": [[0, 4]]}',
    "span has fractions": '{"text": "stop", "tool": "a", "spans": [[0, 3.5, "x"]]}',
    "span has booleans": '{"text": "stop", "tool": "a", "spans": [[false, true, "x"]]}',
    "span is empty": '{"text": "stop", "tool": "a", "spans": [[2, 2, "x"]]}',
    "span is backwards": '{"text": "stop", "tool": "a", "spans": [[3, 1, "x"]]}',
    "span starts before": '{"text": "stop", "tool": "a", "spans": [[-1, 2, "x"]]}',
    "span ends behind": '{"text": "stop", "tool": "a", "spans": [[0, 5, "x"]]}',
    "span has no parameter": '{"text": "stop", "tool": "a", "spans": [[0, 4, ""]]}',
    "lone surrogate in the text": '{"text": "stop \\ud83d", "tool": "a"}',
    "lone surrogate elsewhere": '{"text": "stop", "tool": "a", "arguments": {"x": "\\udc00"}}',
}


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN)
def test_a_broken_line_is_named(tmp_path, line):
    path = write(tmp_path, f"{GOOD}\n\n{line}\n{GOOD}\n")
    with pytest.raises(DataError) as raised:
        read_rows(path)
    assert raised.value.message.startswith(f"{path}, line 3: ")
    assert raised.value.hint


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no rows"),
        (b"\n \n", "no rows"),
        (f"{GOOD}\n".encode() + b'{"text": "caf\xe9"}', "line 2: not UTF-8"),
    ],
)
def test_an_unusable_file_is_one_error(tmp_path, content, says):
    with pytest.raises(DataError, match=says) as raised:
        read_rows(write(tmp_path, content))
    assert raised.value.hint


@pytest.mark.parametrize("name", ["missing.jsonl", ".", "nul\0byte"])
def test_a_path_that_is_no_file_is_one_error(tmp_path, name):
    with pytest.raises(DataError) as raised:
        read_rows(tmp_path / name)
    assert raised.value.hint


@given(st.binary(max_size=200) | st.text(string.printable, max_size=200).map(str.encode))
def test_any_bytes_give_rows_or_a_data_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(content)
    try:
        assert read_rows(path)
    except DataError as error:
        assert error.hint
