"""Real trainings of a tiny model: they learn, repeat, go on after a kill, and refuse what they cannot use."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from edgefn.export import checkpoint as checkpoint_module
from edgefn.export import fit as fit_module
from edgefn.export import trainer as trainer_module
from edgefn.export.checkpoint import HEADS_FILE, load_checkpoint
from edgefn.export.data import text_key, write_rows
from edgefn.export.gather import gather
from edgefn.export.train import train
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import AutoModel

from edgefn.errors import BaseNotFound, CheckpointError, DataError
from edgefn.registry import Registry
from edgefn.rows import Row, read_rows

replace = dataclasses.replace


def rows_file(folder, rows, name="rows.jsonl"):
    write_rows(folder / name, rows)
    return folder / name


@pytest.fixture
def quick(settings):
    """One epoch, for what does not depend on how well it learns."""
    return replace(settings, epochs=1)


# It learns


def test_it_learns(trained, tiny):
    assert trained.report.accuracy > 0.97 and trained.report.macro_f1 > 0.97
    assert trained.report.rows == 160
    assert [each.tool for each in trained.report.tools] == [*tiny.TOOLS, None]
    assert trained.trained_parameters > 10_000 and trained.seconds > 0


def test_teachers_are_learned_from_and_not_trained_twice(settings, tmp_path, monkeypatch):
    taught = replace(settings, teachers=2, epochs=2)
    folder, said = tmp_path / "checkpoint", []
    with monkeypatch.context() as broken:
        broken.setattr(fit_module, "opinions", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            train(None, folder, taught, said.append)
    assert [line for line in said if line.startswith("teacher")] == ["teacher 1 of 2", "teacher 2 of 2"]
    said.clear()
    made = train(None, folder, replace(taught, resume=True), said.append)
    assert not [line for line in said if line.startswith("teacher")]
    assert any(line.startswith("asked 2 teachers") for line in said)
    assert made.report.accuracy > 0.9


def test_the_folder_holds_what_is_promised_and_nothing_else(trained):
    names = {path.name for path in trained.folder.iterdir()}
    assert names >= {
        "config.json", "model.safetensors", "tokenizer.json", HEADS_FILE, "calibration.jsonl",
        "report.json", "report.txt",
    }  # fmt: skip
    assert not [name for name in names if name.startswith(".") or name == "training"]


def test_the_checkpoint_says_what_it_is_made_of(trained, settings, tiny):
    loaded = load_checkpoint(trained.folder)
    assert loaded.model.keys.tools == (*tiny.TOOLS, None)
    assert [(tool.name, tool.description, tool.callable) for tool in loaded.tools] == [
        (name, name.replace("_", " "), False) for name in tiny.TOOLS
    ]
    assert loaded.base == settings.base
    assert set(loaded.data) == {"train.jsonl", "valid.jsonl"}
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in loaded.data.values())
    assert not any(each.is_floating_point() and each.isnan().any() for each in loaded.model.state_dict().values())


def test_the_two_reports_agree(trained):
    said = json.loads((trained.folder / "report.json").read_text())
    assert {name: said[name] for name in trained.report.to_json()} == trained.report.to_json()
    assert said["trained_parameters"] == trained.trained_parameters
    text = (trained.folder / "report.txt").read_text()
    assert trained.report.to_text().strip() == text.strip()
    assert text.startswith(f"160 rows, accuracy {said['accuracy']:.3f}, macro F1 {said['macro_f1']:.3f}")
    for tool in said["tools"]:
        assert re.search(rf"{tool['tool'] or 'none of these'} .*{tool['f1']:.3f} +{tool['support']}\n", text)


@pytest.mark.parametrize("kind", ["distilbert", "roberta"])
def test_other_bases_learn_too(settings, bases, tmp_path, kind):
    made = train(None, tmp_path / "checkpoint", replace(settings, base=str(bases[kind])))
    assert made.report.accuracy > 0.95
    encoder, info = AutoModel.from_pretrained(made.folder, output_loading_info=True)
    assert list(info["missing_keys"]) == []
    own = load_checkpoint(made.folder).model.encoder.state_dict()
    assert all(torch.equal(weight, own[name]) for name, weight in encoder.state_dict().items() if name in own)


@pytest.mark.parametrize("tune", ["heads", "bitfit", "lora"])
def test_whatever_is_tuned_a_plain_encoder_is_saved(quick, bases, tmp_path, tune):
    made = train(None, tmp_path / "checkpoint", replace(quick, tune=tune))
    base = load_file(bases["bert"] / "model.safetensors")
    tuned = load_file(made.folder / "model.safetensors")
    assert tuned.keys() == base.keys()
    changed = {name for name in tuned if not torch.equal(tuned[name], base[name])}
    match tune:
        case "heads":
            assert changed == set()
        case "bitfit":
            assert changed and all(name.endswith("bias") for name in changed)
        case "lora":
            assert changed and all(name.endswith(".weight") and ".layer." in name for name in changed)
    assert made.report.accuracy > 0.5


def test_teachers_are_asked(settings, tmp_path):
    said = []
    made = train(None, tmp_path / "checkpoint", replace(settings, epochs=2, teachers=2), said.append)
    assert [line for line in said if line.startswith("teacher")] == ["teacher 1 of 2", "teacher 2 of 2"]
    assert any(re.match("asked 2 teachers about", line) for line in said)
    assert made.report.accuracy > 0.95


# It repeats


def weights(folder):
    return (folder / "model.safetensors").read_bytes() + (folder / HEADS_FILE).read_bytes()


def test_a_seed_is_a_training(quick, tmp_path):
    first, second, third = (
        train(None, tmp_path / f"checkpoint{at}", replace(quick, seed=seed)).folder for at, seed in enumerate((5, 5, 6))
    )
    assert weights(first) == weights(second) != weights(third)
    assert load_checkpoint(first).sha256 == load_checkpoint(second).sha256
    assert (first / "calibration.jsonl").read_bytes() == (second / "calibration.jsonl").read_bytes()


def test_an_older_checkpoint_is_replaced(quick, tmp_path):
    folder = tmp_path / "checkpoint"
    first = weights(train(None, folder, quick).folder)
    assert weights(train(None, folder, replace(quick, seed=9)).folder) != first


# It stops, and goes on


def epochs_of(said):
    return [int(found[1]) for line in said if (found := re.match(r"epoch (\d+):", line))]


def test_it_stops_when_nothing_gets_better(settings, tmp_path):
    said = []
    train(None, tmp_path / "checkpoint", replace(settings, epochs=40, patience=2), said.append)
    assert 3 <= len(epochs_of(said)) < 20


def test_an_interrupted_training_goes_on(settings, tmp_path):
    """Stopped in its second epoch, it ends as it would have ended."""

    def stop(line):
        if line.startswith("epoch 2"):
            raise KeyboardInterrupt

    chosen, said = replace(settings, epochs=3), []
    whole = train(None, tmp_path / "whole", chosen)
    with pytest.raises(KeyboardInterrupt):
        train(None, tmp_path / "broken", chosen, stop)
    assert {path.name for path in (tmp_path / "broken").iterdir()} == {"training"}
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path / "broken")
    train(None, tmp_path / "broken", replace(chosen, resume=True), said.append)
    assert [line for line in said if line.startswith("resuming")] and epochs_of(said) == [2, 3]
    resumed, direct = load_checkpoint(tmp_path / "broken").model, load_checkpoint(whole.folder).model
    for name, weight in direct.state_dict().items():
        assert torch.allclose(weight, resumed.state_dict()[name], atol=1e-3), name
    assert not (tmp_path / "broken" / "training").exists()


def test_without_resume_it_starts_over(settings, tmp_path):
    def stop(line):
        if line.startswith("epoch 2"):
            raise KeyboardInterrupt

    said, chosen = [], replace(settings, epochs=2)
    with pytest.raises(KeyboardInterrupt):
        train(None, tmp_path / "checkpoint", chosen, stop)
    train(None, tmp_path / "checkpoint", chosen, said.append)
    assert epochs_of(said) == [1, 2] and not [line for line in said if line.startswith("resuming")]


def test_resume_with_nothing_to_resume_starts(quick, tmp_path):
    said = []
    train(None, tmp_path / "checkpoint", replace(quick, resume=True), said.append)
    assert epochs_of(said) == [1]


KILLED = """
import os, sys
from edgefn.export.settings import TrainSettings
from edgefn.export.train import train
from pathlib import Path

