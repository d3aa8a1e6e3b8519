"""CLINC150 with 50 of its tools added: the bundle was trained on the other 100 (clinc150_held_out.json has the 50).

Each of the 50 is added with its description in toolsets/clinc150.yaml and five examples drawn from its train rows,
five times over. `tool_accuracy` is that of `accuracy.py`: the best tool of all that are there, "none of these" not
counted, on the test rows. What is accepted is decided by the thresholds in the bundle.

`bound` checks design section 4 for calls of added tools as `bound.py` does: the test rows of the added tools and the
out-of-scope rows are divided at random 500 times, the draws in turn; the code of `export` finds the bounded threshold
on one half from the score and whether the call was right, and on the other half wrong calls are counted among the
accepted ones. A row that a trained tool wins is no call of an added one: another threshold decides on it.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
from bound import halves
from dynamic_asking import Answer, ask, open_bundle, share
from edgefn.export.calibrate import Goal, bounded_threshold
from edgefn.export.toolsets import read_tool_sets

from edgefn.dispatcher import Dispatcher
from edgefn.metrics import Flags, Floats
from edgefn.rows import Row, read_rows
from edgefn.tool import Tool

ROOT = Path(__file__).resolve().parent.parent
HELD_OUT = ROOT / "benchmarks" / "clinc150_held_out.json"
TOOLS = ROOT / "benchmarks" / "toolsets" / "clinc150.yaml"
DRAWS, EXAMPLES, SPLITS = 5, 5, 500
STATED = (0.01, 0.02, 0.05)


@dataclass(frozen=True)
class Calls:
    """Calls of added tools on rows that belong to them or to no tool; arrays are [rows]."""

    log_score: Floats
    """log of the score; -inf where no added tool was called."""
    right: Flags
    """The tool is the row's."""
    in_scope: Flags
    """The row belongs to an added tool."""

    @classmethod
    def of(cls, rows: Sequence[Row], answers: Sequence[Answer], names: frozenset[str]) -> Calls:
        """Keep the calls of the tools `names`, on the rows of these tools and of none."""
        kept = [at for at, row in enumerate(rows) if row.tool is None or row.tool in names]
        rows, answers = [rows[at] for at in kept], [answers[at] for at in kept]
        scores = [answer.score if answer.tool in names else 0.0 for answer in answers]
        with np.errstate(divide="ignore"):
            log_score = np.log(np.array(scores, dtype=float))
        right = [row.tool is not None and row.tool == answer.tool for row, answer in zip(rows, answers, strict=True)]
        return cls(log_score, np.array(right, dtype=bool), np.array([row.tool is not None for row in rows], dtype=bool))

    def wrong_rate(self, rows: np.ndarray[Any, Any], log_threshold: float) -> tuple[float, float]:
        """Return the wrong rate of the accepted calls among some rows, and the share of in-scope rows kept."""
        accepted = self.log_score[rows] >= log_threshold
        right, in_scope = self.right[rows], self.in_scope[rows]
        wrong = float((~right)[accepted].mean()) if accepted.any() else 0.0
        return wrong, float((right & accepted)[in_scope].mean())


def clinc(path: Path, data: Path, limit: int | None = None) -> dict[str, Any]:
    """Measure a bundle that was trained on 100 tools; raises ValueError where it knows one of the other 50."""
    names = frozenset(json.loads(HELD_OUT.read_text(encoding="utf-8")))
    dispatcher = open_bundle(path)
    known = sorted(names & {each.name for each in dispatcher.manifest.tools})
    if known:
        raise ValueError(f"this bundle was trained on {', '.join(known)}: held-out tools must be new to it")
    tools = [tool for each in read_tool_sets([TOOLS], data) for tool in each.tools if tool.name in names]
    rows = sampled(read_rows(data / "clinc150" / "test.jsonl"), limit)
    trained = [row for row in rows if row.tool is not None and row.tool not in names]
    before = accuracy(trained, [ask(dispatcher, row.text) for row in trained], names, added=False)
    train, splits = read_rows(data / "clinc150" / "train.jsonl"), SPLITS if limit is None else 10
    answers = [ask_with(dispatcher, tools, examples(train, names, seed), rows) for seed in range(DRAWS)]
    calls = [Calls.of(rows, each, names) for each in answers]
    return {
        "trained_tools": len(dispatcher.manifest.tools),
        "added_tools": len(tools),
        "examples_each": EXAMPLES,
        "tool_accuracy_trained_before": before,
        **spread([numbers(rows, each, names) for each in answers]),
        "bound": {f"stated_{stated}": exceeded(calls, stated, splits) for stated in STATED},
    }


