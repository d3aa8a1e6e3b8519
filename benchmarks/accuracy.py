"""How well a bundle decides: `python benchmarks/accuracy.py DATASET [--data DIR] [--work DIR]`.

DATASET is clinc150, snips, home_assistant or home_assistant_zh. Trains on the train rows, chooses everything on the
valid rows, and reports the test rows once, as one JSON object on standard output. The bundle and its checkpoint stay in
the work folder (default .bench/DATASET) for `bound.py` and `latency.py`. The data folder, ../shared/data beside the
project by default, holds the rows in edgefn's form: `clinc150/` (Larson et al. 2019, github.com/clinc/oos-eval),
`snips/` (Coucke et al. 2018, arXiv:1805.10190; the division of Goo et al. 2018) and `home_assistant/`
(github.com/home-assistant/intents).
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from edgefn.export.pipeline import ExportSettings, export_bundle
from edgefn.export.schemas import normal_arguments
from edgefn.export.settings import TrainSettings
from edgefn.export.train import train

from edgefn.bundle import Bundle, read_bundle
from edgefn.evaluation import ArgumentCount, Judged, judge, kept_at_recall
from edgefn.interpreter import Interpreter
from edgefn.loading import open_encoder
from edgefn.machine import this_machine
from edgefn.metrics import mean
from edgefn.registry import Registry
from edgefn.rows import Row, read_rows
from edgefn.tool import Tool

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = {"bert_kept_at_recall_.523": 0.962, "bert_kept_at_recall_.403": 0.969, "plain_minilm_tool_accuracy": 0.957}
"""BERT-base on CLINC150 (Larson et al. 2019, table 2), and a plain fine-tune of the same MiniLM."""
JOINT_BERT = {
    "distilbert": {"tool_accuracy": 0.980, "slot_f1": 0.961, "exact_call": 0.910},
    "bert_crf": {"tool_accuracy": 0.9857, "slot_f1": 0.9724, "exact_call": 0.9357},
}
"""SNIPS, README of github.com/monologg/JointBERT: the best of several runs, chosen on test."""
SNIPS: dict[str, Any] = {"epochs": 5, "swapped": 1.0, "teachers": 3, "perturbed": 0.0, "student_epochs": 3}
HOME_ASSISTANT: dict[str, Any] = {"epochs": 4}
"""Settings chosen on validation rows."""


def clinc150(data: Path, work: Path, trained: bool) -> dict[str, object]:
    """Train, export and report CLINC150."""
    settings = TrainSettings(data=data / "train.jsonl", valid=data / "valid.jsonl", epochs=5, teachers=3, made_tools=0)
    seconds = _train(None, work, settings, trained)
    opened = _export(work)
    rows = read_rows(data / "test.jsonl")
    judged = {name: _judge(bundle, rows) for name, bundle in opened.items()}
    return {
        **_sides(opened, judged),
        "int8_minus_float_points": round(_points(judged["none"], judged["int8"]), 3),
        "flips": _flips(judged["none"], judged["int8"], rows),
        "published": PUBLISHED,
        "train_seconds": seconds,
    }


def snips(data: Path, work: Path, trained: bool) -> dict[str, object]:
    """Train, export and report SNIPS: whole calls, the schemas inferred from the rows."""
    settings = TrainSettings(data=data / "train.jsonl", valid=data / "valid.jsonl", **SNIPS, made_tools=0)
    seconds = _train(None, work, settings, trained)
    bundles = _export(work)
    manifest = bundles["int8"].manifest
    tools = {each.name: Tool.select_only(each.name, each.description, each.parameters) for each in manifest.tools}
    rows = tuple(normal_arguments(row, tools[str(row.tool)]) for row in read_rows(data / "test.jsonl"))
    judged = {name: _judge(bundle, rows) for name, bundle in bundles.items()}
    return {
        **_sides(bundles, judged),
        "by_parameter": _shares(judged["int8"].by_parameter),
        "bound": _bound(bundles["int8"], judged["int8"]),
        "published": JOINT_BERT,
        "train_seconds": seconds,
    }


def home_assistant(data: Path, work: Path, trained: bool, lang: str = "en") -> dict[str, object]:
    """Train, export and report Home Assistant's commands, hassil beside us in the same run."""
    from home_assistant import cases
    from home_assistant_hassil import hassil_side

    (case,) = cases(data, work.parent, [lang])
    named = {row.tool for row in read_rows(case.folder / "train.jsonl")}
    registry = Registry(tool for tool in Registry.load(case.tools) if tool.name in named)
    settings = TrainSettings(
        data=case.folder / "train.jsonl", valid=case.folder / "valid.jsonl", **HOME_ASSISTANT, made_tools=0
    )
    seconds = _train(registry, work, settings, trained)
    bundles = _export(work)
    result: dict[str, object] = {"train_seconds": seconds}
    for part in ("test", "test_mistyped"):
        rows = read_rows(case.folder / f"{part}.jsonl")
        judged = {name: _judge(bundle, rows, registry) for name, bundle in bundles.items()}
        result[part] = {
            **_sides(bundles, judged),
            "by_parameter": _shares(judged["int8"].by_parameter),
            "hassil_exact_call": round(mean(np.array(hassil_side(rows, lang, data))), 4),
        }
    return result


