"""A manifest in words."""

from __future__ import annotations

from edgefn.manifest import Calibration, Manifest

_MEASURED = {"megabytes": ".1f", "p50_ms": ".2f", "tool_accuracy": ".4f", "auroc": ".4f", "ece": ".4f"}


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
        f"tools       {len(manifest.tools)}: {', '.join(tool.name for tool in manifest.tools)}",
        f"none row    {'yes' if None in manifest.heads.tools else 'no'}; "
        f"{'accepts' if manifest.heads.accepts_added_rows else 'accepts no'} added rows",
        *_calibration(manifest.calibration),
        *_measured(manifest),
    ]
    return "\n".join(lines)


def _calibration(calibration: Calibration) -> list[str]:
    lines = [
        f"threshold   {calibration.threshold:.4f} ({calibration.threshold_name}); "
        f"balanced is {calibration.balanced_threshold:.4f}"
    ]
    bound = calibration.bound
    if bound is None:
        lines.append(f"bound       none: {calibration.no_bound_reason}")
    else:
        lines.append(
            f"bound       at {bound.threshold:.4f}: at most {bound.wrong_rate:.1%} of accepted calls wrong, "
            f"{bound.confidence:.0%} confidence, {bound.out_of_scope_share:.1%} out of scope, "
            f"{bound.accepted_rows} rows accepted"
        )
    if calibration.rows is not None:
        rows = calibration.rows
        lines.append(f"calibrated  on {rows.rows} rows of {rows.source}, {rows.out_of_scope} out of scope")
    return lines


def _measured(manifest: Manifest) -> list[str]:
    measured = manifest.measured
    if "after" not in measured:
        return []
    machine = measured.get("machine", {})
    lines = [f"measured    {measured['rows']} rows on {machine.get('processor')}, {measured.get('threads')} threads"]
    for name, form in _MEASURED.items():
        before, after = measured["before"][name], measured["after"][name]
        shown = ["n/a" if value is None else format(value, form) for value in (before, after)]
        lines.append(f"  {name:14} {shown[0]:>8} → {shown[1]:>8}")
    lines.append(f"  decisions that flipped: {measured['flipped']}")
    return lines
