"""From a checkpoint to a bundle that answers, in Python and on the command line."""

import dataclasses
import importlib.util
import json
import re
import shutil

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from edgefn.export import pipeline
from edgefn.export.calibrate import Goal
from edgefn.export.checkpoint import load_checkpoint
from edgefn.export.data import digest, write_rows
from edgefn.export.pipeline import ExportSettings, export_bundle
from edgefn.export.quantize import FILES
from edgefn.export.train import train
from onnx import numpy_helper

import edgefn
from edgefn.bundle import read_bundle
from edgefn.cli import main
from edgefn.errors import (
    BundleExists,
    CheckpointError,
    DataError,
    EngineError,
    GateRefused,
    ParityError,
)
from edgefn.evaluation import judge
from edgefn.manifest import FORMAT
from edgefn.rows import Row
from edgefn.selftest import rows_from, rows_to

HOWS = pytest.mark.parametrize("how", ["int8", "none", "fp16"])


@pytest.fixture
def refuses(tmp_path):
    """Exports to a bundle that must not come to be."""

    def check(error, source, settings=None, match=None):
        with pytest.raises(error, match=match) as raised:
            export_bundle(source, tmp_path / "out.bundle", settings)
        assert raised.value.hint
        assert not [path for path in tmp_path.iterdir() if "out.bundle" in path.name]
        return raised.value

    return check


@pytest.fixture
def rows_path(tmp_path, tiny):
    def write(rows, name="rows.jsonl"):
        write_rows(tmp_path / name, rows)
        return tmp_path / name

    return write


# The whole way


@HOWS
def test_a_bundle_answers(exported, tiny, how):
    dispatcher = edgefn.load(exported[how][0])
    rows = tiny.make_rows(25, seed=7)
    answers = [dispatcher.predict(row.text) for row in rows]
    right = sum(
        isinstance(answer, edgefn.Abstained) if row.tool is None else getattr(answer, "tool", None) == row.tool
        for row, answer in zip(rows, answers, strict=True)
    )
    assert right >= 0.9 * len(rows)
    assert dispatcher.predict_batch([row.text for row in rows]) == answers


def test_a_bundle_fills_arguments(settings, tiny, tmp_path):
    """Rows with values and where they stand become whole calls: a number from its word, a state from the sentence."""
    files = {}
    for name, per_tool, seed in (("train", 150, 11), ("valid", 100, 12)):
        files[name] = tmp_path / f"{name}.jsonl"
        write_rows(files[name], with_arguments(tiny.make_rows(per_tool, seed)))
    chosen = dataclasses.replace(settings, data=files["train"], valid=files["valid"], epochs=8)
    said = []
    trained = train(None, tmp_path / "checkpoint", chosen, said.append)
    epochs = [re.search(r"accuracy ([\d.]+), whole calls ([\d.]+), loss", line) for line in said if "epoch" in line]
    assert all(float(each[2]) <= float(each[1]) for each in epochs)
    exported = export_bundle(trained.folder, tmp_path / "out.bundle", ExportSettings("int8", budget=5))
    heads = exported.manifest.heads
    assert [key[:2] for key in heads.slots] == [("O", ""), ("B", "minutes"), ("I", "minutes")]
    assert heads.choices == (("on", "boolean", None), ("on", "boolean", "false"), ("on", "boolean", "true"))
    fitted = exported.manifest.calibration
    assert min(fitted.tool_temperature, fitted.slot_temperature, fitted.choice_temperature) > 0

    dispatcher = edgefn.load(tmp_path / "out.bundle", selftest=True)
    rows = with_arguments(tiny.make_rows(50, seed=13))
    found = judge(dispatcher.interpreter, rows)
    numbers = found.numbers(fitted.threshold, 0.25)
    assert numbers["tool_accuracy"] > 0.95 and numbers["exact_call"] > 0.85 and numbers["slot_f1"] > 0.9
    assert found.by_parameter["minutes"].right > 0.9 * found.by_parameter["minutes"].rows > 0
    assert found.by_parameter["on"].right > 0.8 * found.by_parameter["on"].rows > 0
    call = dispatcher.predict("please set twenty minutes today")
    assert call.arguments == {"minutes": 20}
    assert [(each.parameter, each.text) for each in call.evidence] == [("minutes", "twenty")]
    selftest = rows_from((tmp_path / "out.bundle" / "selftest.jsonl").read_bytes())
    assert any(row.arguments for row in selftest)