def say(line):
    if line.startswith("epoch 2"):
        os._exit(9)

data, valid, base, folder = map(Path, sys.argv[1:])
train(None, folder, TrainSettings(data, valid, str(base), epochs=3, batch=16, rate=2e-3), say)
"""


def test_a_killed_training_goes_on(settings, tmp_path):
    folder, said = tmp_path / "checkpoint", []
    parts = (settings.data, settings.valid, settings.base, folder)
    done = subprocess.run([sys.executable, "-c", KILLED, *map(str, parts)], capture_output=True, check=False)
    assert done.returncode == 9, done.stderr.decode()
    made = train(None, folder, replace(settings, epochs=3, resume=True), said.append)
    assert epochs_of(said) == [2, 3] and made.report.accuracy > 0.9


# Rows are kept apart


def test_what_is_kept_is_never_trained_on(settings, trained):
    rows = gather(None, settings)
    sets = [{text_key(row.text) for row in part} for part in (rows.train, rows.stop, rows.calibration)]
    assert not sets[0] & sets[1] and not sets[0] & sets[2] and not sets[1] & sets[2]
    kept = read_rows(trained.folder / "calibration.jsonl")
    assert kept == rows.calibration and len(kept) == 240
    assert sum(row.tool is None for row in kept) == 60


def test_texts_of_the_validation_leave_the_training_rows(settings, tmp_path, tiny):
    valid = tiny.make_rows(20, seed=3)
    leaked = [replace(row, text=f"  {row.text.upper()} ") for row in valid]
    train_rows = [*tiny.make_rows(50, seed=1), *leaked]
    files = dict(data=rows_file(tmp_path, train_rows), valid=rows_file(tmp_path, valid, "valid.jsonl"))
    rows = gather(None, replace(settings, **files))
    held = {text_key(row.text) for row in valid}
    assert not {text_key(row.text) for row in rows.train} & held
    assert {text_key(row.text) for row in (*rows.stop, *rows.calibration)} == held


def test_without_validation_rows_a_tenth_is_held_out(settings, tmp_path, tiny):
    data = rows_file(tmp_path, tiny.make_rows(100, seed=1))
    rows = gather(None, replace(settings, data=data, valid=None))
    held = len(rows.stop) + len(rows.calibration)
    assert 30 <= held <= 50 and held + len(rows.train) == 400
    assert len(rows.calibration) > len(rows.stop) > 0


def test_rows_kept_are_seen_by_no_step(quick, tmp_path, monkeypatch):
    """Whatever the optimizer sees is none of them."""
    seen, vocabularies = set(), []
    plain, made = trainer_module.ToolTrainer.compute_loss, fit_module.Vocabulary

    def keep(*args, **kwargs):
        vocabularies.append(made(*args, **kwargs))
        return vocabularies[-1]

    def watch(self, model, inputs, *args, **kwargs):
        for ids, mask in zip(inputs["input_ids"], inputs["attention_mask"], strict=True):
            seen.add(tuple(vocabularies[-1].ids[number] for number in ids[mask.bool()].tolist()))
        return plain(self, model, inputs, *args, **kwargs)

    monkeypatch.setattr(trainer_module.ToolTrainer, "compute_loss", watch)
    monkeypatch.setattr(fit_module, "Vocabulary", keep)
    folder = train(None, tmp_path / "checkpoint", quick).folder
    tokenizer = load_checkpoint(folder).tokenizer

    def ids_of(rows):
        return {tuple(tokenizer(row.text)["input_ids"]) for row in rows}

    assert seen == ids_of(gather(None, quick).train)
    assert not seen & ids_of(read_rows(folder / "calibration.jsonl"))


# Tools and templates

TOOLS = '''
from edgefn import tool

@tool
def set_timer(minutes: int) -> str:
    """Start a timer.

    Args:
        minutes: how long.
    """
    return f"{minutes}"

@tool
def switch_lamp(on: bool = True) -> str:
    """Switch the lamp.

    Args:
        on: on or off.
    """
    return str(on)
'''
SENTENCES = """
language: en
intents:
  set_timer: {data: [{sentences: ["[please|now] (set|start) (one|two|five|ten|twenty) minutes [today|tonight|here]"]}]}
  switch_lamp: {data: [{sentences: ["[please|now] (turn|switch) [lamp|light|bulb] (on|off) [today|tonight|here]"]}]}
