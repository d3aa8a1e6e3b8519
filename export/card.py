"""The model card: what a bundle can do and how sure one may be of it, in a page a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgefn.inspection import added_in_words, bound_in_words, calibrated_on
from edgefn.manifest import Calibration, Manifest


def model_card(manifest: Manifest) -> str:
    """Return the text of a bundle's README.md."""
    machine = manifest.measured["machine"]
    named = [f"| `{tool.name}` | {tool.description} |" for tool in manifest.tools]
    return "\n".join(
        [
            "# edgefn bundle",
            "",
            f"{_purpose(manifest)} "
            f"Tuned from {manifest.source.base}, "
            f"{manifest.graph.quantization}, utterances of up to {manifest.graph.max_tokens} tokens.",
            "",
            "## Measured at export",
            "",
            f"On {manifest.measured['rows']} rows that training never saw, "
            f"{machine['processor']}, {machine['cores']} cores, {manifest.measured['threads']} threads.",
            "",
            f"| | float | {manifest.graph.quantization} |",
            "|---|---|---|",
            *_table(manifest.measured["before"], manifest.measured["after"]),
            f"| decisions that flipped | | {manifest.measured['flipped']} |",
            "",
            "## Probability and threshold",
            "",
            *_calibration(manifest.calibration),
            "",
            f"Added on the device: {added_in_words(manifest)}.",
            "",
            "## Tools",
            "",
            "| tool | what it does |",
            "|---|---|",
            *named,
            "",
            "The manifest's digests show that no file changed by accident. They are integrity, not authenticity: "
            "nothing here is signed.",
            "",
        ]
    )


def _purpose(manifest: Manifest) -> str:
    if not manifest.tools:
        return "A general bundle: it knows no tool; tools are added on the device and can be called at once."
    return f"Picks one of {len(manifest.tools)} tools for an utterance, or none, and fills its arguments."


def _table(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the lines that compare the float graph with the quantized one."""
    rows = [
        ("graph size, MB", before["megabytes"], after["megabytes"], ".1f"),
        ("one pass, median ms", before["p50_ms"], after["p50_ms"], ".2f"),
        ("tool accuracy", before["tool_accuracy"], after["tool_accuracy"], ".4f"),
        ("whole calls exact", before["exact_call"], after["exact_call"], ".4f"),
        ("AUROC in/out of scope", before["auroc"], after["auroc"], ".4f"),
        ("calibration error (ECE)", before["ece"], after["ece"], ".4f"),
    ]
    return [f"| {name} | {_number(a, form)} | {_number(b, form)} |" for name, a, b, form in rows]


def _calibration(calibration: Calibration) -> list[str]:
    return [
        f"A call is accepted at a probability of {calibration.threshold:.4f} or more "
        f"(`{calibration.threshold_name}`; `balanced` is {calibration.balanced_threshold:.4f}). "
        f"Fitted on {calibrated_on(calibration)}.",
        "",
        f"Bound on wrong calls: {bound_in_words(calibration)}.",
    ]


def _number(value: float | None, form: str) -> str:
    return "n/a" if value is None or value != value else format(value, form)
