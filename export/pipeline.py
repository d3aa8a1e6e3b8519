"""The export step from end to end: checkpoint → ONNX → fuse → quantize → gate → calibrate → pack."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from edgefn.added.making import RowMaker
from edgefn.added.table import Table
from edgefn.bundle import check_target, write_bundle
from edgefn.encoder import Encoder, Floats
from edgefn.errors import DataError, ExportError
from edgefn.interpreter import Interpreter
from edgefn.machine import this_machine
from edgefn.manifest import Calibration, CalibrationRows, Heads, Makers, Manifest, TrainedTool
from edgefn.rows import Row, check_labels, read_rows
from edgefn.session import Session, runtime_version

from .added import calibrate_added, fit_choices, half, makers_of, tools_only
from .calibrate import Goal, calibrate, check_threshold
from .checkpoint import Checkpoint, load_checkpoint
from .data import digest
from .fairness import fair
from .gate import DEFAULT_BUDGET, Candidate, GateReport, compare, report
from .model import ToolModel
from .pack import Parts, heads_of, opset_of, pack, stamp
from .quantize import Quantization, quantize
from .scoring import NEUTRAL, Scored
from .to_onnx import check_parity, max_positions, to_onnx
from .trials import EXAMPLES, HELD_OUT, Trials, Tried, closed_said, read_trials, run_trials

Say = Callable[[str], None]


@dataclass(frozen=True)
class ExportSettings:
    """How to export."""

    quantization: Quantization = "int8"
    """int8, fp16 or none."""
    calibrate: Path | None = None
    """Calibration rows; None takes those the checkpoint kept."""
    goal: Goal = field(default_factory=Goal)
    """What the thresholds are chosen for."""
    budget: float = DEFAULT_BUDGET
    """Points of accuracy that quantization may cost."""
    max_tokens: int | None = None
    """Longest utterance in tokens; longer ones abstain. None takes 128, and 256 for a general bundle."""
    threads: int = 0
    """Threads of the measurements; 0 chooses."""
    force: bool = False
    """Replace an existing bundle."""
    serial: int = 1
    """Least serial of the manifest; replacing a bundle counts up from its serial."""
    trials: Path | None = None
    """Folder of tool sets that training never saw, to calibrate added tools on; None takes the packaged ones."""


@dataclass(frozen=True)
class Graphs:
    """A model as ONNX."""

    before: bytes
    """The fused float graph."""
    after: bytes
    """The same, quantized."""
    opset: int
    """Opset of the second."""
    parity: float
    """Largest logit difference between PyTorch and the first."""


@dataclass(frozen=True)
class Exported:
    """What export made."""

    manifest: Manifest
    """As written."""
    gate: GateReport
    """Before and after quantization."""
    parity: float
    """Largest logit difference between PyTorch and the float graph."""


def export_bundle(
    source: Path, target: Path, settings: ExportSettings | None = None, say: Say = lambda line: None
) -> Exported:
    """Export the checkpoint at `source` to a bundle at `target`; `say` gets a line per step.

    Raises:
        CheckpointError, DataError, ExportError, BundleExists, BundleWriteFailed: nothing was written.
    """
    settings = settings or ExportSettings()
    check_target(target, force=settings.force)
    check_threshold(settings.goal.threshold)
    checkpoint = load_checkpoint(source)
    heads = heads_of(checkpoint)
    general = not checkpoint.tools  # it knows no tool: all are added on the device
    rows, described = ((), None) if general else calibration_rows(checkpoint, settings.calibrate)
    say(f"read      {source}: {len(checkpoint.tools)} tools, {len(rows)} calibration rows")
    limit = max_positions(checkpoint.model.config)
    graphs = _graphs(checkpoint, heads, settings.quantization, limit, say)
    max_tokens = min(settings.max_tokens or (256 if general else 128), limit)
    encoders = [_encoder(checkpoint, each, settings.threads, max_tokens) for each in (graphs.before, graphs.after)]
    measured = _measure(checkpoint, heads, rows, described, encoders, graphs, settings, say)
    parts = Parts(
        checkpoint, heads, graphs.after, settings.quantization, graphs.opset, max_tokens,
        measured.calibration, rows, _measured(measured.gate, graphs.parity, encoders[1]), settings.serial,
        measured.makers,
    )  # fmt: skip
    manifest, files = pack(parts, encoders[1])
    manifest = write_bundle(target, manifest, files, force=settings.force)
    say(f"packed    {target}, serial {manifest.serial}, {sum(each.bytes for each in manifest.files) / 1e6:.1f} MB")
    return Exported(manifest, measured.gate, graphs.parity)


@dataclass(frozen=True)
class _Fitted:
    """What was measured, and what was fitted to it."""

    gate: GateReport
    """Before and after quantization, within the budget."""
    calibration: Calibration
    """Probability and threshold."""
    makers: Makers | None
    """How rows of added tools are made, calibrated; None where none can be added."""


def _measure(
    checkpoint: Checkpoint,
    heads: Heads,
    rows: Sequence[Row],
    described: CalibrationRows | None,
    encoders: Sequence[Encoder],
    graphs: Graphs,
    settings: ExportSettings,
    say: Say,
) -> _Fitted:
    """Try added tools, pass the gate, calibrate; raises GateRefused and DataError."""
    makers = makers_of(checkpoint.model) if isinstance(checkpoint.model, ToolModel) else None
    before, after = (
        Candidate(Interpreter(encoder, heads, NEUTRAL, checkpoint.tools, makers=makers), len(graph))
        for encoder, graph in zip(encoders, (graphs.before, graphs.after), strict=True)
    )
    tried = None
    if makers is not None and isinstance(checkpoint.model, ToolModel):
        tried = try_added(after.interpreter, makers, half(checkpoint.model), checkpoint.tools, rows, settings.trials)
        makers = tried.makers
        say(f"added     tools are accepted at {makers.calibration.threshold:.4f}, tried {tried.rows.rows} times")
    if tried is not None and not checkpoint.tools:
        gate, scored, heads = tried.gate(before, after)
        described = tried.rows
    else:
        gate, scored = compare(before, after, heads, rows)
    say(f"gate      {len(gate.flips)} of {gate.rows} decisions flipped, loss {gate.loss_points:+.2f} points")
    gate.enforce(settings.budget)
    calibration = calibrate(scored, heads, settings.goal, described)
    say(f"calibrated threshold {calibration.threshold:.4f} ({calibration.threshold_name})")
    return _Fitted(gate, calibration, makers)


@dataclass(frozen=True)
class TriedAdded:
    """What trials of added tools gave."""

    makers: Makers
    """Calibrated."""
    matrices: Floats
    """Of the makers."""
    trials: Trials
    """The trials."""
    tried: Tried
    """What the quantized graph answered."""
    rows: CalibrationRows
    """How the manifest names the trials."""

    def gate(self, before: Candidate, after: Candidate) -> tuple[GateReport, Scored, Heads]:
        """Compare both graphs on the trials, tools alone: all that a general bundle has to be measured on."""
        maker = RowMaker(before.interpreter.encoder, self.makers, self.matrices)
        was, now = tools_only(run_trials(self.trials, before.interpreter, maker)), tools_only(self.tried)
        rows = [each.row for each in self.trials.trials]
        return report(before, after, was, now, self.tried.heads, rows), now, self.tried.heads


def try_added(
    interpreter: Interpreter,
    makers: Makers,
    matrices: Floats,
    tools: Sequence[TrainedTool],
    rows: Sequence[Row],
    folder: Path | None,
) -> TriedAdded:
    """Fit on trials what decides about added tools; beside trained ones, first where their rows stand."""
    trials, encoder, table = read_trials(folder or HELD_OUT), interpreter.encoder, interpreter.table
    fitted = fit_choices(makers, closed_said(trials, RowMaker(encoder, makers, matrices)))
    heads = Heads(table.trained, scale=table.scale)
    placed = fair(fitted, RowMaker(encoder, fitted, matrices), heads, tools, rows)
    example_bias = None if placed is fitted else placed.calibration.example_bias
    interpreter.table = Table(table.trained, table.scale, placed.tool_bias, placed.calibration.example_bias)
    maker = RowMaker(encoder, placed, matrices)
    tried, with_examples = (run_trials(trials, interpreter, maker, examples) for examples in (0, EXAMPLES))
    source = "toolsets/held_out" if folder is None else folder.name
    described = CalibrationRows(source, trials.sha256, len(trials.trials), trials.out_of_scope)
    calibrated = replace(placed, calibration=calibrate_added(tried, with_examples, described, example_bias))
    return TriedAdded(calibrated, matrices, trials, tried, described)


def _graphs(checkpoint: Checkpoint, heads: Heads, quantization: Quantization, limit: int, say: Say) -> Graphs:
    """Export, fuse, check and quantize in a temporary folder."""
    try:
        with tempfile.TemporaryDirectory() as name:
            work = Path(name)
            floats = to_onnx(checkpoint.model, work)
            before = stamp(floats, heads)
            parity = check_parity(checkpoint.model, before, limit)
            say(f"exported  fused float graph, {len(before) / 1e6:.1f} MB, within {parity:.1e} of PyTorch")
            graph = quantize(floats, quantization, work)
            after = stamp(graph, heads)
            say(f"quantized {quantization}, {len(after) / 1e6:.1f} MB")
            return Graphs(before, after, opset_of(graph), parity)
    except OSError as exc:
        raise ExportError(
            f"the temporary folder cannot be used: {exc}", hint="free space there, or set TMPDIR to another folder"
        ) from exc


def calibration_rows(checkpoint: Checkpoint, given: Path | None) -> tuple[tuple[Row, ...], CalibrationRows]:
    """Return the rows to calibrate on and their description; raises DataError when there are none."""
    path = given or checkpoint.calibration
    if path is None:
        raise DataError(
            f"{checkpoint.folder} keeps no calibration rows",
            hint="give rows it was not trained on: --calibrate rows.jsonl",
        )
    rows = read_rows(path)
    check_labels(rows, [tool.name for tool in checkpoint.tools], path.name)
    outside = sum(row.tool is None for row in rows)
    return rows, CalibrationRows(path.name, digest(path), len(rows), outside)


def _encoder(checkpoint: Checkpoint, graph: bytes, threads: int, max_tokens: int) -> Encoder:
    tokenizer_json = checkpoint.tokenizer.backend_tokenizer.to_str().encode()
    return Encoder(tokenizer_json, Session(graph, threads=threads), max_tokens)


def _measured(gate: GateReport, parity: float, encoder: Encoder) -> dict[str, Any]:
    """Return what the manifest keeps of the measurements; JSON knows no nan, so absent numbers become null."""
    sides = {
        name: {key: None if math.isnan(value) else value for key, value in asdict(side).items()}
        for name, side in (("before", gate.before), ("after", gate.after))
    }
    return {
        **sides,
        "rows": gate.rows,
        "flipped": len(gate.flips),
        "flipped_to_wrong": gate.worse,
        "flipped_to_right": gate.better,
        "parity": parity,
        "machine": this_machine().to_json(),
        "onnxruntime": runtime_version(),
        "threads": encoder.threads,
    }