"""


@pytest.fixture
def tool_folder(tmp_path):
    folder = tmp_path / "tools"
    folder.mkdir()
    (folder / "home.py").write_text(TOOLS)
    return folder


def test_tools_bring_their_names_schemas_and_sentences(quick, tool_folder, tmp_path):
    (tool_folder / "home.yaml").write_text(SENTENCES)
    registry = Registry.load(tool_folder)
    made = train(registry, tmp_path / "checkpoint", replace(quick, data=None, valid=None, epochs=4))
    loaded = load_checkpoint(made.folder)
    assert loaded.model.keys.tools == ("set_timer", "switch_lamp")
    assert [tool.fingerprint for tool in loaded.tools] == [tool.fingerprint for tool in registry]
    assert all(tool.callable for tool in loaded.tools)
    assert loaded.tools[0].parameters["properties"]["minutes"]["type"] == "integer"
    assert loaded.data == {} and made.report.accuracy > 0.9


def test_the_order_of_the_tools_changes_nothing(tool_folder, quick, tmp_path):
    (tool_folder / "home.yaml").write_text(SENTENCES)
    tools = list(Registry.load(tool_folder))
    rows = [gather(Registry(order), replace(quick, data=None, valid=None)) for order in (tools, tools[::-1])]
    assert rows[0] == rows[1]


# What cannot be used


def refused(error, registry, folder, settings):
    """Train, expect `error`, and see that nothing was written."""
    before = sorted(folder.rglob("*")) if folder.is_dir() else folder.exists()
    with pytest.raises(error) as raised:
        train(registry, folder, settings)
    assert raised.value.hint
    assert (sorted(folder.rglob("*")) if folder.is_dir() else folder.exists()) == before
    return raised.value.message


def test_a_broken_line_is_named(settings, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a", "tool": "x"}\n\n{"text": "b" "tool": "x"}\n')
    message = refused(DataError, None, tmp_path / "out", replace(settings, data=path))
    assert "rows.jsonl, line 3" in message


def test_rows_that_are_missing(settings, tmp_path):
    (tmp_path / "empty.jsonl").write_text("\n")
    out = tmp_path / "out"
    assert "empty.jsonl holds no rows" in refused(
        DataError, None, out, replace(settings, data=tmp_path / "empty.jsonl")
    )
    assert "no file" in refused(DataError, None, out, replace(settings, data=tmp_path / "none.jsonl"))
    assert "no file" in refused(DataError, None, out, replace(settings, valid=tmp_path / "none.jsonl"))
    assert "no rows to train on" in refused(DataError, None, out, replace(settings, data=None))


def test_one_tool_alone(settings, tmp_path, tiny):
    data = rows_file(tmp_path, tiny.make_rows(50, 1, tools=("set_timer",)))
    message = refused(DataError, None, tmp_path / "out", replace(settings, data=data, valid=None))
    assert "nothing to choose between" in message


def test_rows_of_no_tool_only(settings, tmp_path, tiny):
    data = rows_file(tmp_path, tiny.make_rows(50, 1, tools=(None,)))
    refused(DataError, None, tmp_path / "out", replace(settings, data=data, valid=None))


def test_a_label_that_is_no_tool(settings, tool_folder, tmp_path, tiny):
    message = refused(DataError, Registry.load(tool_folder), tmp_path / "out", settings)
    assert "train.jsonl" in message and "'play_music', which is no tool" in message
    data = rows_file(tmp_path, tiny.make_rows(50, 1, tools=("set_timer", "switch_lamp")))
    message = refused(DataError, None, tmp_path / "out", replace(settings, data=data))
    assert "valid.jsonl" in message and "'play_music', which is no tool" in message


def test_a_tool_without_rows(settings, tool_folder, tmp_path, tiny):
    data = rows_file(tmp_path, tiny.make_rows(50, 1, tools=("set_timer", None)))
    message = refused(DataError, Registry.load(tool_folder), tmp_path / "out", replace(settings, data=data, valid=None))
    assert "no row trains switch_lamp" in message


def test_a_tool_whose_rows_all_stand_in_the_validation(settings, tmp_path, tiny):
    rows = tiny.make_rows(30, 1, tools=("set_timer", "switch_lamp"))
    valid = [row for row in rows if row.tool == "set_timer"]
    files = dict(data=rows_file(tmp_path, rows), valid=rows_file(tmp_path, valid, "valid.jsonl"))
    assert "no row trains set_timer" in refused(DataError, None, tmp_path / "out", replace(settings, **files))


def test_too_few_rows_to_hold_any_out(settings, tmp_path):
    data = rows_file(tmp_path, [Row("turn on", "switch_lamp"), Row("set five minutes", "set_timer")])
    message = refused(DataError, None, tmp_path / "out", replace(settings, data=data, valid=None))
    assert "no rows are left to decide when to stop" in message


def test_rows_that_are_all_too_long(settings, tmp_path, tiny):
    rows = [*tiny.make_rows(30, 1, tools=("set_timer", None)), Row("turn on " * 300, "switch_lamp")]
    data = rows_file(tmp_path, rows)
    message = refused(DataError, None, tmp_path / "out", replace(settings, data=data, valid=None))
    assert "every row of switch_lamp has more than 128 tokens" in message


def test_rows_that_are_too_long_are_left_out_with_a_word(quick, tmp_path, tiny):
    data = rows_file(tmp_path, [*tiny.make_rows(30, 1), Row("turn on " * 300, "switch_lamp")])
    said = []
    train(None, tmp_path / "out", replace(quick, data=data), said.append)
    assert "1 rows of more than 128 tokens are left out" in said


def test_out_of_scope_rows_in_the_validation_alone(quick, tmp_path, tiny):
    """A model without a row for "none of these" is not judged by rows it cannot answer; calibration keeps them."""
    data = rows_file(tmp_path, tiny.make_rows(50, 1, tools=tiny.TOOLS))
    made = train(None, tmp_path / "out", replace(quick, data=data, epochs=3))
    assert load_checkpoint(made.folder).model.keys.tools == tiny.TOOLS
    assert made.report.rows == 120 and made.report.accuracy > 0.9
    assert sum(row.tool is None for row in read_rows(made.folder / "calibration.jsonl")) == 60


def test_no_rows_for_calibration(quick, tmp_path):
    made = train(None, tmp_path / "out", replace(quick, calibration_share=0.0))
    assert load_checkpoint(made.folder).calibration is None


def test_a_base_that_is_not_there(settings, tmp_path):
    message = refused(BaseNotFound, None, tmp_path / "out", replace(settings, base="no/such-base"))
    assert "'no/such-base'" in message


def test_an_output_that_is_a_file(settings, tmp_path):
    (tmp_path / "out").write_text("mine")
    assert "is a file" in refused(CheckpointError, None, tmp_path / "out", settings)
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("resume", [False, True])
def test_an_output_folder_that_holds_something_else(settings, tmp_path, resume):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "holiday.jpg").write_bytes(b"mine")
    message = refused(CheckpointError, None, tmp_path / "out", replace(settings, resume=resume))
    assert "is not empty and no checkpoint" in message


FULL = (OSError(28, "No space left on device"), SafetensorError("I/O error: No space left on device"))


def refuse(error):
    def full(*args, **kwargs):
        raise error

    return full


@pytest.mark.parametrize("error", FULL)
def test_a_disk_that_is_full_at_the_end(quick, tmp_path, monkeypatch, error):
    monkeypatch.setattr(checkpoint_module, "save_file", refuse(error))
    with pytest.raises(CheckpointError, match=r"cannot be written: .*No space left") as raised:
        train(None, tmp_path / "out", quick)
    assert raised.value.hint
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"training"}
    monkeypatch.undo()
    said = []
    train(None, tmp_path / "out", replace(quick, resume=True), said.append)
    assert epochs_of(said) == []  # the work was not lost


@pytest.mark.parametrize("error", FULL)
def test_a_disk_that_is_full_meanwhile(quick, tmp_path, monkeypatch, error):
    monkeypatch.setattr(trainer_module, "save_file", refuse(error))
    with pytest.raises(CheckpointError, match="No space left") as raised:
        train(None, tmp_path / "out", quick)
    assert "--resume" in raised.value.hint
    assert not (tmp_path / "out" / "config.json").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_may_not_be_written(quick, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(CheckpointError):
        train(None, Path(tmp_path / "closed" / "out"), quick)
