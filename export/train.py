"""`edgefn train`: tools and rows become a checkpoint."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedTokenizerFast

from edgefn.errors import CheckpointError
from edgefn.manifest import Heads
from edgefn.registry import Registry
from edgefn.rows import Row
from edgefn.tool import Tool

from .base import load_tokenizer
from .batches import Collator, infer, tokenize
from .checkpoint import CALIBRATION_FILE, UNFINISHED, is_own, save_checkpoint, trained_tool, writing
from .data import digest, write_rows
from .fit import fit
from .gather import Rows, gather
from .model import ToolModel
from .report import Report, save_confusion_picture, tool_report
from .settings import TrainSettings
from .to_onnx import max_positions

Say = Callable[[str], None]

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
    tools = _tools(registry, rows)
    say(f"{len(tools)} tools; {len(rows.train)} rows to train, {len(rows.stop)} to stop, {len(rows.calibration)} kept")
    tokenizer = load_tokenizer(settings.base)
    none = any(row.tool is None for row in rows.train)
    keys = Heads(tools=(*sorted(tool.name for tool in tools), *([None] if none else [])))
    started = time.perf_counter()
    model, parameters = fit(keys, tokenizer, rows, folder / WORK, settings, say)
    seconds = time.perf_counter() - started
    say(f"trained {parameters:,} parameters in {seconds:.0f} s")
    report = _report(model, tokenizer, rows.stop)
    data = {path.name: digest(path) for path in (settings.data, settings.valid) if path is not None}
    with writing(folder) as unfinished:
        save_checkpoint(unfinished, model, tokenizer, tuple(map(trained_tool, tools)), settings.base, data)
        if rows.calibration:
            write_rows(unfinished / CALIBRATION_FILE, rows.calibration)
        _write_report(unfinished, report, parameters, seconds)
    shutil.rmtree(folder / WORK, ignore_errors=True)
    return Trained(folder, report, parameters, seconds)


def _tools(registry: Registry | None, rows: Rows) -> list[Tool]:
    if registry is not None:
        return list(registry)
    names = sorted({row.tool for row in rows.train if row.tool is not None})
    return [Tool.select_only(name, name.replace("_", " "), {"type": "object", "properties": {}}) for name in names]


def _report(model: ToolModel, tokenizer: PreTrainedTokenizerFast, rows: Sequence[Row]) -> Report:
    examples, _ = tokenize(rows, tokenizer, model.keys, max_positions(model.config))
    logits, _embedding = infer(model, examples, Collator(tokenizer.pad_token_id or 0))
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