def with_arguments(rows):
    """The rows with what their words say: how many minutes, and whether a lamp goes on."""
    numbers = {"one": 1, "two": 2, "five": 5, "ten": 10, "twenty": 20, "sixty": 60}
    made = []
    for row in rows:
        words = {match[0]: match.span() for match in re.finditer(r"\w+", row.text)}
        number = next((word for word in words if word in numbers), None)
        if row.tool == "set_timer" and number is not None:
            row = dataclasses.replace(row, arguments={"minutes": numbers[number]}, spans=((*words[number], "minutes"),))
        elif row.tool == "switch_lamp" and words.keys() & {"on", "off"}:
            row = dataclasses.replace(row, arguments={"on": "on" in words})
        made.append(row)
    return made


def test_no_tool_of_rows_alone_is_run(exported):
    outcome = edgefn.load(exported["int8"][0])("please turn lamp on today")
    assert outcome == edgefn.Abstained("select_only", "switch_lamp", outcome.probability)


@HOWS
def test_the_precisions_agree(exported, tiny, how):
    rows = tiny.make_rows(25, seed=8)
    exact, other = (edgefn.load(exported[each][0]) for each in ("none", how))
    said = [[getattr(each.predict(row.text), "tool", None) for row in rows] for each in (exact, other)]
    assert sum(a == b for a, b in zip(*said, strict=True)) >= 0.95 * len(rows)


@HOWS
def test_the_files_are_where_others_look(exported, how):
    path, result, _ = exported[how]
    files = {str(each.relative_to(path)) for each in path.rglob("*") if each.is_file()}
    assert files == {"manifest.json", "README.md", "tokenizer.json", "selftest.jsonl", "makers.f16", FILES[how]}
    assert {each.path for each in result.manifest.files} == files - {"manifest.json"}
    assert not [each for each in path.parent.iterdir() if each.name.startswith(".")]


@HOWS
def test_the_manifest_says_everything(exported, trained, settings, how):
    path, result, _ = exported[how]
    manifest = read_bundle(path).manifest
    assert manifest == result.manifest
    assert (manifest.format, manifest.serial, manifest.edgefn) == (FORMAT, 1, edgefn.__version__)
    assert re.fullmatch("sha256:[0-9a-f]{64}", manifest.id)
    checkpoint = load_checkpoint(trained.folder)
    assert manifest.tools == checkpoint.tools
    assert manifest.heads.tools == checkpoint.model.keys.tools and manifest.heads.accepts_added_rows
    assert manifest.heads.scale == pytest.approx(checkpoint.model.tool_head.scale.item())
    graph = manifest.graph
    assert (graph.file, graph.quantization, graph.max_tokens, graph.dim) == (FILES[how], how, 128, 32)
    assert graph.opset >= 17 and graph.minimum_onnxruntime
    rows = manifest.calibration.rows
    assert (rows.source, rows.rows, rows.out_of_scope) == ("calibration.jsonl", 240, 60)
    assert rows.sha256 == digest(trained.folder / "calibration.jsonl")
    assert manifest.calibration.out_of_scope_share == 0.25
    assert manifest.source.checkpoint_sha256 == checkpoint.sha256
    assert manifest.source.base == settings.base
    assert manifest.source.data == {path.name: digest(path) for path in (settings.data, settings.valid)}
    assert len((path / manifest.makers.file).read_bytes()) == 2 * 32 * (3 * 32 + 1)
    tried = manifest.makers.calibration
    assert tried.rows.source == "toolsets/held_out" and 0 < tried.rows.out_of_scope < tried.rows.rows
    assert 0 <= tried.threshold <= 1 and 0 <= tried.argument_threshold <= 1


