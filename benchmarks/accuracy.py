"""How well a bundle decides: `python benchmarks/accuracy.py clinc150 [--data DIR] [--work DIR]`.

Trains on the train rows, chooses everything on the valid rows, and reports the test rows once, as one JSON object on
standard output. The bundle and its checkpoint stay in the work folder (default .bench/DATASET) for `bound.py` and
`latency.py`. The data folder holds `clinc150/{train,valid,test}.jsonl` (Larson et al. 2019, github.com/clinc/oos-eval,
in edgefn's row form); the default is ../shared/data beside the project.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from edgefn.export.pipeline import ExportSettings, export_bundle
from edgefn.export.settings import TrainSettings
from edgefn.export.train import train

from edgefn.bundle import Bundle, read_bundle
from edgefn.evaluation import Judged, judge, kept_at_recall
from edgefn.loading import open_encoder
from edgefn.machine import this_machine
from edgefn.rows import Row, read_rows
from edgefn.selection import Selector

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = {"bert_kept_at_recall_.523": 0.962, "bert_kept_at_recall_.403": 0.969, "plain_minilm_tool_accuracy": 0.957}
"""BERT-base on CLINC150 (Larson et al. 2019, table 2), and a plain fine-tune of the same MiniLM."""


def clinc150(data: Path, work: Path) -> dict[str, object]:
    """Train, export and report CLINC150."""
    started = time.perf_counter()
    checkpoint, bundles = work / "checkpoint", {"int8": work / "int8.bundle", "none": work / "float.bundle"}
    settings = TrainSettings(data=data / "train.jsonl", valid=data / "valid.jsonl", epochs=5, teachers=3)
    trained = train(None, checkpoint, settings, say)
    for quantization, bundle in bundles.items():
        export_bundle(checkpoint, bundle, ExportSettings(quantization=quantization, force=True), say)  # type: ignore[arg-type]
    seconds = time.perf_counter() - started
    rows = read_rows(data / "test.jsonl")
    opened = {name: read_bundle(path) for name, path in bundles.items()}
    judged = {name: _judge(bundle, rows) for name, bundle in opened.items()}
    return {
        "int8": _numbers(opened["int8"], judged["int8"]),
        "float": _numbers(opened["none"], judged["none"]),
        "int8_minus_float_points": round(_points(judged["none"], judged["int8"]), 3),
        "flips": _flips(judged["none"], judged["int8"], rows),
        "published": PUBLISHED,
        "train_seconds": round(trained.seconds),
        "total_seconds": round(seconds),
    }


def _judge(bundle: Bundle, rows: tuple[Row, ...]) -> Judged:
    manifest = bundle.manifest
    return judge(open_encoder(bundle), Selector(manifest.heads, manifest.calibration), rows)


def _points(before: Judged, after: Judged) -> float:
    """Return by how many points of tool accuracy the second exceeds the first."""
    return 100 * float(after.right.sum() - before.right.sum()) / int(before.in_scope.sum())


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


DATASETS = {"clinc150": clinc150}


def main() -> None:
    """Run one data set and print its JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", choices=DATASETS)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--work", type=Path)
    given = parser.parse_args()
    folder = given.data / given.dataset
    if not folder.is_dir():
        sys.exit(f"{folder} is not there; --data names the folder that holds {given.dataset}/")
    result = DATASETS[given.dataset](folder, given.work or ROOT / ".bench" / given.dataset)
    about = {
        "dataset": given.dataset,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": this_machine().to_json(),
    }
    print(json.dumps(about | result, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
