"""General training: it learns, repeats, and gives a bundle that takes tools nobody trained."""

import dataclasses
import json
import random
import warnings
from datetime import datetime

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from edgefn.export import toolsets
from edgefn.export.base import load_encoder, load_tokenizer
from edgefn.export.checkpoint import load_checkpoint
from edgefn.export.episodes import epoch, prepare
from edgefn.export.general import GeneralSettings, _with_examples, episode_losses, fit_general, slot_logits
from edgefn.export.pipeline import ExportSettings, export_bundle
from edgefn.export.toolsets import ToolSet, digest_of
from edgefn.export.train import GENERAL, train_general
from torch.nn import functional as F

import edgefn
from edgefn.bundle import read_bundle
from edgefn.cli import main
from edgefn.errors import BaseNotFound, CheckpointError, DataError
from edgefn.rows import Row
from edgefn.tool import Tool

SETTINGS = GeneralSettings(epochs=40, rate=2e-3, head_rate=5e-3, average_decay=0.9)


@pytest.fixture
def model(bases, tiny):
    torch.manual_seed(2)
    return tiny.ToolModel(load_encoder(str(bases["bert"])), GENERAL)


@pytest.fixture(scope="module")
def prepared(home, bases):
    return prepare(home, load_tokenizer(str(bases["bert"])), 128)


@pytest.fixture(scope="module")
def general(home, bases, tmp_path_factory):
    """The checkpoint of a general training on one tool set, and what was said."""
    folder, said = tmp_path_factory.mktemp("general") / "checkpoint", []
    assert train_general([home], folder, SETTINGS, str(bases["bert"]), said.append) > 0
    return folder, said


# The losses


def losses_of(model, prepared, seed=0):
    model.eval()
    (episode,) = epoch([prepared], 600, random.Random(seed))
    return episode_losses(model, episode, 0, GeneralSettings(), random.Random(seed))


def test_every_part_is_learned_from(model, prepared):
    losses = losses_of(model, prepared)
    assert losses.keys() == {"tools", "slots", "choices"} and all(each.isfinite() for each in losses.values())
    sum(losses.values()).backward()
    for name, each in (*model.makers.named_parameters(), *model.encoder.named_parameters()):
        if "pooler" not in name and "position" not in name and "token_type" not in name:
            assert each.grad is not None and each.grad.isfinite().all() and each.grad.abs().sum() > 0, name


def test_what_says_no_argument_teaches_only_tools(model, bases, home):
    rows = tuple(row for row in home.rows if row.tool is None)
    made = prepare(ToolSet("none", home.tools, rows), load_tokenizer(str(bases["bert"])), 128)
    assert losses_of(model, made).keys() == {"tools"}


@pytest.mark.parametrize("bonus", [0.0, 3.0])
def test_no_utterance_is_an_example_for_itself(bonus):
    """Its own logit is that of a row made without it; those of the others are of a row made with it."""
    torch.manual_seed(0)
    scale, bias = torch.tensor(7.0), torch.tensor(bonus)
    tools = F.normalize(torch.randn(3, 8), dim=-1)
    said = F.normalize(torch.randn(4, 8), dim=-1)
    gold = torch.tensor([0, 0, 1, 3])  # the last is for none of them

    def logits(said):
        return _with_examples(scale, said, tools, gold, bias, random.Random(0))

    before = logits(said)
    assert torch.allclose(before[0, 0], scale * said[0] @ F.normalize(tools[0] + said[1], dim=0) + bias, atol=1e-5)
    assert torch.allclose(before[2, 1], scale * said[2] @ tools[1] + bias, atol=1e-5)
    both = F.normalize(tools[0] + said[0] + said[1], dim=0)
    assert torch.allclose(before[2:, 0], scale * said[2:] @ both + bias, atol=1e-5)
    assert torch.allclose(before[:, 2], scale * said @ tools[2] + bias, atol=1e-5)
    changed = said.clone()
    changed[0] = F.normalize(torch.randn(8), dim=0)
    after = logits(changed)
    own = F.normalize(tools[0] + said[1], dim=0)
    assert torch.allclose(after[0, 0], scale * changed[0] @ own + bias, atol=1e-5)
    assert (after[1:, 0] - before[1:, 0]).abs().min() > 1e-3
    assert torch.allclose(after[1:, 1:], before[1:, 1:], atol=1e-5)


def test_slots_are_outside_then_every_b_then_every_i(model):
    tokens, begin, inside = (F.normalize(torch.randn(count, 32), dim=-1) for count in (5, 2, 2))
    with torch.no_grad():
        model.makers.bias.copy_(torch.arange(6.0))
        logits = slot_logits(model, tokens, begin, inside)
        scale = model.slot_head.scale
    assert logits.shape == (5, 5)
    assert torch.allclose(logits[:, 1:3], scale * tokens @ begin.T + 1, atol=1e-5)
    assert torch.allclose(logits[:, 3:], scale * tokens @ inside.T + 2, atol=1e-5)


# The training