@HOWS
def test_the_measurements_are_kept(exported, how):
    _, result, _ = exported[how]
    measured = result.manifest.measured
    assert measured["rows"] == 240 and measured["flipped"] == len(result.gate.flips)
    assert measured["flipped_to_wrong"] == result.gate.worse and measured["flipped_to_right"] == result.gate.better
    assert 0 <= measured["parity"] == result.parity <= 1e-4
    assert measured["machine"]["processor"] and measured["machine"]["cores"] >= 1
    assert measured["onnxruntime"] and measured["threads"] >= 1
    for side in ("before", "after"):
        assert set(measured[side]) == {"megabytes", "p50_ms", "tool_accuracy", "exact_call", "auroc", "ece"}
        assert measured[side]["exact_call"] == measured[side]["tool_accuracy"]  # these rows have no arguments
        assert measured[side]["tool_accuracy"] > 0.97 and measured[side]["p50_ms"] > 0
    if how == "none":
        assert result.gate.flips == () and measured["before"]["megabytes"] == measured["after"]["megabytes"]
    else:
        assert measured["after"]["megabytes"] < 0.7 * measured["before"]["megabytes"]


def test_the_graph_on_disk_notes_what_it_is(exported, tiny):
    for how, (path, result, _) in exported.items():
        graph = onnx.load(path / FILES[how])
        notes = {each.key: each.value for each in graph.metadata_props}
        assert json.loads(notes["edgefn.tools"]) == [*tiny.TOOLS, None] and notes["edgefn.format"] == str(FORMAT)
        assert result.manifest.graph.opset == next(each.version for each in graph.opset_import if each.domain == "")


@HOWS
def test_the_model_card_has_the_numbers(exported, trained, tiny, how):
    path, result, _ = exported[how]
    card = (path / "README.md").read_text(encoding="utf-8")
    calibration, measured = result.manifest.calibration, result.manifest.measured
    for side in ("before", "after"):
        assert f"{measured[side]['tool_accuracy']:.4f}" in card and f"{measured[side]['auroc']:.4f}" in card
    exact = " | ".join(f"{measured[side]['exact_call']:.4f}" for side in ("before", "after"))
    assert f"| whole calls exact | {exact} |" in card
    assert f"{calibration.threshold:.4f}" in card and "`balanced`" in card
    assert "240 rows of calibration.jsonl, 60 of them out of scope" in card
    assert f"| decisions that flipped | | {measured['flipped']} |" in card
    assert measured["machine"]["processor"] in card
    if calibration.bound is None:
        assert calibration.no_bound_reason in card
    else:
        assert f"{calibration.bound.threshold:.4f}" in card and "95% confidence" in card
    for name in tiny.TOOLS:
        assert f"| `{name}` |" in card
    assert "not authenticity" in card


def test_every_step_is_said(exported):
    for _, _, said in exported.values():
        steps = ["read", "exported", "quantized", "added", "gate", "calibrated", "packed"]
        assert [line.split()[0] for line in said] == steps


# Selftest


@HOWS
def test_the_selftest_passes(exported, tiny, how):
    path, _, _ = exported[how]
    edgefn.load(path, selftest=True)
    rows = rows_from((path / "selftest.jsonl").read_bytes())
    assert {row.tool for row in rows} == {*tiny.TOOLS, None}
    assert max(row.margin for row in rows) >= 0.1


def test_the_selftest_finds_a_device_that_decides_differently(exported, tmp_path):
    bundle = read_bundle(exported["none"][0])
    rows = [
        type(row)(row.text, "set_timer" if row.tool is None else None, {}, row.margin)
        for row in rows_from(bundle.read("selftest.jsonl"))
    ]
    files = {**bundle.files, "selftest.jsonl": rows_to(rows)}
    edgefn.bundle.write_bundle(tmp_path / "other.bundle", bundle.manifest, files)
    edgefn.load(tmp_path / "other.bundle")
    with pytest.raises(EngineError, match="selftest decisions flip"):
        edgefn.load(tmp_path / "other.bundle", selftest=True)


# Foreign checkpoints


