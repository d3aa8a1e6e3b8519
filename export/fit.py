"""Fine-tune the encoder under the tool head: once, or taught by several models of the same kind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch.nn import functional as F
from transformers import PreTrainedModel, PreTrainedTokenizerFast, TrainingArguments, set_seed

from edgefn.errors import CheckpointError, DataError
from edgefn.machine import this_machine
from edgefn.manifest import Heads
from edgefn.tool import Tool

from .base import load_encoder
from .batches import Collator, Example, Examples, infer, softened, tokenize, unlabelled
from .characters import grow_table
from .distill import average, opinions, perturb
from .gather import Rows
from .keys import UNLABELLED
from .losses import LabelsOf
from .made import MadeRows
from .makers import TEXT_TOKENS, inherit, tokens_of
from .model import ToolModel
from .settings import TrainSettings
from .to_onnx import max_positions
from .trainer import ToolTrainer, last_finished
from .tune import merge, prepare, trained_parameters
from .vocabulary import Vocabulary

Say = Callable[[str], None]

_CENTRE = 0.8
"""How much of the mean embedding is taken off the first rows of the tool head: what all utterances share."""


_STUDENT_RATE = 0.6
"""A student's learning rate, of its teachers': it starts where they ended."""


@dataclass(frozen=True)
class Grown:
    """A base's tokenizer with the characters that the rows need."""

    tokenizer: PreTrainedTokenizerFast
    """The tokenizer."""
    added: int = 0
    """How many entries were added at the end of its vocabulary."""

    def encoder(self, base: str, seed: int) -> PreTrainedModel:
        """Return the base's encoder with an embedding for each of them."""
        encoder = load_encoder(base)
        grow_table(encoder, len(self.tokenizer), self.added, seed)
        return encoder


@dataclass(frozen=True)
class Material:
    """What every fine-tune of one training shares."""

    keys: Heads
    """Rows of the heads."""
    examples: Examples
    """The training rows, out-of-scope ones not yet repeated."""
    stop: Examples
    """The rows of early stopping."""
    collator: Collator
    """Makes batches."""
    labels_of: LabelsOf
    """Which slot labels belong to which tool."""
    grown: Grown
    """The base's vocabulary with the characters it lacked."""
    vocabulary: Vocabulary
    """The token ids they use; the examples are numbered by it."""
    settings: TrainSettings
    """How to train."""
    say: Say
    """Gets a line an epoch."""
    made: MadeRows | None = None
    """Judges rows made from descriptions; None where none are."""

    def fresh(self) -> ToolModel:
        """Return the base under new heads."""
        encoder = self.grown.encoder(self.settings.base, self.settings.seed)
        self.vocabulary.narrow(encoder)
        model = ToolModel(encoder, self.keys)
        inherit(model, self.settings.base)
        model.half_precision = this_machine().multiplies_bfloat16
        return model


def fit(
    keys: Heads, grown: Grown, rows: Rows, tools: Mapping[str, Tool], work: Path, settings: TrainSettings, say: Say
) -> tuple[ToolModel, int]:
    """Return a trained model and how many of its numbers learned; unfinished work is left in `work`."""
    set_seed(settings.seed)
    encoder = grown.encoder(settings.base, settings.seed)
    table = encoder.get_input_embeddings().weight.detach()
    tokenizer = grown.tokenizer
    limit = min(settings.max_tokens, max_positions(encoder.config))
    examples, left_out = tokenize(rows.train, tokenizer, keys, tools, limit)
    if left_out:
        say(f"{left_out} rows of more than {limit} tokens are left out")
    stop, _ = tokenize(rows.stop, tokenizer, keys, tools, limit)
    _check_lengths(keys, examples, stop, limit)
    texts = perturb(rows.train, int(settings.perturbed * len(rows.train)), settings.seed) if settings.teachers else []
    extra = unlabelled(texts, tokenizer, keys, limit)
    pad = int(tokenizer.pad_token_id or 0)
    described = {name: tokens_of(tool, tokenizer, TEXT_TOKENS) for name, tool in tools.items()}
    words = Vocabulary((examples, stop, extra), pad, (ids for each in described.values() for ids in each.ids))
    examples, stop, extra = map(words.numbered, (examples, stop, extra))
    settings = without_needless_outliers(settings, examples, keys)
    narrow = {name: replace(each, ids=tuple(map(words.number, each.ids))) for name, each in described.items()}
    made = MadeRows.of(keys.tools, keys.slots, tools, narrow, pad, aside(settings.made_tools, len(tools)))
    material = Material(
        keys, examples, stop, Collator(pad), LabelsOf(keys, tools), grown, words, settings, say,
        made if settings.made_tools else None,
    )  # fmt: skip
    if settings.teachers:
        model, parameters = _taught(material, extra, work)
    else:
        model = material.fresh()
        start_rows(model, examples, material.collator)
        parameters = fine_tune(model, material, examples, work / "final", settings.seed)
    model.to_unit_rows()
    words.widen(model.encoder, table)
    model.half_precision = False
    return model, parameters