def parts(line):
    """The losses that a line of an epoch tells."""
    told = line.partition(": ")[2].partition(";")[0]
    return {name: float(value) for name, value in (each.split() for each in told.split(", "))}


def test_it_learns(general):
    _, said = general
    assert said[0].startswith("1 tool sets, 3 tools, 18 utterances")
    assert len(said) == 1 + SETTINGS.epochs + SETTINGS.head_epochs
    first, last = parts(said[1]), parts(said[-1])
    assert first.keys() == last.keys() == {"tools", "slots", "choices"}
    assert all(last[name] < 0.5 * first[name] for name in first), (first, last)


def test_a_seed_is_a_training(home, bases, tmp_path):
    def weights(name, seed):
        train_general(
            [home], tmp_path / name, dataclasses.replace(SETTINGS, epochs=2, seed=seed), str(bases["bert"])
        )  # fmt: skip
        return [(tmp_path / name / file).read_bytes() for file in ("model.safetensors", "edgefn_heads.safetensors")]

    assert weights("a", 1) == weights("b", 1) != weights("c", 2)


def test_the_encoder_ends_near_its_start_and_the_rest_is_fitted_to_it(model, prepared):
    seen, said = [], []

    def watch(watched):
        seen.append({name: each.detach().clone() for name, each in watched.named_parameters()})
        return "; watched"

    start = {name: each.detach().clone() for name, each in model.named_parameters()}
    settings = dataclasses.replace(SETTINGS, epochs=2, head_epochs=1, start_share=0.25)
    fit_general(model, [prepared], 0, settings, said.append, watch)
    assert len(seen) == 3 and all(line.endswith("; watched") for line in said)
    trained, end = seen[1], dict(model.named_parameters())
    for name, each in end.items():
        if name.startswith("encoder."):
            assert torch.allclose(each, torch.lerp(trained[name], start[name], 0.25), atol=1e-6), name
    assert not torch.equal(end["makers.begin"], trained["makers.begin"])
    # What is watched is the average, and the average is what is left.
    assert all(torch.equal(each, seen[2][name]) for name, each in end.items())


@pytest.mark.parametrize("rows", [(), (Row("why whales sleep", None),), (Row("play " * 200, "play_songs"),)])
def test_sets_that_say_nothing_are_refused(home, bases, tmp_path, rows):
    with pytest.raises(DataError, match="say nothing") as raised:
        train_general([ToolSet("a", home.tools, rows)], tmp_path / "out", SETTINGS, str(bases["bert"]))
    assert raised.value.hint and not (tmp_path / "out").exists()
    with pytest.raises(DataError):
        train_general([], tmp_path / "out", SETTINGS, str(bases["bert"]))


def test_bases_and_folders_are_checked_first(home, bases, tmp_path):
    with pytest.raises(BaseNotFound):
        train_general([home], tmp_path / "out", SETTINGS, str(tmp_path / "nowhere"))
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("dear")
    with pytest.raises(CheckpointError, match="not empty"):
        train_general([home], tmp_path / "letters", SETTINGS, str(bases["bert"]))
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["dear.txt"]


# What comes of it


def test_the_checkpoint_knows_no_tool(general, home, bases):
    loaded = load_checkpoint(general[0])
    assert loaded.tools == () and loaded.calibration is None and loaded.base == str(bases["bert"])
    assert loaded.model.keys.tools == (None,) and loaded.model.keys.slots == (("O", "", ""),)
    assert loaded.data == {"tool sets": digest_of([home])}
    rows = loaded.model.slot_head.rows
    assert torch.allclose(rows.norm(dim=-1), torch.ones(1), atol=1e-2)


@pytest.fixture(scope="module")
def bundle(general, tmp_path_factory):
    path, said = tmp_path_factory.mktemp("bundle") / "general.bundle", []
    return path, export_bundle(general[0], path, ExportSettings("none"), said.append), said