@pytest.mark.parametrize("kind", ["bert", "distilbert", "roberta", "xlm-roberta"])
def test_a_foreign_classifier_needs_rows_and_works_with_them(foreign, refuses, rows_path, tiny, tmp_path, kind):
    assert "--calibrate" in refuses(DataError, foreign[kind], match="keeps no calibration rows").hint
    rows = rows_path(tiny.make_rows(20, seed=3))
    said = export_bundle(foreign[kind], tmp_path / "out.bundle", ExportSettings(calibrate=rows, budget=100))
    manifest = said.manifest
    assert manifest.heads.tools == tiny.TOOLS and not manifest.heads.accepts_added_rows
    assert manifest.calibration.rows.source == "rows.jsonl" and manifest.calibration.rows.out_of_scope == 20
    assert not any(tool.callable for tool in manifest.tools)
    assert manifest.makers is None and not (tmp_path / "out.bundle" / "makers.f16").exists()
    answer = edgefn.load(tmp_path / "out.bundle").predict("please turn lamp on today")
    assert isinstance(answer, edgefn.ToolCall | edgefn.Abstained)


def test_rows_given_replace_those_that_were_kept(trained, tmp_path, rows_path, tiny):
    rows = rows_path(tiny.make_rows(30, seed=9, tools=tiny.TOOLS), "mine.jsonl")
    exported = export_bundle(trained.folder, tmp_path / "out.bundle", ExportSettings("none", calibrate=rows))
    kept = exported.manifest.calibration.rows
    assert (kept.source, kept.rows, kept.out_of_scope, kept.sha256) == ("mine.jsonl", 90, 0, digest(rows))
    assert exported.manifest.measured["before"]["auroc"] is None
    assert "n/a" in (tmp_path / "out.bundle" / "README.md").read_text()


# What is refused


def test_an_existing_bundle_is_refused_before_any_work(exported, trained, monkeypatch):
    path, _, _ = exported["none"]
    monkeypatch.setattr(pipeline, "load_checkpoint", lambda source: pytest.fail("work was begun"))
    before = {each: each.read_bytes() for each in path.rglob("*") if each.is_file()}
    with pytest.raises(BundleExists) as raised:
        export_bundle(trained.folder, path)
    assert str(path) in raised.value.message and "--force" in raised.value.hint
    assert {each: each.read_bytes() for each in path.rglob("*") if each.is_file()} == before


def test_force_replaces_a_bundle_and_counts_up(exported, trained, tmp_path):
    path = shutil.copytree(exported["int8"][0], tmp_path / "out.bundle")
    result = export_bundle(trained.folder, path, ExportSettings("none", force=True))
    assert result.manifest.serial == 2 and read_bundle(path).manifest.graph.quantization == "none"
    assert not (path / FILES["int8"]).exists()
    assert export_bundle(trained.folder, path, ExportSettings("none", force=True, serial=9)).manifest.serial == 9


def damaging(monkeypatch):
    """Make quantization ruin the tool head: "none of these" always wins."""
    plain = pipeline.quantize

    def ruin(graph, how, folder):
        ruined = onnx.ModelProto.FromString(plain(graph, how, folder).SerializeToString())
        bias = next(each for each in ruined.graph.initializer if each.name == "tool_head.bias")
        bias.CopyFrom(numpy_helper.from_array(np.array([0, 0, 0, 90], dtype="f4"), bias.name))
        return ruined

    monkeypatch.setattr(pipeline, "quantize", ruin)


def test_a_loss_over_the_budget_writes_nothing(trained, refuses, monkeypatch):
    damaging(monkeypatch)
    error = refuses(GateRefused, trained.folder, match="costs 7.* points on 240 rows")
    assert "--quantize" in error.hint


def test_a_loss_that_is_allowed_is_written_with_its_flips(trained, tmp_path, monkeypatch):
    damaging(monkeypatch)
    exported = export_bundle(trained.folder, tmp_path / "out.bundle", ExportSettings(budget=100))
    assert len(exported.gate.flips) >= 170 and exported.manifest.measured["flipped_to_wrong"] >= 170
    assert {flip.after for flip in exported.gate.flips} == {""}


