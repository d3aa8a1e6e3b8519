"""Dividing rows without leaks, checking labels, writing whole files."""

import hashlib
import os
import random
import subprocess
import sys
from collections import Counter

import pytest
from edgefn.export.data import (
    digest,
    drop_seen,
    hold_out,
    split,
    text_key,
    write_file,
    write_rows,
)
from hypothesis import given
from hypothesis import strategies as st

from edgefn.errors import DataError
from edgefn.rows import Row, check_labels, read_rows


def rows_of(**counts):
    tools = {"none": None}
    return [Row(f"{name} {i}", tools.get(name, name)) for name, count in counts.items() for i in range(count)]


ROWS = rows_of(lamp=40, timer=20, music=10, none=30)


def test_every_tool_is_divided_by_the_share():
    stop, calibration = split(ROWS, 0.5, seed=3)
    assert sorted(stop + calibration, key=ROWS.index) == ROWS
    for tool, total in Counter(row.tool for row in ROWS).items():
        assert abs(sum(row.tool == tool for row in calibration) - total / 2) <= 1


def test_the_share_is_kept_over_many_tools_with_few_rows():
    rows = rows_of(**{f"tool{i}": 3 for i in range(400)})
    assert 90 < len(hold_out(rows, 0.1)[1]) < 150


def test_neither_the_order_of_rows_nor_other_tools_move_a_row():
    shuffled = ROWS[:]
    random.Random(1).shuffle(shuffled)
    assert set(split(ROWS, 0.3, seed=5)[1]) == set(split(shuffled, 0.3, seed=5)[1])
    alone = [row for row in ROWS if row.tool == "lamp"]
    assert set(split(alone, 0.3, seed=5)[1]) == {row for row in split(ROWS, 0.3, seed=5)[1] if row.tool == "lamp"}


def test_parts_keep_the_order_of_the_file():
    for part in split(ROWS, 0.4, seed=2):
        assert list(part) == sorted(part, key=ROWS.index)


def test_another_seed_divides_otherwise():
    assert split(ROWS, 0.5, seed=1) != split(ROWS, 0.5, seed=2)


def test_the_hash_seed_of_the_process_changes_nothing():
    code = (
        "from edgefn.export.data import *\n"
        "rows = [Row(f'{t} {i}', t) for t in 'abcde' for i in range(9)]\n"
        "print([row.text for row in split(rows, 0.5, 4)[1]])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_the_same_text_stays_on_one_side():
    rows = [Row(text, tool) for tool in ("a", "b") for i in range(30) for text in (f"say {i}", f"Say  {i} ")]
    first, second = split(rows, 0.5)
    assert first and second
    assert not {text_key(row.text) for row in first} & {text_key(row.text) for row in second}


def test_a_tool_with_one_row_goes_to_one_side_and_is_trained_on():
    rows = rows_of(**{f"tool{i}": 1 for i in range(60)})
    stop, calibration = split(rows, 0.5)
    assert len(stop) + len(calibration) == 60 and 15 < len(stop) < 45
    assert hold_out(rows, 0.9) == (tuple(rows), ())


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from([None, "x", "y"]))), st.floats(0, 1))
def test_dividing_loses_and_repeats_nothing(pairs, share):
    rows = [Row(text, tool) for text, tool in pairs]
    for first, second in (split(rows, share), hold_out(rows, share)):
        assert Counter(first + second) == Counter(rows)
    assert {row.text for row in rows} <= {row.text for part in hold_out(rows, share) for row in part}
    assert bool(hold_out(rows, share)[0]) == bool(rows)


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(DataError, match="share"):
        split(ROWS, share)


def test_all_or_nothing_can_be_divided_off():
    assert split(ROWS, 0.0) == (tuple(ROWS), ())
    assert split(ROWS, 1.0) == ((), tuple(ROWS))
    assert split([], 0.5) == ((), ())


def test_rows_that_were_seen_are_dropped():
    rows = [Row("Turn it  ON ", "lamp"), Row("turn it off", "lamp")]
    assert drop_seen(rows, [Row("turn it on", None)]) == (rows[1],)


def test_right_labels_pass():
    check_labels(ROWS, ["lamp", "timer", "music", "unused"], "kiosk.jsonl")


def test_a_wrong_label_names_file_count_and_the_nearest_tools():
    rows = [*ROWS, Row("x", "Set_Timr"), Row("y", "Set_Timr"), Row("z", "other")]
    with pytest.raises(DataError) as raised:
        check_labels(rows, ["lamp", "timer", "music", "set_timer"], "kiosk.jsonl")
    assert raised.value.message == (
        "kiosk.jsonl: 2 rows are labelled 'Set_Timr', which is no tool (and 1 more such label)"
    )
    assert raised.value.hint.startswith("did you mean set_timer")


@pytest.mark.parametrize(("names", "hint"), [(["alpha", "beta"], "alpha, beta"), ([], "none at all")])
def test_a_label_near_to_nothing_lists_the_tools(names, hint):
    with pytest.raises(DataError, match="1 row is labelled") as raised:
        check_labels([Row("x", "zzz")], names, "f")
    assert hint in raised.value.hint


def test_rows_come_back_as_written(tmp_path):
    rows = (
        Row(
            "开灯\u2028😀",
            "lamp",
            {"room": "厨房", "level": 0.5, "on": True, "many": [1]},
            ((0, 1, "x"),),
            "zh",
        ),
        Row("hm", None, context={"area": "hall"}),
    )
    write_rows(tmp_path / "rows.jsonl", rows)
    assert read_rows(tmp_path / "rows.jsonl") == rows
    content = (tmp_path / "rows.jsonl").read_bytes()
    assert digest(tmp_path / "rows.jsonl") == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("value", [float("nan"), object(), "\ud800"])
def test_a_row_without_json_form_writes_nothing(tmp_path, value):
    with pytest.raises(DataError) as raised:
        write_rows(tmp_path / "rows.jsonl", [Row("a", "b", {"x": value})])
    assert raised.value.hint and list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    target = tmp_path / "rows.jsonl"
    write_rows(target, ROWS[:1])

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="No space left"):
        write_rows(target, ROWS)
    assert len(read_rows(target)) == 1 and list(tmp_path.iterdir()) == [target]


def test_a_folder_that_is_not_there_is_one_error(tmp_path):
    with pytest.raises(DataError):
        write_file(tmp_path / "no" / "rows.jsonl", b"")
    with pytest.raises(DataError):
        digest(tmp_path / "no")