@pytest.fixture
def dispatcher(bundle, home):
    """A device with the three tools, which were not trained into the bundle."""
    made = edgefn.load(bundle[0], selftest=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", edgefn.ToolsWarning)  # they may be near each other
        made.add_all(home.tools)
    return made


def test_the_bundle_has_makers_and_no_tools(bundle, few_trials):
    path, exported, said = bundle
    manifest = read_bundle(path).manifest
    assert manifest.tools == () and manifest.heads.tools == (None,) and manifest.heads.accepts_added_rows
    assert manifest.makers.calibration.rows.source == "toolsets/held_out"
    assert manifest.calibration.rows == manifest.makers.calibration.rows
    assert any("tried" in line for line in said) and exported.parity <= 1e-4
    numbers = [each for each in dataclasses.asdict(manifest.makers.calibration).values() if isinstance(each, float)]
    assert np.isfinite(numbers).all()


def test_without_a_tool_it_abstains(bundle):
    answer = edgefn.load(bundle[0]).predict("please play jazz")
    assert answer == edgefn.Abstained("none_of_these")


def test_added_tools_are_called(dispatcher, home):
    rows = [row for row in home.rows if row.tool is not None]
    answers = [dispatcher.predict(row.text) for row in rows]
    right = [getattr(answer, "tool", None) == row.tool for row, answer in zip(rows, answers, strict=True)]
    assert sum(right) >= 0.8 * len(rows), answers
    jazz = dispatcher.predict("please play jazz")
    assert isinstance(jazz, edgefn.ToolCall) and jazz.arguments["kind"] == "jazz"
    outside = [dispatcher.predict(row.text) for row in home.rows if row.tool is None]
    assert any(isinstance(answer, edgefn.Abstained) for answer in outside)


def test_an_added_function_runs(bundle):
    ran = []

    def start_clock(minutes: int) -> str:
        """Set minutes.

        Args:
            minutes: Minutes.
        """
        ran.append(minutes)
        return "set"

    dispatcher = edgefn.load(bundle[0])
    dispatcher.add(start_clock, ["set five minutes", "start ten minutes"])
    found = dispatcher.interpreter.interpret("set five minutes", datetime(2026, 1, 1))
    assert found.tool.name == "start_clock" and found.tool_probability > 0.5
    # Whether so little training passes the threshold is chance; what passes it runs.
    outcome = dispatcher.finish(found.call())
    assert isinstance(outcome, edgefn.Done | edgefn.NeedsArgument)
    assert ran == ([5] if isinstance(outcome, edgefn.Done) else [])


def test_it_can_be_quantized(general, tmp_path):
    exported = export_bundle(general[0], tmp_path / "out.bundle", ExportSettings(budget=100))
    assert exported.manifest.graph.quantization == "int8" and exported.gate.rows > 20
    made = edgefn.load(tmp_path / "out.bundle", selftest=True)
    made.add(Tool.select_only("play_songs", "Play songs.", {"type": "object", "properties": {}}))
    assert made.predict("why whales sleep") is not None


def test_trials_of_ones_own_can_be_given(general, sets_folder, tmp_path):
    exported = export_bundle(general[0], tmp_path / "out.bundle", ExportSettings("none", trials=sets_folder))
    rows = exported.manifest.makers.calibration.rows
    assert rows.source == sets_folder.name and rows.out_of_scope == 18
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no tool sets"):
        export_bundle(general[0], tmp_path / "other.bundle", ExportSettings("none", trials=tmp_path / "empty"))
    assert not (tmp_path / "other.bundle").exists()


# The command line


@pytest.fixture
def command(sets_folder, monkeypatch):
    """Runs `edgefn train --general`; the packaged sets would take minutes."""
    monkeypatch.setattr(toolsets, "PACKAGED", sets_folder)
    return lambda *arguments: CliRunner().invoke(main, ["train", "--general", *map(str, arguments)])


@pytest.mark.parametrize(
    "options",
    [
        ("--valid", "rows.jsonl"), ("--batch", "3"), ("--teachers", "1"), ("--per-tool", "5"), ("--swapped", "1"),
        ("--mistyped", "1"), ("--resume",), ("--tune", "heads"),
    ],
)  # fmt: skip
def test_options_of_ordinary_training_are_refused(command, tmp_path, options):
    result = command("-o", tmp_path / "out", *options)
    assert result.exit_code == 2 and f"{options[0]} does not go with --general" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_data_folder_needs_tool_sets_whose_rows_lie_there(command, tmp_path):
    result = command("-o", tmp_path / "out", "--data", tmp_path)
    assert result.exit_code == 2 and "give TOOLS" in result.stderr


def test_it_trains_on_the_command_line(command, bases, tmp_path):
    (tmp_path / "more.yaml").write_text("tools: [{name: halt, description: Now.}]\nrows: rows.jsonl\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.jsonl").write_text(json.dumps(Row("go now", "halt").to_json()))
    options = ("--data", tmp_path / "data", "--base", bases["bert"], "--epochs", 1, "--seed", 3)
    result = command(tmp_path / "more.yaml", *options, "-o", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.stderr
    made = json.loads(result.stdout)
    assert made.keys() == {"checkpoint", "tool_sets", "seconds"} and made["tool_sets"] == 2
    assert "2 tool sets, 4 tools, 19 utterances" in result.stderr and load_checkpoint(tmp_path / "out").tools == ()


def test_a_person_is_told_what_comes_next(command, bases, tmp_path):
    result = command("--base", bases["bert"], "--epochs", 1, "-o", tmp_path / "out")
    assert result.exit_code == 0 and f"edgefn export {tmp_path / 'out'}" in result.stdout


def test_a_broken_tool_set_is_one_error(command, bases, tmp_path):
    (tmp_path / "more.yaml").write_text("tools: [{name: halt, says: [No]}]")
    result = command(tmp_path / "more.yaml", "--base", bases["bert"], "-o", tmp_path / "out")
    assert result.exit_code == 1 and "more.yaml" in result.stderr and "Hint: " in result.stderr
    assert "Traceback" not in result.stderr and not (tmp_path / "out").exists()