def test_a_graph_that_differs_from_pytorch_writes_nothing(trained, refuses, monkeypatch):
    plain = pipeline.to_onnx

    def change(model, folder):
        graph = plain(model, folder)
        model.tool_head.bias.data += 1
        return graph

    monkeypatch.setattr(pipeline, "to_onnx", change)
    refuses(ParityError, trained.folder)


def test_a_bound_that_cannot_be_had_writes_nothing(trained, refuses, rows_path, tiny):
    rows = rows_path(tiny.make_rows(10, seed=3))
    error = refuses(DataError, trained.folder, ExportSettings("none", rows, Goal(threshold="risk")), match="risk")
    assert "40 calibration rows" in error.message and "--calibrate" in error.hint


def test_a_threshold_that_is_none_writes_nothing(trained, refuses):
    refuses(
        DataError, trained.folder, ExportSettings("none", goal=Goal(threshold="lax")), match="'lax' is no threshold"
    )


def test_rows_that_cannot_be_used_write_nothing(trained, refuses, rows_path, tiny, tmp_path):
    def given(path):
        return ExportSettings("none", calibrate=path)

    refuses(DataError, trained.folder, given(tmp_path / "nowhere.jsonl"), match="nowhere.jsonl")
    refuses(DataError, trained.folder, given(rows_path([Row("go", "fly")])), match="'fly', which is no tool")
    refuses(
        DataError, trained.folder, given(rows_path(tiny.make_rows(9, 1, tools=(None,)))), match="no calibration row"
    )
    (tmp_path / "broken.jsonl").write_text('{"text": "a", "tool": null}\n{"text": 5}\n')
    refuses(DataError, trained.folder, given(tmp_path / "broken.jsonl"), match="line 2")


def test_a_checkpoint_that_is_none_writes_nothing(refuses, tmp_path, bases):
    refuses(CheckpointError, tmp_path / "nowhere")
    refuses(CheckpointError, bases["bert"], match="neither a checkpoint")


def test_the_work_leaves_nothing_in_the_checkpoint(trained, exported):
    assert "exported.onnx" not in {path.name for path in trained.folder.rglob("*")}
    assert not [path for path in trained.folder.rglob("*") if path.suffix == ".onnx"]


# Options


def test_a_number_is_the_threshold(trained, tmp_path):
    goal = Goal(threshold="0.25", out_of_scope_share=0.5)
    calibration = export_bundle(
        trained.folder, tmp_path / "out.bundle", ExportSettings("none", goal=goal)
    ).manifest.calibration
    assert (calibration.threshold, calibration.threshold_name) == (0.25, "fixed")
    assert calibration.out_of_scope_share == 0.5
    assert edgefn.load(tmp_path / "out.bundle").selector.threshold == 0.25


def test_longer_texts_abstain(trained, tmp_path, rows_path, tiny):
    long = [Row("please turn lamp on " * 3, "switch_lamp"), Row("why " * 1000, None)]
    rows = rows_path([*tiny.make_rows(30, seed=3), *long])
    exported = export_bundle(
        trained.folder, tmp_path / "out.bundle", ExportSettings("none", calibrate=rows, max_tokens=10)
    )
    assert exported.manifest.graph.max_tokens == 10 and exported.manifest.calibration.rows.rows == 122
    dispatcher = edgefn.load(tmp_path / "out.bundle", selftest=True)
    assert dispatcher.predict(long[0].text) == edgefn.Abstained("too_long")
    assert dispatcher.predict("please turn lamp on today").tool == "switch_lamp"


def test_the_model_itself_limits_the_texts(trained, tmp_path):
    exported = export_bundle(trained.folder, tmp_path / "out.bundle", ExportSettings("none", max_tokens=100_000))
    assert exported.manifest.graph.max_tokens == 520
    dispatcher = edgefn.load(tmp_path / "out.bundle")
    assert dispatcher.predict("turn " * 519) == edgefn.Abstained("too_long")
    assert dispatcher.predict("turn " * 518).probability > 0


# The command line


@pytest.fixture(scope="module")
def command():
    def run(*arguments):
        return CliRunner().invoke(main, [str(each) for each in arguments])

    return run


