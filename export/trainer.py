"""`transformers.Trainer` for the tool model: its loss, its optimizer, averaged weights, early stopping."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from .batches import Collator, Examples, Inferred, infer
from .keys import UNLABELLED
from .losses import LabelsOf, call_loss
from .made import MadeRows
from .model import ToolModel
from .settings import TrainSettings
from .tune import parameter_groups

_AVERAGE_FILE = "average.safetensors"
_BEST_FILE = "best.safetensors"
_BEST_SCORE_FILE = "best.json"


class WeightAverage(TrainerCallback):
    """An exponential moving average of the trained weights, which generalises better than the last ones.

    The average of Polyak and Juditsky (1992) in the exponential form; its decay grows with the steps, so that the
    start is forgotten.
    """

    def __init__(self, model: ToolModel, decay: float) -> None:
        """Start from the model's weights."""
        self.decay = decay
        self.weights = {name: p.detach().clone() for name, p in _trained(model).items()}

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Bring rows back to unit length, then move the average towards the weights of this step."""
        self.update(kwargs["model"], state.global_step)

    def update(self, model: ToolModel, step: int) -> None:
        """Do that after step number `step`, counted from one."""
        model.to_unit_rows()
        decay = min(self.decay, (1 + step) / (10 + step))
        current = _trained(model)
        torch._foreach_lerp_(list(self.weights.values()), [p.data for p in current.values()], 1 - decay)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Keep the average beside the Trainer's own checkpoint, for resuming."""
        save_file(self.weights, Path(str(args.output_dir)) / f"checkpoint-{state.global_step}" / _AVERAGE_FILE)

    def load(self, checkpoint: Path) -> None:
        """Go on from what `on_save` wrote."""
        for name, weight in load_file(checkpoint / _AVERAGE_FILE).items():
            self.weights[name].copy_(weight)

    def swap(self, model: ToolModel) -> None:
        """Exchange the model's weights and the average; calling it twice undoes it."""
        for name, parameter in _trained(model).items():
            held = parameter.data.clone()
            parameter.data.copy_(self.weights[name])
            self.weights[name].copy_(held)


class KeepBest:
    """Writes the averaged weights whenever validation improves; stops when it has not for `patience` epochs."""

    def __init__(self, folder: Path, patience: int) -> None:
        """Keep the best weights in `folder`; what a resumed run finds there still counts."""
        self.folder = folder
        self.patience = patience
        self.epochs_without = 0
        score = folder / _BEST_SCORE_FILE
        self.best = float(json.loads(score.read_text())["accuracy"]) if score.is_file() else float("-inf")

    def seen(self, accuracy: float, weights: dict[str, Tensor]) -> bool:
        """Take note of an epoch; return whether training should stop."""
        # On a tie the later epoch is kept: it was trained longer and its probabilities are steadier.
        if accuracy >= self.best:
            self.epochs_without = 0 if accuracy > self.best else self.epochs_without + 1
            self.best = accuracy
            self.folder.mkdir(parents=True, exist_ok=True)
            save_file(weights, self.folder / _BEST_FILE)
            (self.folder / _BEST_SCORE_FILE).write_text(json.dumps({"accuracy": accuracy}))
        else:
            self.epochs_without += 1
        return self.epochs_without >= self.patience

    def restore(self, model: ToolModel) -> None:
        """Put the best weights into `model`."""
        model.load_state_dict(load_file(self.folder / _BEST_FILE), strict=False)


def last_finished(work: Path) -> Path | None:
    """Return the newest of the Trainer's checkpoints in `work` that was written whole: the average comes last."""
    whole = (path.parent for path in work.glob(f"checkpoint-*/{_AVERAGE_FILE}"))
    return max(whole, key=lambda folder: int(folder.name.partition("-")[2]), default=None)


