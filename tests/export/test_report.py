"""Scores of each tool against numbers worked out by hand and by scikit-learn; the table and the picture."""

import builtins
import json
import random

import pytest
from edgefn.export.report import Confusion, Report, ToolScore, save_confusion_picture, tool_report

from edgefn.errors import DataError, MissingExtra

GOLD = ["lamp", "lamp", "lamp", "timer", "timer", None, None, "music"]
SAID = ["lamp", "lamp", "timer", "timer", None, None, "lamp", "radio"]


def many(tools, rows=3000, wrong=0.2, seed=0):
    rng = random.Random(seed)
    names = [f"tool_number_{i}" for i in range(tools - 1)] + [None]
    gold = [rng.choice(names) for _ in range(rows)]
    return gold, [names[int(len(names) * rng.random() ** 3)] if rng.random() < wrong else each for each in gold]


def test_the_numbers_by_hand():
    report = tool_report(GOLD, SAID)
    assert report.rows == 8 and report.accuracy == 4 / 8
    lamp, music, radio, timer, none = report.tools
    assert lamp == ToolScore("lamp", 2 / 3, 2 / 3, pytest.approx(2 / 3), 3)
    assert timer == ToolScore("timer", 1 / 2, 1 / 2, pytest.approx(1 / 2), 2)
    assert none == ToolScore(None, 1 / 2, 1 / 2, pytest.approx(1 / 2), 2)
    assert (music.precision, music.recall, music.f1, music.support) == (0, 0, 0, 1)
    assert (radio.precision, radio.recall, radio.f1, radio.support) == (0, 0, 0, 0)
    assert report.macro_f1 == pytest.approx((2 / 3 + 1 / 2 + 1 / 2) / 5)
    assert report.confused == (
        Confusion("lamp", "timer", 1),
        Confusion("music", "radio", 1),
        Confusion("timer", None, 1),
        Confusion(None, "lamp", 1),
    )


def test_the_numbers_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    gold, said = many(150)
    report = tool_report(gold, said)
    labels = [score.tool or "" for score in report.tools]
    truth, guess = ([each or "" for each in some] for some in (gold, said))
    expected = metrics.precision_recall_fscore_support(truth, guess, labels=labels, zero_division=0)
    for score, *numbers in zip(report.tools, *expected, strict=True):
        assert [score.precision, score.recall, score.f1, score.support] == pytest.approx(numbers)
    assert report.accuracy == pytest.approx(metrics.accuracy_score(truth, guess))
    assert report.macro_f1 == pytest.approx(expected[2].mean())


def test_ten_confusions_the_most_frequent_first():
    report = tool_report(*many(150))
    counts = [pair.count for pair in report.confused]
    assert len(counts) == 10 and counts == sorted(counts, reverse=True)
    assert sum(pair.count for pair in report.pairs) == report.rows


def test_json_is_plain_and_none_stays_null():
    record = json.loads(json.dumps(tool_report(GOLD, SAID).to_json()))
    assert record["tools"][-1] == {"tool": None, "precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert record["confused"][-1] == {"gold": None, "predicted": "lamp", "count": 1}
    assert (record["rows"], record["accuracy"]) == (8, 0.5)


def test_the_table_is_aligned_and_starts_with_the_worst_tool():
    assert tool_report(GOLD, SAID).to_text() == (
        "8 rows, accuracy 0.500, macro F1 0.333\n"
        "\n"
        "tool           precision  recall     F1  rows\n"
        "music              0.000   0.000  0.000     1\n"
        "radio              0.000   0.000  0.000     0\n"
        "timer              0.500   0.500  0.500     2\n"
        "none of these      0.500   0.500  0.500     2\n"
        "lamp               0.667   0.667  0.667     3\n"
        "\n"
        "most confused\n"
        "is             taken for      rows\n"
        "lamp           timer             1\n"
        "music          radio             1\n"
        "timer          none of these     1\n"
        "none of these  lamp              1\n"
    )


def test_a_report_without_errors_lists_no_confusions():
    report = tool_report(["a", None], ["a", None])
    assert report.confused == () and "confused" not in report.to_text()


@pytest.mark.parametrize(("gold", "said"), [([], []), (["a"], []), (["a"], ["a", "b"])])
def test_rows_that_cannot_be_compared_are_one_error(gold, said):
    with pytest.raises(DataError) as raised:
        tool_report(gold, said)
    assert raised.value.hint


@pytest.mark.parametrize(("tools", "wrong"), [(1, 0.0), (5, 0.3), (31, 0.0), (150, 0.2)])
def test_the_picture_is_drawn_for_few_and_many_tools(tmp_path, tools, wrong):
    pytest.importorskip("matplotlib")
    path = tmp_path / "confusion.png"
    save_confusion_picture(tool_report(*many(tools, wrong=wrong)), path)
    assert path.read_bytes().startswith(b"\x89PNG") and list(tmp_path.iterdir()) == [path]


def test_the_picture_of_many_tools_holds_the_most_confused(tmp_path):
    pytest.importorskip("matplotlib")
    pairs = [Confusion(f"t{i}", f"t{i}", 10) for i in range(100)] + [Confusion("t98", "t99", 3)]
    save_confusion_picture(pairs, tmp_path / "confusion.svg")
    drawn = (tmp_path / "confusion.svg").read_text(encoding="utf-8")
    assert "<!-- t98 -->" in drawn and "<!-- t99 -->" in drawn and "<!-- t97 -->" not in drawn
    assert "the 30 most confused of 100 tools" in drawn


@pytest.mark.parametrize("name", ["x.docx", "no/folder.png"])
def test_a_picture_that_cannot_be_written_is_one_error(tmp_path, name):
    pytest.importorskip("matplotlib")
    with pytest.raises(DataError):
        save_confusion_picture(tool_report(GOLD, SAID), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_draw_is_one_error(tmp_path):
    pytest.importorskip("matplotlib")
    with pytest.raises(DataError):
        save_confusion_picture([], tmp_path / "x.png")


def test_without_matplotlib_the_install_line_is_the_hint(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra) as raised:
        save_confusion_picture(Report(0, 0.0, 0.0, (), ()), tmp_path / "x.png")
    assert "edgefn[export" in raised.value.hint
