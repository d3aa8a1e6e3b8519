"""`edgefn train`: tools and rows become a checkpoint."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional as F
from transformers import PreTrainedTokenizerFast, TrainingArguments, set_seed
from transformers.trainer_utils import get_last_checkpoint

from edgefn.errors import CheckpointError, DataError
from edgefn.machine import this_machine
from edgefn.manifest import Heads
from edgefn.registry import Registry
from edgefn.rows import Row, check_labels, read_rows
from edgefn.tool import Tool

from .base import load_encoder, load_tokenizer
from .batches import Collator, Example, Examples, infer, tokenize
from .checkpoint import CALIBRATION_FILE, save_checkpoint, trained_tool
from .data import digest, drop_seen, hold_out, split, write_rows
from .model import ToolModel
from .report import Report, tool_report
from .sentences import expand
from .settings import TrainSettings
from .templates import find_templates, load_templates
from .to_onnx import max_positions
from .trainer import ToolTrainer
from .tune import merge, prepare, trained_parameters

Say = Callable[[str], None]

_CENTRE = 0.8
"""How much of the mean embedding is taken off the first rows of the tool head: what all utterances share."""


@dataclass(frozen=True)
class Rows:
    """All rows of one training, divided."""

    train: tuple[Row, ...]
    """Learned from."""
    stop: tuple[Row, ...]
    """Decide when to stop, and the report."""
    calibration: tuple[Row, ...]
    """Seen by calibration only."""


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
    set_seed(settings.seed)
    tokenizer = load_tokenizer(settings.base)
    none = any(row.tool is None for row in rows.train)
    heads = Heads(tools=(*sorted(tool.name for tool in tools), *([None] if none else [])))
    model = ToolModel(load_encoder(settings.base), heads)
    started = time.perf_counter()
    parameters = _fit(model, tokenizer, rows, folder / "training", settings, say)
    seconds = time.perf_counter() - started
    say(f"trained {parameters:,} parameters in {seconds:.0f} s")
    report = _report(model, tokenizer, rows.stop, settings)
    data = {path.name: digest(path) for path in (settings.data, settings.valid) if path is not None}
    save_checkpoint(folder, model, tokenizer, tuple(map(trained_tool, tools)), settings.base, data)
    write_rows(folder / CALIBRATION_FILE, rows.calibration)
    _write_report(folder, report, parameters, seconds)
    shutil.rmtree(folder / "training", ignore_errors=True)
    return Trained(folder, report, parameters, seconds)


def gather(registry: Registry | None, settings: TrainSettings) -> Rows:
    """Read, expand, check and divide the rows; nothing that is kept for later is trained on."""
    train = read_rows(settings.data) if settings.data is not None else ()
    if registry is not None:
        check_labels(train, registry.names, settings.data or "data")
        train = (*train, *_expanded(registry, settings))
    if not train:
        raise DataError("there are no rows to train on", hint="give --data rows.jsonl, or templates next to the tools")
    names = registry.names if registry is not None else sorted({row.tool for row in train if row.tool})
    if settings.valid is not None:
        held = read_rows(settings.valid)
        check_labels(held, names, settings.valid)
    else:
        train, held = hold_out(train, seed=settings.seed)
    train = drop_seen(train, held)
    _check_enough(train, names)
    stop, calibration = split(held, settings.calibration_share, settings.seed)
    return Rows(train, stop or calibration, calibration)


def _expanded(registry: Registry, settings: TrainSettings) -> list[Row]:
    sources = sorted({Path(tool.source) for tool in registry if tool.source})
    templates = load_templates(find_templates(sources))
    return [row for row in expand(templates, settings.per_tool, settings.seed) if row.tool in registry]


def _check_enough(rows: Sequence[Row], names: Sequence[str]) -> None:
    counts = Counter(row.tool for row in rows)
    empty = [name for name in names if not counts[name]]
    if empty:
        raise DataError(
            f"no row trains {', '.join(empty[:5])}{' …' if len(empty) > 5 else ''}",
            hint="add rows or sentence templates for each tool, or leave the tool out",
        )
    if len(counts) < 2:
        raise DataError(
            "one tool and nothing else: there is nothing to choose between",
            hint='add out-of-scope rows ("tool": null), or a second tool',
        )


def _tools(registry: Registry | None, rows: Rows) -> list[Tool]:
    if registry is not None:
        return list(registry)
    names = sorted({row.tool for row in rows.train if row.tool is not None})
    return [Tool.select_only(name, name.replace("_", " "), {"type": "object", "properties": {}}) for name in names]


def _fit(
    model: ToolModel, tokenizer: PreTrainedTokenizerFast, rows: Rows, work: Path, settings: TrainSettings, say: Say
) -> int:
    """Train `model` in place; return how many numbers learned."""
    limit = min(settings.max_tokens, max_positions(model.config))
    examples, left_out = tokenize(rows.train, tokenizer, model.keys, limit)
    stop, _ = tokenize(rows.stop, tokenizer, model.keys, limit)
    if left_out:
        say(f"{left_out} rows of more than {limit} tokens are left out")
    collator = Collator(tokenizer.pad_token_id or 0)
    model.half_precision = this_machine().multiplies_bfloat16
    start_rows(model, examples, collator)
    prepare(model, settings.tune)
    repeated = repeat_scarce(examples, model.keys, settings.repeat_out_of_scope)
    trainer = ToolTrainer(model, _arguments(work, settings), repeated, stop, collator, settings, say)
    last = get_last_checkpoint(str(work)) if settings.resume and work.is_dir() else None
    if last is not None:
        say(f"resuming from {Path(last).name}")
        trainer.average.load(Path(last))
    trainer.train(resume_from_checkpoint=last)
    trainer.best.restore(model)
    parameters = trained_parameters(model)
    merge(model)
    model.half_precision = False
    return parameters


def start_rows(model: ToolModel, examples: Examples, collator: Collator) -> None:
    """Start every row of the tool head at the mean embedding of its examples, so that training begins near the end.

    The embeddings are the base's own; most of what all utterances share is taken off.
    """
    _logits, embeddings = infer(model, examples, collator)
    labels = torch.from_numpy(examples.labels())
    rows = torch.stack([embeddings[labels == row].mean(0) for row in range(len(model.keys.tools))])
    rows = F.normalize(rows - _CENTRE * rows.mean(0), dim=-1)
    with torch.no_grad():
        model.tool_head.rows.copy_(rows)


def repeat_scarce(examples: Examples, heads: Heads, times: int) -> Examples:
    """Return the examples with the out-of-scope ones repeated while they are fewer than a tenth of the rows."""
    if None not in heads.tools or times <= 1:
        return examples
    none = heads.tools.index(None)
    outside: list[Example] = [each for each in examples.examples if each.label == none]
    affordable = len(examples) // (10 * max(1, len(outside)))
    return Examples([*examples.examples, *outside * (min(times, max(1, affordable)) - 1)])


def _arguments(work: Path, settings: TrainSettings) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(work),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch,
        learning_rate=settings.rate,
        lr_scheduler_type="cosine",
        warmup_ratio=settings.warmup,
        max_grad_norm=1.0,
        seed=settings.seed,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=1,
        logging_strategy="no",
        report_to="none",  # transformers turns on every tracker it finds
        disable_tqdm=not sys.stderr.isatty(),
        remove_unused_columns=False,
        group_by_length=True,
        length_column_name="length",
        use_cpu=not torch.cuda.is_available(),
    )


def _report(
    model: ToolModel, tokenizer: PreTrainedTokenizerFast, rows: Sequence[Row], settings: TrainSettings
) -> Report:
    examples, _ = tokenize(rows, tokenizer, model.keys, max_positions(model.config))
    logits, _embedding = infer(model, examples, Collator(tokenizer.pad_token_id or 0))
    names = model.keys.tools
    gold = [names[each.label] for each in examples.examples]
    return tool_report(gold, [names[int(index)] for index in logits.argmax(1)])


def _write_report(folder: Path, report: Report, parameters: int, seconds: float) -> None:
    fields = report.to_json() | {"trained_parameters": parameters, "train_seconds": round(seconds, 1)}
    (folder / "report.json").write_text(json.dumps(fields, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    (folder / "report.txt").write_text(report.to_text() + "\n", encoding="utf-8")


def _check_target(folder: Path, resume: bool) -> None:
    if folder.is_file():
        raise CheckpointError(f"{folder} is a file", hint="give a folder with -o")
    if folder.is_dir() and any(folder.iterdir()) and not resume and not (folder / "config.json").is_file():
        leftovers = set(os.listdir(folder)) - {"training"}
        if leftovers:
            raise CheckpointError(f"{folder} is not empty and no checkpoint", hint="choose another -o")
    if not resume:
        shutil.rmtree(folder / "training", ignore_errors=True)
