"""Every knob of training, with the value chosen on CLINC150's validation rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .base import DEFAULT_BASE
from .tune import Tune

_RATES: dict[Tune, float] = {"full": 2.5e-4, "heads": 1e-3, "bitfit": 2e-3, "lora": 1e-3}


@dataclass(frozen=True)
class TrainSettings:
    """How to train."""

    data: Path | None = None
    """Training rows; None when the tools' sentence templates are all there is."""
    valid: Path | None = None
    """Validation rows, divided into early stopping and calibration; None holds out a tenth of the training rows."""
    base: str = DEFAULT_BASE
    """Folder, packaged alias or hub id of the base model."""
    tune: Tune = "full"
    """How much of the encoder learns."""
    seed: int = 0
    """Seed of everything drawn at random."""
    epochs: int = 6
    """Passes over the rows, at most."""
    patience: int = 4
    """Epochs without a better validation accuracy before training stops."""
    batch: int = 64
    """Rows per step."""
    rate: float | None = None
    """Learning rate of the encoder's last layer; None takes what suits `tune`."""
    head_rate: float = 1e-3
    """Learning rate of the heads."""
    layer_decay: float = 0.9
    """Factor on the rate for every layer further from the heads."""
    weight_decay: float = 0.01
    """Decay of the encoder's matrices."""
    warmup: float = 0.08
    """Share of the steps over which the rate rises."""
    average_decay: float = 0.998
    """Decay of the moving average of the weights."""
    slot_weight: float = 1.0
    """Weight of the slots' loss against the tool's."""
    made_tools: int = 6
    """Tools a step, at most, whose rows are made from descriptions, for tools that are added later; 0 for none."""
    made_weight: float = 0.3
    """Weight of the loss on them."""
    swapped: float = 0.0
    """Rows with a value swapped for another of the same slot, as a share of the training rows."""
    mistyped: float = 0.0
    """Rows with a typing error, as a share of the training rows."""
    repeat_out_of_scope: int = 5
    """How often each out-of-scope row is seen in an epoch, at most, where they are fewer than a tenth of all."""
    outlier_weight: float = 0.1
    """Weight of the loss on mixes of two tools, taken as "none of these", where out-of-scope rows are so few."""
    per_tool: int = 200
    """Sentences expanded from each tool's templates, at most."""
    calibration_share: float = 0.6
    """Share of the validation rows kept for calibration."""
    teachers: int = 0
    """Models trained first, to start from their average and learn from their opinions; each costs one training."""
    student_epochs: int | None = None
    """Passes of the model that learns from them, at most; None takes `epochs`."""
    teachers_weight: float = 0.7
    """Weight of the teachers' opinion against the labels."""
    teachers_temperature: float = 2.0
    """Softens the opinions."""
    perturbed: float = 0.8
    """Perturbed texts that the teachers are asked about, as a share of the training rows."""
    max_tokens: int = 128
    """Longer rows are left out, with a message."""
    resume: bool = False
    """Go on from the last finished epoch of an interrupted run."""

    @property
    def encoder_rate(self) -> float:
        """Learning rate of the encoder's last layer."""
        return _RATES[self.tune] if self.rate is None else self.rate