class ToolTrainer(Trainer):
    """Trains a `ToolModel`; evaluates its averaged weights on the stop rows after every epoch."""

    def __init__(
        self,
        model: ToolModel,
        args: TrainingArguments,
        examples: Examples,
        stop: Examples,
        collator: Collator,
        labels_of: LabelsOf,
        settings: TrainSettings,
        say: Callable[[str], None],
        made: MadeRows | None = None,
    ) -> None:
        """Join model, rows and settings; `say` gets one line an epoch."""
        self.best = KeepBest(Path(str(args.output_dir)), settings.patience)
        super().__init__(
            model=model,
            args=args,
            train_dataset=examples,
            eval_dataset=stop,
            data_collator=collator,
        )
        self.average = WeightAverage(model, settings.average_decay)  # after the model went to its device
        self.add_callback(self.average)
        self.remove_callback(PrinterCallback)  # `say` tells what it would print
        self.stop = stop
        self.collator = collator
        self.labels_of = labels_of
        self.settings = settings
        self.say = say
        self.made = made

    def compute_loss(
        self, model: torch.nn.Module, inputs: dict[str, Tensor], return_outputs: bool = False, **_: Any
    ) -> Any:
        """Return the loss of one batch."""
        out = model(inputs["input_ids"], inputs["attention_mask"])
        loss = call_loss(self._tool_model, out, inputs, self.labels_of, self.settings)
        if self.made is not None:
            loss = loss + self.settings.made_weight * self.made.loss(self._tool_model, out, inputs, self.labels_of)
        return (loss, out) if return_outputs else loss

    def create_optimizer(self) -> torch.optim.Optimizer:
        """Return AdamW with a rate per layer."""
        chosen = self.settings
        groups = parameter_groups(
            self._tool_model, chosen.encoder_rate, chosen.head_rate, chosen.layer_decay, chosen.weight_decay
        )
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)
        return self.optimizer

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Measure the averaged weights on the stop rows."""
        model = self._tool_model
        self.average.swap(model)
        try:
            inferred = infer(model, self.stop, self.collator)
            labels = torch.from_numpy(self.stop.labels())
            tool_right = inferred.tools.argmax(1) == labels
            accuracy = float((tool_right & arguments_right(inferred, self.stop, self.labels_of)).float().mean())
            loss = float(torch.nn.functional.cross_entropy(inferred.tools, labels))
            stop = self.best.seen(accuracy, _tensors(model))
        finally:
            self.average.swap(model)
        whole = f", whole calls {accuracy:.4f}" if len(model.keys.slots) > 1 or model.keys.choices else ""
        tool_accuracy = float(tool_right.float().mean())
        at = round(self.state.epoch or 0)
        self.say(f"epoch {at}: validation accuracy {tool_accuracy:.4f}{whole}, loss {loss:.4f}")
        self.control.should_training_stop = self.control.should_training_stop or stop
        return {"eval_accuracy": accuracy, "eval_loss": loss}

    @property
    def _tool_model(self) -> ToolModel:
        model = self.accelerator.unwrap_model(self.model)
        return model  # type: ignore[no-any-return]


def arguments_right(inferred: Inferred, examples: Examples, labels_of: LabelsOf) -> Tensor:
    """Return whether every word and every choice of each row gets its label, given the right tool, [rows]."""
    right = torch.ones(len(examples), dtype=torch.bool)
    for row, example in enumerate(examples.examples):
        if example.slots and example.slots[0] != UNLABELLED:
            words = labels_of.restrict(inferred.slots[row][None], torch.tensor([example.label]))[0]
            right[row] = bool((words.argmax(1) == torch.tensor(example.slots)).all())
        for group, target in zip(labels_of.groups, example.choices, strict=True):
            if target != UNLABELLED:
                best = group.rows[int(inferred.choices[row, list(group.rows)].argmax())]
                right[row] &= best == target
    return right


def _trained(model: ToolModel) -> dict[str, torch.nn.Parameter]:
    return {name: each for name, each in model.named_parameters() if each.requires_grad}


def _tensors(model: ToolModel) -> dict[str, Tensor]:
    return {name: each.detach().contiguous() for name, each in _trained(model).items()}
