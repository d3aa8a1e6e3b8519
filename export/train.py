"""`edgefn train`: tools and rows become a checkpoint."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from transformers import PreTrainedTokenizerFast, set_seed

from edgefn.arguments.keys import OUTSIDE
from edgefn.arguments.reader import reader_of
from edgefn.errors import CheckpointError, DataError
from edgefn.machine import this_machine
from edgefn.manifest import Heads
from edgefn.registry import Registry
from edgefn.rows import Row
from edgefn.schema import SAID_AS
from edgefn.tool import Tool

from .base import load_encoder, load_tokenizer
from .batches import Collator, infer, tokenize
from .characters import grow_tokenizer
from .checkpoint import CALIBRATION_FILE, UNFINISHED, is_own, save_checkpoint, trained_tool, writing
from .data import digest, write_rows
from .episodes import prepare
from .fit import Grown, fit
from .gather import Rows, gather
from .general import GeneralSettings, fit_general
from .keys import head_keys
from .labels import labelled, varied
from .makers import inherit
from .model import ToolModel
from .report import Report, save_confusion_picture, tool_report
from .schemas import infer_tools
from .settings import TrainSettings
from .to_onnx import max_positions
from .toolsets import ToolSet, digest_of

Say = Callable[[str], None]

GENERAL = Heads(tools=(None,), slots=(OUTSIDE,))
"""The rows of a model that knows no tool: "none of these", and words that fill nothing."""
WORK = "training"
"""Folder inside the checkpoint that an unfinished training leaves and `resume` picks up."""


@dataclass(frozen=True)
class Trained:
    """What training made."""

    folder: Path
    """The checkpoint."""
    report: Report
    """Precision and recall of every tool on the rows of early stopping."""
    trained_parameters: int
    """How many numbers learned."""
    seconds: float
    """Time of the training itself."""


def train(registry: Registry | None, folder: Path, settings: TrainSettings, say: Say = lambda line: None) -> Trained:
    """Fine-tune a base for the tools of `registry` (None: the tools the rows name) and write a checkpoint.

    Raises:
        DataError: rows are missing, broken, or name no tool.
        CheckpointError, BaseNotFound: the base cannot be loaded, or `folder` cannot be used.
    """
    _check_target(folder, settings.resume)
    rows = gather(registry, settings)
    trained = tuple(map(trained_tool, registry if registry is not None else infer_tools(rows.train)))
    tools = {each.name: Tool.select_only(each.name, each.description, each.parameters) for each in trained}
    for parameter in (parameter for tool in tools.values() for parameter in tool.parameters):
        reader_of(parameter)  # refuses what could not be read on the device
    say(f"{len(tools)} tools; {len(rows.train)} rows to train, {len(rows.stop)} to stop, {len(rows.calibration)} kept")
    rows = labelled(rows, tools, say)
    keys = head_keys(list(tools.values()), rows.train, any(row.tool is None for row in rows.train))
    rows = replace(rows, train=(*rows.train, *varied(rows.train, tools, settings)))
    grown = Grown(*grow_tokenizer(load_tokenizer(settings.base), _texts(rows, tools), say))
    started = time.perf_counter()
    model, parameters = fit(keys, grown, rows, tools, folder / WORK, settings, say)
    seconds = time.perf_counter() - started
    say(f"trained {parameters:,} parameters in {seconds:.0f} s")
    report = _report(model, grown.tokenizer, rows.stop, tools)
    data = {path.name: digest(path) for path in (settings.data, settings.valid) if path is not None}
    with writing(folder) as unfinished:
        save_checkpoint(unfinished, model, grown.tokenizer, trained, settings.base, data)
        if rows.calibration:
            write_rows(unfinished / CALIBRATION_FILE, rows.calibration)
        _write_report(unfinished, report, parameters, seconds)
    shutil.rmtree(folder / WORK, ignore_errors=True)
    return Trained(folder, report, parameters, seconds)


def train_general(
    sets: Sequence[ToolSet], folder: Path, settings: GeneralSettings, base: str, say: Say = lambda line: None
) -> float:
    """Train a base to read tools it has never seen, and write a checkpoint that knows no tool; return the seconds.

    Raises:
        DataError: the sets hold nothing to learn from.
        CheckpointError, BaseNotFound: the base cannot be loaded, or `folder` cannot be used.
    """
    _check_target(folder, resume=False)
    tokenizer = load_tokenizer(base)
    set_seed(settings.seed)  # the first rows are drawn too
    model = ToolModel(load_encoder(base), GENERAL)
    inherit(model, base)
    model.half_precision = this_machine().multiplies_bfloat16
    prepared = [prepare(each, tokenizer, settings.max_tokens) for each in sets]
    if not any(each.tool is not None for part in prepared for each in part.said):
        raise DataError("the tool sets say nothing", hint="give sentences under `says`, or rows")
    say(f"{len(prepared)} tool sets, {sum(len(each.tools) for each in prepared)} tools, "
        f"{sum(len(each.said) for each in prepared)} utterances")  # fmt: skip
    started = time.perf_counter()
    fit_general(model, prepared, int(tokenizer.pad_token_id or 0), settings, say)
    seconds = time.perf_counter() - started
    model.half_precision = False
    with writing(folder) as unfinished:
        save_checkpoint(unfinished, model, tokenizer, (), base, {"tool sets": digest_of(sets)})
    return seconds


def _texts(rows: Rows, tools: Mapping[str, Tool]) -> list[str]:
    """Return what the tokenizer must know: the training texts, and names that may be said though no row does."""
    said_as = (each.schema.get(SAID_AS, {}) for tool in tools.values() for each in tool.parameters)
    names = {form for names in said_as for name, forms in names.items() for form in (name, *forms)}
    return [*(row.text for row in rows.train), *sorted(names)]


def _report(
    model: ToolModel, tokenizer: PreTrainedTokenizerFast, rows: Sequence[Row], tools: Mapping[str, Tool]
) -> Report:
    examples, _ = tokenize(rows, tokenizer, model.keys, tools, max_positions(model.config))
    logits = infer(model, examples, Collator(tokenizer.pad_token_id or 0)).tools
    names = model.keys.tools
    gold = [names[each.label] for each in examples.examples]
    return tool_report(gold, [names[int(index)] for index in logits.argmax(1)])


def _write_report(folder: Path, report: Report, parameters: int, seconds: float) -> None:
    fields = report.to_json() | {"trained_parameters": parameters, "train_seconds": round(seconds, 1)}
    (folder / "report.json").write_text(json.dumps(fields, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    (folder / "report.txt").write_text(report.to_text() + "\n", encoding="utf-8")
    save_confusion_picture(report, folder / "confusions.png")


def _check_target(folder: Path, resume: bool) -> None:
    """Refuse a folder that holds something else than a checkpoint of ours, finished or not."""
    if folder.is_file():
        raise CheckpointError(f"{folder} is a file", hint="give a folder with -o")
    if folder.is_dir() and not is_own(folder):
        foreign = [name for name in os.listdir(folder) if name != WORK and not name.startswith(UNFINISHED)]
        if foreign:
            raise CheckpointError(f"{folder} is not empty and no checkpoint of edgefn", hint="choose another -o")
    if not resume:
        shutil.rmtree(folder / WORK, ignore_errors=True)
