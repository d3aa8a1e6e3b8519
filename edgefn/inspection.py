"""A manifest in words."""

from __future__ import annotations

from edgefn.arguments.keys import choice_groups
from edgefn.manifest import Calibration, Heads, Manifest

_MEASURED = {
    "megabytes": ".1f",
    "p50_ms": ".2f",
    "tool_accuracy": ".4f",
    "exact_call": ".4f",
    "auroc": ".4f",
    "ece": ".4f",
}


def describe(manifest: Manifest) -> str:
    """Return a page about a bundle: what it is, how it decides, what was measured."""
    graph, source = manifest.graph, manifest.source
    size = sum(entry.bytes for entry in manifest.files) / 1e6
    lines = [
        f"id          {manifest.id}",
        f"serial      {manifest.serial}   format {manifest.format}   written by edgefn {manifest.edgefn}",
        f"size        {size:.1f} MB in {len(manifest.files) + 1} files, every byte verified "
        "(integrity, not authenticity)",
        f"base        {source.base}",
        f"graph       {graph.file}, {graph.quantization}, opset {graph.opset}, up to {graph.max_tokens} tokens, "
        f"needs onnxruntime {graph.minimum_onnxruntime} or later",
        f"tools       {_tools(manifest)}",
        f"arguments   {_arguments(manifest.heads)}",
        f"none row    {'yes' if None in manifest.heads.tools else 'no'}; "
        f"{'accepts' if manifest.heads.accepts_added_rows else 'accepts no'} added rows",
        *_calibration(manifest.calibration),
        f"added       {added_in_words(manifest)}",
        *_measured(manifest),
    ]
    return "\n".join(lines)


def _tools(manifest: Manifest) -> str:
    if not manifest.tools:
        return "none: a general bundle, every tool is added on the device"
    return f"{len(manifest.tools)}: {', '.join(tool.name for tool in manifest.tools)}"


def added_in_words(manifest: Manifest) -> str:
    """Return what decides about tools added on the device."""
    if manifest.makers is None:
        return "no tools can be"
    added = manifest.makers.calibration
    fitted = f", fitted on {added.rows.rows} trials of {added.rows.source}" if added.rows is not None else ""
    return (
        f"tools are accepted from {added.threshold:.4f} on, their arguments from {added.argument_threshold:.4f}{fitted}"
    )


def _arguments(heads: Heads) -> str:
    """Return what the slot and choice heads were trained for."""
    slots = sum(tag == "B" for tag, _name, _kind in heads.slots)
    values = sum(value is not None for _name, _kind, value in heads.choices)
    return f"{slots} slots, {len(choice_groups(heads))} choices among {values} values"


def bound_in_words(calibration: Calibration) -> str:
    """Return what the bundle promises about wrong calls, or why it promises nothing."""
    bound = calibration.bound
    if bound is None:
        return f"none: {calibration.no_bound_reason}"
    return (
        f"at {bound.threshold:.4f} or more (`risk`), at most {bound.wrong_rate:.1%} of accepted calls are wrong, with "
        f"{bound.confidence:.0%} confidence, where {bound.out_of_scope_share:.1%} of utterances are out of scope and "
        f"utterances resemble the calibration rows ({bound.accepted_rows} of them accepted)"
    )


def calibrated_on(calibration: Calibration) -> str:
    """Return which rows the probability was fitted on."""
    rows = calibration.rows
    if rows is None:
        return "rows unknown"
    return f"{rows.rows} rows of {rows.source}, {rows.out_of_scope} of them out of scope"


def _calibration(calibration: Calibration) -> list[str]:
    return [
        f"threshold   {calibration.threshold:.4f} ({calibration.threshold_name}); "
        f"balanced is {calibration.balanced_threshold:.4f}",
        f"bound       {bound_in_words(calibration)}",
        f"calibrated  on {calibrated_on(calibration)}",
    ]


def _measured(manifest: Manifest) -> list[str]:
    measured = manifest.measured
    if "after" not in measured:
        return []
    machine = measured.get("machine", {})
    lines = [f"measured    {measured['rows']} rows on {machine.get('processor')}, {measured.get('threads')} threads"]
    for name, form in _MEASURED.items():
        before, after = measured["before"].get(name), measured["after"].get(name)
        shown = ["n/a" if value is None else format(value, form) for value in (before, after)]
        lines.append(f"  {name:14} {shown[0]:>8} → {shown[1]:>8}")
    lines.append(f"  decisions that flipped: {measured['flipped']}")
    return lines
