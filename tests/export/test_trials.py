"""Utterances beside the few tools of a small device, and what a bundle answers to them."""

import dataclasses

import numpy as np
import pytest
import torch
from edgefn.export.added import calibrate_added, half, makers_of
from edgefn.export.base import load_encoder, load_tokenizer
from edgefn.export.scoring import NEUTRAL
from edgefn.export.to_onnx import to_onnx
from edgefn.export.train import GENERAL
from edgefn.export.trials import HELD_OUT, read_trials, run_trials, with_values

from edgefn.added.making import RowMaker
from edgefn.encoder import Encoder
from edgefn.errors import DataError
from edgefn.interpreter import Interpreter
from edgefn.manifest import CalibrationRows
from edgefn.rows import Row
from edgefn.session import Session


@pytest.fixture(scope="module")
def trials(few_trials):
    return read_trials(few_trials)


@pytest.fixture(scope="module")
def device(bases, tiny, tmp_path_factory):
    """An interpreter that knows no tool, and what makes rows for it."""
    torch.manual_seed(4)
    model = tiny.ToolModel(load_encoder(str(bases["bert"]), attn_implementation="eager"), GENERAL).eval()
    graph = to_onnx(model, tmp_path_factory.mktemp("trials")).SerializeToString()
    tokenizer = load_tokenizer(str(bases["bert"])).backend_tokenizer.to_str().encode()
    encoder, makers = Encoder(tokenizer, Session(graph), 128), makers_of(model)
    keys = dataclasses.replace(GENERAL, scale=model.tool_head.scale.item())
    return Interpreter(encoder, keys, NEUTRAL, (), makers=makers), RowMaker(encoder, makers, half(model))


# Which trials


@pytest.mark.parametrize("packaged", [True, False])
def test_the_right_tool_is_there_or_no_tool_is_right(few_trials, packaged):
    made = read_trials(HELD_OUT if packaged else few_trials)
    of_set = {tool.name: each.name for each in made.sets for tool in each.tools}
    rows = {row.text: row for each in made.sets for row in each.rows}
    for trial in made.trials:
        assert len(set(trial.tools)) == len(trial.tools) > 0
        if trial.row.tool is None:
            assert rows[trial.row.text].tool not in trial.tools and len(trial.tools) <= 4
            assert not trial.row.arguments and not trial.row.spans
        else:
            assert trial.row.tool in trial.tools and trial.row == rows[trial.row.text]
            assert len({of_set[name] for name in trial.tools}) == 1
    assert made.out_of_scope == sum(trial.row.tool is None for trial in made.trials)


def test_every_utterance_is_tried_with_its_tool_and_without(trials):
    said = [row for each in trials.sets for row in each.rows]
    assert len(trials.trials) == sum(1 if row.tool is None else 3 for row in said)
    assert trials.out_of_scope == len(said)
    near = [trial for trial in trials.trials if trial.row.tool is None and trial.row.text == "why whales sleep"]
    assert set(near[0].tools) <= {tool.name for tool in trials.sets[0].tools}


def test_trials_are_always_the_same(few_trials, trials):
    again = read_trials(few_trials)
    assert again == trials and again.sha256 == trials.sha256
    fewer = dataclasses.replace(trials, trials=trials.trials[1:])
    assert fewer.sha256 != trials.sha256


def test_small_folders_are_tried_as_far_as_they_go(tmp_path):
    (tmp_path / "one.yaml").write_text("tools: [{name: a, says: [hey, now]}]\noutside: [why]")
    only = read_trials(tmp_path)
    assert [trial.tools for trial in only.trials if trial.row.tool] == [("a",)] * 4
    assert {trial.tools for trial in only.trials if not trial.row.tool} == {("a",)}  # said for none of them
    (tmp_path / "two.yaml").write_text("tools: [{name: b, says: [jazz]}, {name: c, says: [rock]}]")
    assert {trial.tools for trial in read_trials(tmp_path).trials if trial.row.text == "hey"} >= {("a",)}


def test_two_tools_of_one_name_are_refused(tmp_path):
    for name in "xy":
        (tmp_path / f"{name}.yaml").write_text("tools: [{name: a, says: [hey]}]")
    with pytest.raises(DataError, match="two tools are named 'a'") as raised:
        read_trials(tmp_path)
    assert raised.value.hint


# What is answered


@pytest.fixture(scope="module")
def tried(trials, device):
    return run_trials(trials, *device)


