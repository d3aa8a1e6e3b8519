"""Does the bound hold? `python benchmarks/bound.py [clinc150|snips] [--data DIR] [--bundle DIR] [--splits 500]`.

Scores the valid and test rows once with the int8 bundle that `accuracy.py` left, then divides them at random 500 times
into halves with the same out-of-scope share. Each time everything is fitted on one half (temperatures, Platt's map, the
bounded threshold) and the rate of wrong calls, arguments included, is counted on the other. Prints how often the
counted rate exceeds the stated one; the bound promises at most 5 %.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from edgefn.export.calibrate import Goal, calibrate
from edgefn.export.scoring import NEUTRAL, Scored, Temperatures, score
from numpy.typing import NDArray

from edgefn.bundle import read_bundle
from edgefn.interpreter import Interpreter
from edgefn.loading import open_encoder
from edgefn.machine import this_machine
from edgefn.manifest import Heads
from edgefn.rows import read_rows
from edgefn.selection import call_probability

ROOT = Path(__file__).resolve().parent.parent


def halves(in_scope: NDArray[np.bool_], generator: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return two random halves of the rows with equal shares out of scope."""
    first, second = [], []
    for side in (np.flatnonzero(in_scope), np.flatnonzero(~in_scope)):
        shuffled = generator.permutation(side)
        first.append(shuffled[: len(side) // 2])
        second.append(shuffled[len(side) // 2 : len(side) // 2 * 2])
    return np.concatenate(first), np.concatenate(second)


def wrong_rate(scored: Scored, heads: Heads, goal: Goal, fit: NDArray[np.intp], check: NDArray[np.intp]) -> Any:
    """Fit on one half; return the wrong rate and the share of in-scope rows kept on the other, None without a bound."""
    calibration = calibrate(scored.subset(fit), heads, goal, None)
    if calibration.bound is None:
        return None
    other = scored.subset(check)
    log_p, right = other.log_p(heads, Temperatures.of(calibration)), other.right
    probability = call_probability(log_p, calibration.platt_slope, calibration.platt_intercept)
    accepted = probability >= calibration.bound.threshold
    return float((~right)[accepted].mean()), float((right & accepted)[other.in_scope].mean())


def main() -> None:
    """Divide, fit and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("dataset", choices=("clinc150", "snips"), nargs="?", default="clinc150")
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--splits", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    bundle = read_bundle(given.bundle or ROOT / ".bench" / given.dataset / "int8.bundle")
    manifest = bundle.manifest
    heads = manifest.heads
    rows = [row for part in ("valid", "test") for row in read_rows(given.data / given.dataset / f"{part}.jsonl")]
    print(f"scoring {len(rows)} rows", file=sys.stderr)
    interpreter = Interpreter(open_encoder(bundle), heads, NEUTRAL, manifest.tools)
    scored = score(interpreter, heads, rows)
    result: dict[str, Any] = {
        "dataset": given.dataset,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": this_machine().to_json(),
        "rows": len(rows),
        "out_of_scope_share": round(float(1 - scored.in_scope.mean()), 4),
        "splits": given.splits,
    }
    for stated in (0.01, 0.02, 0.05):
        generator = np.random.default_rng(given.seed)
        goal = Goal(wrong_rate=stated)
        runs = [wrong_rate(scored, heads, goal, *halves(scored.in_scope, generator)) for _ in range(given.splits)]
        bounded = [run for run in runs if run is not None]
        result[f"stated_{stated}"] = {
            "splits_with_a_bound": len(bounded),
            "exceeded": round(sum(rate > stated for rate, _ in bounded) / given.splits, 4),
            "median_wrong_rate": round(float(np.median([rate for rate, _ in bounded])), 4) if bounded else None,
            "median_in_scope_kept": round(float(np.median([kept for _, kept in bounded])), 4) if bounded else None,
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