def home_assistant_zh(data: Path, work: Path, trained: bool) -> dict[str, object]:
    """The same in Chinese."""
    return home_assistant(data, work, trained, "zh-cn")


def _train(registry: Registry | None, work: Path, settings: TrainSettings, trained: bool) -> int:
    """Train, unless it was `trained` before and the checkpoint is there; return the seconds it took."""
    folder = work / "checkpoint"
    if not trained:
        train(registry, folder, settings, say)
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return round(report["train_seconds"])


def _export(work: Path) -> dict[str, Bundle]:
    """Export the checkpoint in `work` twice, quantized and not, and open both."""
    names = {"int8": "int8.bundle", "none": "float.bundle"}
    for quantization, name in names.items():
        export_bundle(work / "checkpoint", work / name, ExportSettings(quantization=quantization, force=True), say)  # type: ignore[arg-type]
    return {quantization: read_bundle(work / name) for quantization, name in names.items()}


def _sides(opened: dict[str, Bundle], judged: dict[str, Judged]) -> dict[str, object]:
    return {
        "rows": len(judged["int8"].best),
        "int8": _numbers(opened["int8"], judged["int8"]),
        "float": _numbers(opened["none"], judged["none"]),
    }


def _shares(counts: Mapping[str, ArgumentCount]) -> dict[str, str]:
    return {name: f"{count.right / count.rows:.4f} of {count.rows}" for name, count in sorted(counts.items())}


def _bound(bundle: Bundle, judged: Judged) -> dict[str, float] | None:
    """Return the bundle's bound beside what the test rows give at its threshold; None without one."""
    bound = bundle.manifest.calibration.bound
    if bound is None:
        return None
    accepted = judged.probability >= bound.threshold
    return {
        "stated_wrong_rate": bound.wrong_rate,
        "threshold": bound.threshold,
        "wrong_rate": float((~judged.right)[accepted].mean()),
        "accepted": float(accepted.mean()),
    }


def _judge(bundle: Bundle, rows: tuple[Row, ...], tools: Registry | None = None) -> Judged:
    return judge(Interpreter.of(bundle.manifest, open_encoder(bundle), tools or ()), rows)


def _points(before: Judged, after: Judged) -> float:
    """Return by how many points of tool accuracy the second exceeds the first."""
    return 100 * float(after.tool_right.sum() - before.tool_right.sum()) / int(before.in_scope.sum())


def _numbers(bundle: Bundle, judged: Judged) -> dict[str, float | None]:
    calibration = bundle.manifest.calibration
    numbers = judged.numbers(calibration.balanced_threshold, calibration.out_of_scope_share)
    numbers |= {f"kept_at_recall_.{share}": kept_at_recall(judged, share / 1000) for share in (523, 403)}
    numbers |= {"balanced_threshold": calibration.balanced_threshold}
    numbers |= {"bundle_mb": sum(each.bytes for each in bundle.manifest.files) / 1e6}
    return {name: None if math.isnan(value) else round(value, 4) for name, value in numbers.items()}


def _flips(before: Judged, after: Judged, rows: tuple[Row, ...]) -> list[dict[str, str | None]]:
    return [
        {"text": row.text, "right": row.tool, "float": was, "int8": now}
        for row, was, now in zip(rows, before.best, after.best, strict=True)
        if was != now
    ]


def say(line: str) -> None:
    """Show progress on standard error."""
    print(line, file=sys.stderr, flush=True)


DATASETS = {
    "clinc150": clinc150,
    "snips": snips,
    "home_assistant": home_assistant,
    "home_assistant_zh": home_assistant_zh,
}


def main() -> None:
    """Run one data set and print its JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", choices=DATASETS)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--trained", action="store_true", help="report the checkpoint that an earlier run left")
    given = parser.parse_args()
    folder = given.data / given.dataset.removesuffix("_zh")
    if not folder.is_dir():
        sys.exit(f"{folder} is not there; --data names the folder that holds {given.dataset}/")
    result = DATASETS[given.dataset](folder, given.work or ROOT / ".bench" / given.dataset, given.trained)
    about = {
        "dataset": given.dataset,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": this_machine().to_json(),
    }
    print(json.dumps(about | result, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