@pytest.fixture(scope="module")
def commanded(command, settings, tmp_path_factory):
    """A checkpoint and a bundle made on the command line, and what was printed."""
    folder = tmp_path_factory.mktemp("commanded")
    options = ("--valid", settings.valid, "--base", settings.base, "--epochs", 4, "--batch", 16, "--rate", 0.002)
    trained = command("train", "--data", settings.data, *options, "-o", folder / "kiosk", "--json")
    exported = command("export", folder / "kiosk", "-o", folder / "kiosk.bundle", "--json")
    return folder, trained, exported


def test_train_and_export_print_one_json_object_each(commanded):
    folder, trained, exported = commanded
    assert trained.exit_code == exported.exit_code == 0, trained.stderr + exported.stderr
    summary = json.loads(trained.stdout)
    assert summary["checkpoint"] == str(folder / "kiosk") and summary["accuracy"] > 0.9
    assert summary.keys() == {"checkpoint", "accuracy", "macro_f1", "trained_parameters", "seconds"}
    made = json.loads(exported.stdout)
    manifest = read_bundle(folder / "kiosk.bundle").manifest
    assert made["bundle"] == str(folder / "kiosk.bundle") and made["id"] == manifest.id
    assert made["gate"] == manifest.measured and len(made["flips"]) == manifest.measured["flipped"]
    assert "epoch 1: validation accuracy" in trained.stderr and "packed" in exported.stderr


def test_the_bundle_answers_on_the_command_line(commanded, command):
    folder, _, _ = commanded
    answer = command("ask", folder / "kiosk.bundle", "please turn lamp on today", "--json", "--dry-run")
    assert answer.exit_code == 0, answer.stderr
    assert "switch_lamp" in answer.stdout and json.loads(answer.stdout)


def test_without_json_a_person_can_read_it(commanded, command, settings, tmp_path):
    folder, _, _ = commanded
    options = ("--base", settings.base, "--epochs", 1, "--tune", "heads")
    trained = command("train", "--data", settings.data, *options, "-o", tmp_path / "other")
    assert trained.exit_code == 0, trained.stderr
    assert "accuracy" in trained.stdout and f"edgefn export {tmp_path / 'other'}" in trained.stdout
    exported = command("export", folder / "kiosk", "-o", tmp_path / "out.bundle", "--quantize", "fp16")
    assert exported.exit_code == 0, exported.stderr
    for word in ("size, MB", "float", "fp16", "tool accuracy", "whole calls exact", "AUROC", "flipped decisions"):
        assert word in exported.stdout


def test_errors_are_lines_with_a_hint_and_a_code(commanded, command, tmp_path, settings):
    folder, _, _ = commanded
    again = command("export", folder / "kiosk", "-o", folder / "kiosk.bundle")
    assert again.exit_code == 4 and not again.stdout
    assert again.stderr.startswith("Error: ") and "\nHint: " in again.stderr and "Traceback" not in again.stderr
    again = command("export", folder / "kiosk", "-o", folder / "kiosk.bundle", "--json")
    assert json.loads(again.stderr)["error"]["kind"] == "BundleExists"
    missing = command("export", tmp_path / "nowhere", "-o", tmp_path / "out.bundle")
    assert missing.exit_code == 1 and "holds no config.json" in missing.stderr
    risk = command("export", folder / "kiosk", "-o", tmp_path / "out", "--threshold", "risk", "--wrong-rate", "0.0001")
    assert risk.exit_code == 1 and "--threshold risk" in risk.stderr and not (tmp_path / "out").exists()
    rows = command("train", "--data", tmp_path / "none.jsonl", "--base", settings.base, "-o", tmp_path / "out")
    assert rows.exit_code == 1 and "there is no file" in rows.stderr and not (tmp_path / "out").exists()
    usage = command("export", folder / "kiosk")
    assert usage.exit_code == 2


def test_without_the_extra_the_install_line_is_shown(command, monkeypatch, tmp_path):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else find(name))
    for line in (["train", "-o", tmp_path / "a"], ["export", tmp_path, "-o", tmp_path / "b"]):
        result = command(*line)
        assert result.exit_code == 1 and "torch not installed" in result.stderr
        assert "pip install 'edgefn[export,cpu]'" in result.stderr