def aside(most: int, tools: int) -> int:
    """Return how many tools' rows are put aside in a step: a tenth of the tools, one at least, `most` at most."""
    return min(most, max(1, tools // 10))


def _check_lengths(keys: Heads, examples: Examples, stop: Examples, limit: int) -> None:
    """Raise DataError when a tool has no row that is short enough to learn from."""
    trained = {keys.tools[label] for label in examples.labels()}
    lost = [name or "none of these" for name in keys.tools if name not in trained]
    if lost or not len(stop):
        raise DataError(
            f"every row of {', '.join(lost[:5]) or 'the validation'} has more than {limit} tokens",
            hint="shorten the texts, or add shorter ones",
        )


def _taught(material: Material, extra: Examples, work: Path) -> tuple[ToolModel, int]:
    """Train teachers, then a student that starts at their average; return the average of that start and the student.

    The last step keeps what the start knew beside what the student learned (Wortsman et al. 2022, arXiv:2109.01903).
    """
    settings = material.settings
    states = []
    for number in range(1, settings.teachers + 1):
        done = work / f"teacher-{number}.safetensors"
        if not done.is_file():
            material.say(f"teacher {number} of {settings.teachers}")
            _train_teacher(material, done, work / f"teacher-{number}", settings.seed + number)
        states.append(load_file(done))
    examples = Examples([*material.examples.examples, *extra.examples])
    model = material.fresh()
    soft = opinions((_with(model, state) for state in states), examples, material.collator, material.labels_of)
    material.say(f"asked {len(states)} teachers about {len(examples)} texts, {len(extra)} of them perturbed")
    start = average(states)
    epochs, rate = settings.student_epochs or settings.epochs, _STUDENT_RATE * settings.encoder_rate
    student = replace(material, settings=replace(settings, rate=rate, epochs=epochs))
    parameters = fine_tune(_with(model, start), student, softened(examples, soft), work / "final", settings.seed)
    return _with(model, average([start, model.state_dict()])), parameters


def _train_teacher(material: Material, done: Path, work: Path, seed: int) -> None:
    """Train one teacher and leave its weights at `done`, whole or not at all."""
    # All start from the same rows: only then do their weights have an average that means anything.
    set_seed(material.settings.seed)
    model = material.fresh()
    start_rows(model, material.examples, material.collator)
    set_seed(seed)
    fine_tune(model, material, material.examples, work, seed)
    partial = done.with_suffix(".partial")
    save_file({name: each.contiguous() for name, each in model.state_dict().items()}, partial)
    partial.replace(done)


def _with(model: ToolModel, state: dict[str, torch.Tensor]) -> ToolModel:
    model.load_state_dict(state)
    return model


def fine_tune(model: ToolModel, material: Material, examples: Examples, work: Path, seed: int) -> int:
    """Train `model` in place, keep its best average, fold additions in; return how many numbers learned."""
    settings = material.settings
    prepare(model, settings.tune)
    repeated = repeat_scarce(examples, model.keys, settings.repeat_out_of_scope)
    arguments = _arguments(work, settings, seed)
    trainer = ToolTrainer(
        model, arguments, repeated, material.stop, material.collator, material.labels_of, settings, material.say,
        material.made,
    )  # fmt: skip
    last = last_finished(work) if settings.resume else None
    try:
        if last is not None:
            material.say(f"resuming from {last.name}")
            trainer.average.load(last)
        trainer.train(resume_from_checkpoint=None if last is None else str(last))
        trainer.best.restore(model)
    except (OSError, SafetensorError) as exc:
        raise CheckpointError(
            f"training broke off at {work}: {exc}", hint="free space and go on with --resume, or train again without"
        ) from exc
    parameters = trained_parameters(model)
    merge(model)
    return parameters


def start_rows(model: ToolModel, examples: Examples, collator: Collator) -> None:
    """Start every row of the tool head at the mean embedding of its examples, so that training begins near the end.

    The embeddings are the base's own; most of what all utterances share is taken off.
    """
    embeddings = infer(model, examples, collator).embedding
    labels = torch.from_numpy(examples.labels())
    rows = torch.stack([embeddings[labels == row].mean(0) for row in range(len(model.keys.tools))])
    with torch.no_grad():
        model.tool_head.rows.copy_(F.normalize(rows - _CENTRE * rows.mean(0), dim=-1))


def repeat_scarce(examples: Examples, keys: Heads, times: int) -> Examples:
    """Return the examples with the out-of-scope ones repeated while they are fewer than a tenth of the rows."""
    outside = _outside(examples, keys)
    affordable = len(examples) // (10 * max(1, len(outside)))
    return Examples([*examples.examples, *outside * (min(times, max(1, affordable)) - 1)])


def without_needless_outliers(settings: TrainSettings, examples: Examples, keys: Heads) -> TrainSettings:
    """Return the settings without made-up outliers where at least a tenth of the rows are real ones.

    On CLINC150 (0.7 % out of scope) mixes bring a point of validation accuracy; on the kiosk's rows (13 %, half of
    them near misses) they blur what those rows teach: validation AUROC .975 with them, .989 without.
    """
    plenty = 10 * len(_outside(examples, keys)) >= len(examples)
    return replace(settings, outlier_weight=0.0) if plenty else settings


def _outside(examples: Examples, keys: Heads) -> list[Example]:
    none = keys.tools.index(None) if None in keys.tools else UNLABELLED
    return [each for each in examples.examples if each.label == none != UNLABELLED]


def _arguments(work: Path, settings: TrainSettings, seed: int) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(work),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch,
        learning_rate=settings.encoder_rate,
        lr_scheduler_type="cosine",
        warmup_ratio=settings.warmup,
        max_grad_norm=1.0,
        seed=seed,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=1,
        logging_strategy="no",
        report_to="none",  # transformers turns on every tracker it finds
        disable_tqdm=not sys.stderr.isatty(),
        remove_unused_columns=False,
        group_by_length=True,
        use_cpu=not torch.cuda.is_available(),
    )
