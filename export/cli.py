"""`edgefn train` and `edgefn export`. Nothing heavy is imported until one of them runs."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgefn.cli import THREADS, json_option, print_json
from edgefn.errors import MissingExtra
from edgefn.registry import Registry

if TYPE_CHECKING:
    from .pipeline import Exported

_ORDINARY = ("valid", "batch", "teachers", "per_tool", "swapped", "mistyped", "resume")
"""Options of training for given tools."""
_NEEDED = ("torch", "transformers", "accelerate", "peft", "optimum", "onnx", "onnxruntime", "hassil", "scipy")


@click.command("train")
@click.argument("tools", type=click.Path(path_type=Path), required=False)
@click.option("--data", type=click.Path(path_type=Path), help="Training rows, JSONL.")
@click.option("--valid", type=click.Path(path_type=Path), help="Validation rows; else a tenth of the data.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Checkpoint folder.")
@click.option("--base", default="all-MiniLM-L6-v2", show_default=True, help="Folder, packaged alias or hub id.")
@click.option(
    "--tune",
    type=click.Choice(["full", "heads", "bitfit", "lora"]),
    default="full",
    show_default=True,
    help="How much of the encoder learns.",
)
@click.option("--epochs", type=click.IntRange(1), help="Passes over the rows, at most.")
@click.option("--batch", type=click.IntRange(1), help="Rows per step.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Learning rate of the last layer.")
@click.option("--teachers", type=click.IntRange(0), help="Models trained first, to learn from; 0 by default.")
@click.option("--per-tool", type=click.IntRange(1), help="Sentences from each tool's templates, at most.")
@click.option("--swapped", type=click.FloatRange(0), help="Added rows with another value, as a share of the rows.")
@click.option("--mistyped", type=click.FloatRange(0), help="Added rows with a typing error, as a share of the rows.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--resume", is_flag=True, help="Go on after an interruption.")
@click.option("--general", is_flag=True, help="Learn to read tools never seen; TOOLS are tool sets, see the docs.")
@json_option
def train_command(tools: Path | None, output: Path, general: bool, as_json: bool, **options: Any) -> None:
    """Fine-tune a base model for TOOLS (a file or folder); without TOOLS, for the tools that the rows name."""
    _require_extra()
    if general:
        return _train_general(tools, output, as_json, options)
    from .settings import TrainSettings
    from .train import train

    registry = None if tools is None else Registry.load(tools)
    for each in () if registry is None else registry.broken:
        click.echo(f"Skipped {each.path}: {each.error}", err=True)
    given = {name: value for name, value in options.items() if value is not None}
    trained = train(registry, output, TrainSettings(**given), _say)
    summary = {
        "checkpoint": str(output),
        "accuracy": trained.report.accuracy,
        "macro_f1": trained.report.macro_f1,
        "trained_parameters": trained.trained_parameters,
        "seconds": round(trained.seconds, 1),
    }
    if as_json:
        print_json(summary)
    else:
        click.echo(trained.report.to_text())
        click.echo(f"\nWrote {output}; next: edgefn export {output} -o {output.name}.bundle")


def _train_general(tools: Path | None, output: Path, as_json: bool, options: Mapping[str, Any]) -> None:
    """Train on the packaged tool sets and those at `tools`, whose rows lie in the folder --data."""
    from .general import GeneralSettings
    from .toolsets import PACKAGED, read_tool_sets
    from .train import train_general

    if options.get("data") is not None and tools is None:
        raise click.UsageError("--data is the folder that rows of TOOLS lie in; give TOOLS")
    refused = sorted(name for name in _ORDINARY if options.get(name))
    refused += ["tune"] if options["tune"] != "full" else []
    if refused:
        raise click.UsageError(f"--{refused[0].replace('_', '-')} does not go with --general")
    sets = [*read_tool_sets([PACKAGED]), *(read_tool_sets([tools], options["data"]) if tools is not None else ())]
    given = {name: options[name] for name in ("epochs", "rate", "seed") if options[name] is not None}
    seconds = train_general(sets, output, GeneralSettings(**given), options["base"], _say)
    if as_json:
        print_json({"checkpoint": str(output), "tool_sets": len(sets), "seconds": round(seconds, 1)})
    else:
        click.echo(f"Wrote {output}; next: edgefn export {output} -o {output.name}.bundle")


@click.command("export")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Bundle folder.")
@click.option(
    "--quantize", "quantization", type=click.Choice(["int8", "fp16", "none"]), default="int8", show_default=True
)
@click.option("--calibrate", type=click.Path(path_type=Path), help="Rows instead of those the checkpoint kept.")
@click.option("--threshold", default="balanced", show_default=True, help="risk, balanced, or a number.")
@click.option("--wrong-rate", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.02,
              show_default=True, help="Wrong ÷ accepted calls that `risk` bounds.")  # fmt: skip
@click.option("--confidence", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.95,
              show_default=True, help="Confidence of that bound.")  # fmt: skip
@click.option("--out-of-scope-share", type=click.FloatRange(0, 1, max_open=True), help="π; else the rows' own.")
@click.option(
    "--budget", type=click.FloatRange(0), default=0.5, show_default=True, help="Points quantization may cost."
)
@click.option("--max-tokens", type=click.IntRange(4), help="Longer texts abstain; 128, of a general bundle 256.")
@click.option("--threads", type=THREADS, default=0, help="Threads of the measurements; 0 chooses.")
@click.option("--serial", type=click.IntRange(0), default=1, help="Least serial number of the bundle.")
@click.option("--force", is_flag=True, help="Replace an existing bundle.")
@json_option
def export_command(
    checkpoint: Path,
    output: Path,
    threshold: str,
    wrong_rate: float,
    confidence: float,
    out_of_scope_share: float | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Make a bundle of a CHECKPOINT: ONNX, fuse, quantize, gate, calibrate, pack."""
    _require_extra()
    from .calibrate import Goal
    from .pipeline import ExportSettings, export_bundle

    goal = Goal(wrong_rate, confidence, out_of_scope_share, threshold)
    exported = export_bundle(checkpoint, output, ExportSettings(goal=goal, **options), _say)
    if as_json:
        print_json({"bundle": str(output), "id": exported.manifest.id, "gate": exported.manifest.measured,
                    "flips": exported.gate.to_json()["flips"]})  # fmt: skip
    else:
        click.echo(_table(exported))


