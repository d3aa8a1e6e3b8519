"""Rows brought to the form that the heads learn from, and more rows made from them."""

from __future__ import annotations

from edgefn.export.gather import Rows
from edgefn.export.labels import labelled, varied
from edgefn.export.settings import TrainSettings

from edgefn.rows import Row
from edgefn.tool import Tool

TIMER = Tool.select_only(
    "timer",
    "Start a timer.",
    {
        "type": "object",
        "properties": {
            "after": {"type": "string", "format": "duration"},
            "labels": {"type": "array", "items": {"type": "string"}},
            "loud": {"type": "boolean"},
        },
    },
)
TOOLS = {"timer": TIMER}
ROW = Row("a loud pasta timer for ten minutes", "timer", {"after": "PT10M", "labels": "pasta", "loud": True})


def rows_of(*rows: Row) -> Rows:
    return Rows(train=rows, stop=rows, calibration=rows)


def test_every_part_gets_spans_and_the_schema_s_form():
    said: list[str] = []
    found = labelled(rows_of(ROW), TOOLS, said.append)
    for part in (found.train, found.stop, found.calibration):
        (row,) = part
        assert row.arguments == {"after": "PT10M", "labels": ["pasta"], "loud": True}
        assert {(row.text[start:end], name) for start, end, name in row.spans} == {
            ("pasta", "labels"),
            ("ten minutes", "after"),
        }
    assert said == ["2 of 2 arguments stand in the text"]


def test_what_does_not_stand_in_the_text_is_said():
    said: list[str] = []
    labelled(rows_of(ROW, Row("a timer", "timer", {"after": "PT5M"})), TOOLS, said.append)
    assert said == ["2 of 3 arguments stand in the text; without words: after 1"]


def test_rows_without_arguments_pass_in_silence():
    said: list[str] = []
    rows = rows_of(Row("who was that", None), Row("stop", "other"))
    assert labelled(rows, {"other": Tool.select_only("other", "", {})}, said.append) == rows
    assert not said


def test_as_many_more_rows_as_asked():
    rows = [Row(f"a timer for {minutes} minutes", "timer", {"after": f"PT{minutes}M"}) for minutes in range(1, 31)]
    train = labelled(rows_of(*rows), TOOLS, lambda line: None).train
    assert varied(train, TOOLS, TrainSettings()) == ()
    more = varied(train, TOOLS, TrainSettings(swapped=1.0, mistyped=0.5))
    assert 30 < len(more) <= 45
    swapped = [row for row in more if row.text in {row.text for row in rows}]
    assert all(row.arguments == {"after": f"PT{row.text.split()[3]}M"} for row in swapped) and len(swapped) > 20