def test_every_trial_is_answered_among_its_own_tools(trials, tried):
    scored, names = tried.scored, trials.heads().tools
    assert scored.logits.shape == (len(trials.trials), len(names)) and names[-1] is None
    assert scored.ran.all() and np.isfinite(scored.logits).all()
    for trial, logits, call, gold in zip(trials.trials, scored.logits, scored.calls, scored.gold, strict=True):
        stood = {name for name, logit in zip(names, logits, strict=True) if logit > -1e3}
        assert stood == {*trial.tools, None}
        assert call.partition("(")[0] in trial.tools
        assert names[gold] == trial.row.tool


def test_the_best_tool_is_the_one_with_the_highest_logit(trials, tried):
    names, tools = trials.heads().tools, tried.scored.logits[:, :-1].argmax(1)
    for call, best, right, trial in zip(tried.scored.calls, tools, tried.tool_right, trials.trials, strict=True):
        assert call.partition("(")[0] == names[best]
        assert right == (trial.row.tool is not None and names[best] == trial.row.tool)


def test_a_call_is_right_only_where_its_tool_is(trials, tried):
    assert tried.tool_right.any() and not (tried.scored.right & ~tried.tool_right).any()
    assert len(tried.arguments) == len(tried.argument_right)
    assert ((tried.arguments >= 0) & (tried.arguments <= 1)).all()


def test_the_device_is_left_as_it_was(trials, device, tried):
    assert not device[0].table


def test_trials_repeat(trials, device, tried):
    again = run_trials(trials, *device)
    assert np.array_equal(again.scored.logits, tried.scored.logits) and again.scored.calls == tried.scored.calls


def test_examples_sharpen_rows_and_no_utterance_is_its_own(trials, device, tried):
    names = list(trials.heads().tools)
    sharpened = run_trials(trials, *device, examples=3)
    before, after = tried.scored.logits, sharpened.scored.logits
    assert np.array_equal(before > -1e3, after > -1e3)
    assert np.array_equal(before[:, -1], after[:, -1])  # "none of these" has no examples
    for tool in ("play_songs", "light_room"):
        stood = before[:, names.index(tool)] > -1e3
        assert (after != before)[stood, names.index(tool)].all()
    # With one example, every utterance but that one is judged beside it, and that one beside the next.
    first, second = (row.text for row in trials.sets[0].rows[:2])
    play = next(tool for tool in trials.sets[0].tools if tool.name == "play_songs")
    interpreter, maker = device
    one = run_trials(trials, *device, examples=1).scored.logits
    for example, said in ((second, first), (first, second)):
        scores = maker.encoder.run(maker.encoder.encode(said), embeddings=True)
        table = interpreter.table.with_tools([maker.rows(play, [example])])
        expected = dict(zip(table.names, table.logits(scores).tolist(), strict=True))["play_songs"]
        at = [row for row, trial in enumerate(trials.trials) if trial.row.text == said and "play_songs" in trial.tools]
        assert at and np.allclose(one[at, names.index("play_songs")], expected, atol=1e-4)


def test_trained_tools_stand_beside_in_the_heads(trials):
    assert trials.heads(["chime", None, "play_songs"]).tools == (*trials.heads().tools[:-1], "chime", None)


def test_what_never_reaches_the_engine_is_wrong(trials, device):
    first = next(trial for trial in trials.trials if trial.row.tool)
    lost = dataclasses.replace(first, row=dataclasses.replace(first.row, text="地铁站在哪里呢请问"))
    answered = run_trials(dataclasses.replace(trials, trials=(lost, first)), *device)
    assert answered.scored.ran.tolist() == [False, True] and answered.scored.calls[0] == ""
    assert not answered.tool_right[0] and not answered.scored.right[0]


def test_what_was_answered_can_be_calibrated(trials, tried):
    found = calibrate_added(tried, tried, CalibrationRows("few", trials.sha256, len(trials.trials), 1))
    numbers = [value for value in dataclasses.asdict(found).values() if isinstance(value, float)]
    assert np.isfinite(numbers).all() and 0 <= found.threshold <= 1 and 0 <= found.argument_threshold <= 1


def test_words_of_a_row_become_values_as_the_device_reads_them(trials, device):
    clock = next(tool for tool in trials.sets[0].tools if tool.name == "start_clock")
    lamps = next(tool for tool in trials.sets[0].tools if tool.name == "light_room")
    rows = device[1].rows(clock)
    assert with_values(Row("x", "start_clock", {"minutes": "twenty five", "about": "chess"}), rows).arguments == {
        "minutes": 25, "about": "chess"
    }  # fmt: skip
    assert with_values(Row("x", "start_clock", {"minutes": "whales"}), rows).arguments == {"minutes": "whales"}
    assert with_values(Row("x", "start_clock", {"minutes": 5}), rows).arguments == {"minutes": 5}
    many = with_values(Row("x", "light_room", {"spots": ["lamp", "candle"]}), device[1].rows(lamps)).arguments
    assert many == {"spots": ["lamp", "candle"]}