def _table(exported: Exported) -> str:
    """Return the table of before and after, and every decision that flipped."""
    before, after = exported.gate.before, exported.gate.after
    rows = [
        ("size, MB", before.megabytes, after.megabytes, ".1f"),
        ("one pass, median ms", before.p50_ms, after.p50_ms, ".2f"),
        ("tool accuracy", before.tool_accuracy, after.tool_accuracy, ".4f"),
        ("whole calls exact", before.exact_call, after.exact_call, ".4f"),
        ("AUROC", before.auroc, after.auroc, ".4f"),
        ("calibration error", before.ece, after.ece, ".4f"),
    ]
    lines = [f"{'':20} {'float':>9} {exported.manifest.graph.quantization:>9}"]
    lines += [f"{name:20} {format(a, form):>9} {format(b, form):>9}" for name, a, b, form in rows]
    lines.append(f"{'flipped decisions':20} {'':9} {len(exported.gate.flips):>9}  of {exported.gate.rows}")
    lines += [
        f"  {flip.text!r}: {flip.before or 'none of these'} → {flip.after or 'none of these'}"
        f"  (right: {flip.gold or 'none of these'})"
        for flip in exported.gate.flips
    ]
    return "\n".join(lines)


def _say(line: str) -> None:
    click.echo(line, err=True)


def _require_extra() -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"{', '.join(missing)} not installed", hint="pip install 'edgefn[export,cpu]' (or [export,gpu])"
        )
