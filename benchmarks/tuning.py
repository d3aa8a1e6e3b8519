"""What each way of tuning costs and brings: `python benchmarks/tuning.py [--data DIR] [--epochs 4]`.

Trains CLINC150's tools four times, with everything of the encoder learning, its biases, low-rank additions, or
nothing but the heads, and prints one JSON object: trained parameters, seconds, and accuracy on validation rows that
training did not see (150 tools and "none of these"). Test rows are not touched.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from edgefn.export.settings import TrainSettings
from edgefn.export.train import train
from edgefn.export.tune import Tune

from edgefn.machine import this_machine

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Train four times and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--epochs", type=int, default=4)
    given = parser.parse_args()
    folder = given.data / "clinc150"
    table = {}
    for how in get_args(Tune):
        print(f"== {how}", file=sys.stderr)
        settings = TrainSettings(
            data=folder / "train.jsonl", valid=folder / "valid.jsonl", tune=how, epochs=given.epochs
        )
        with tempfile.TemporaryDirectory() as work:
            trained = train(None, Path(work), settings, lambda line: print(line, file=sys.stderr, flush=True))
        table[how] = {
            "trained_parameters": trained.trained_parameters,
            "seconds": round(trained.seconds),
            "accuracy": round(trained.report.accuracy, 4),
            "rows": trained.report.rows,
        }
    today = datetime.now(UTC).date().isoformat()
    print(json.dumps({"date": today, "machine": this_machine().to_json(), "epochs": given.epochs, **table}, indent=2))


if __name__ == "__main__":
    main()