def sampled(rows: Sequence[Row], limit: int | None) -> tuple[Row, ...]:
    """Return all rows, or about `limit` of them, spread over all."""
    return tuple(rows[:: 1 if limit is None else max(1, len(rows) // limit)])


def examples(rows: Sequence[Row], names: frozenset[str], seed: int) -> dict[str, list[str]]:
    """Draw the examples of each tool from train rows."""
    texts: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.tool in names:
            texts[str(row.tool)].append(row.text)
    draw = random.Random(seed)
    return {name: draw.sample(sorted(texts[name]), EXAMPLES) for name in sorted(names)}


def ask_with(
    dispatcher: Dispatcher, tools: Sequence[Tool], drawn: Mapping[str, Sequence[str]], rows: Sequence[Row]
) -> list[Answer]:
    """Add the tools with their examples, ask, and remove them."""
    for tool in tools:
        dispatcher.add(tool, examples=drawn[tool.name])
    answers = [ask(dispatcher, row.text) for row in rows]
    for tool in tools:
        dispatcher.remove(tool.name)
    return answers


def accuracy(rows: Sequence[Row], answers: Sequence[Answer], names: frozenset[str], added: bool) -> float | None:
    """Return the share of rows of added tools, or of trained ones, whose best tool is right."""
    return share(
        row.tool == answer.tool
        for row, answer in zip(rows, answers, strict=True)
        if row.tool is not None and (row.tool in names) == added
    )


def numbers(rows: Sequence[Row], answers: Sequence[Answer], names: frozenset[str]) -> dict[str, float | None]:
    """Return the numbers of one draw."""
    both = list(zip(rows, answers, strict=True))
    kept = [(row.tool in names, row.tool == got.tool and got.accepted) for row, got in both if row.tool is not None]
    return {
        "tool_accuracy_added": accuracy(rows, answers, names, added=True),
        "tool_accuracy_trained": accuracy(rows, answers, names, added=False),
        "in_scope_kept": share(flag for _, flag in kept),
        "in_scope_kept_added": share(flag for is_added, flag in kept if is_added),
        "in_scope_kept_trained": share(flag for is_added, flag in kept if not is_added),
        "out_of_scope_recall": share(not got.accepted for row, got in both if row.tool is None),
    }


def spread(draws: Sequence[Mapping[str, float | None]]) -> dict[str, dict[str, Any]]:
    """Return mean, standard deviation and the values of each number over the draws."""
    found: dict[str, dict[str, Any]] = {}
    for name in draws[0]:
        values = [value for draw in draws if (value := draw[name]) is not None]
        deviation = round(stdev(values), 4) if len(values) > 1 else None
        found[name] = {"mean": round(mean(values), 4) if values else None, "stdev": deviation, "draws": values}
    return found


def exceeded(calls: Sequence[Calls], stated: float, splits: int = SPLITS, seed: int = 0) -> dict[str, Any]:
    """Divide, find the threshold on one half and count on the other, `splits` times, the draws in turn."""
    generator, confidence = np.random.default_rng(seed), Goal().confidence
    found = []
    for split in range(splits):
        each = calls[split % len(calls)]
        fit, check = halves(each.in_scope, generator)
        outside = float(1 - each.in_scope[fit].mean())
        bounded = bounded_threshold(
            each.log_score[fit], each.right[fit], each.in_scope[fit], outside, stated, confidence
        )  # fmt: skip
        if bounded is not None:
            found.append(each.wrong_rate(check, bounded[0]))
    return {
        "splits": splits,
        "splits_with_a_bound": len(found),
        "exceeded": round(sum(wrong > stated for wrong, _ in found) / splits, 4),
        "median_wrong_rate": round(float(np.median([wrong for wrong, _ in found])), 4) if found else None,
        "median_in_scope_kept": round(float(np.median([kept for _, kept in found])), 4) if found else None,
    }
