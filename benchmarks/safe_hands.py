"""What safe hands cost: `python benchmarks/safe_hands.py [BUNDLE] [--json]`.

BUNDLE is a folder that `edgefn export` wrote; the default, .demo/kiosk.bundle, is made by `make demo`. One run measures
all sides on one machine, call by call in turn, so that a busy minute strikes each alike; every number is a median in
milliseconds of utterances of 16 tokens, and the ratios are what is claimed:

    bare_ms       the call read from the utterance, its arguments bound, the function called: no policy, no trace
    policy_ms     `dispatcher(text)` with policy and trace; no time limit, so the tool runs in the same thread
    limit_ms      the same with the time limit that every tool has unless the policy says otherwise: another thread
    log_ms        that with an audit log, written before the outcome is returned, not synced
    synced_ms     the log synced to the disk with every line (the disk of this machine)
    cached_ms     limit_ms with the selection cache, an utterance that was said before

    policy_over_bare, limit_over_bare, log_over_limit, cached_over_limit
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from latency import ROOT, _keep_to, _others_running, in_turn, utterances

import edgefn
from edgefn import Done, Policy, Rule
from edgefn.audit.log import AuditLog
from edgefn.audit.recorder import Recorder
from edgefn.bundle import read_bundle
from edgefn.dispatcher import Dispatcher
from edgefn.errors import EdgefnError
from edgefn.interpreter import Interpretation
from edgefn.machine import this_machine
from edgefn.tool import Tool


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", nargs="?", type=Path, default=ROOT / ".demo" / "kiosk.bundle", metavar="BUNDLE")
    parser.add_argument("--rounds", type=int, default=600, help="timed calls of each side (default 600)")
    parser.add_argument("--cores", type=int, default=2, help="cores to keep to (default 2)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    try:
        found = measure(arguments.bundle, arguments.rounds, arguments.cores)
    except EdgefnError as exc:
        print(f"error: {exc}\nhint:  {exc.hint}", file=sys.stderr)
        return exc.exit_code
    print(json.dumps(found, indent=2) if arguments.json else "\n".join(f"{key:20} {found[key]}" for key in found))
    return 0


def measure(path: Path, rounds: int, cores: int) -> dict[str, Any]:
    """Return the medians and ratios of one run."""
    pinned = _keep_to(cores)
    with tempfile.TemporaryDirectory() as folder:
        plain = _open(path, cores, Policy(default=Rule(timeout=0)))
        texts = utterances(read_bundle(path), plain, None)
        # One engine for all sides: a second one would bring threads of its own that spin beside those of the first.
        shared = {
            "policy_ms": plain,
            "limit_ms": _beside(plain),
            "log_ms": _beside(plain, recorder=Recorder(AuditLog(Path(folder) / "a.jsonl", fsync="never"))),
            "synced_ms": _beside(plain, recorder=Recorder(AuditLog(Path(folder) / "b.jsonl", fsync="always"))),
            "cached_ms": _beside(plain, selection_cache=2 * len(texts)),
        }
        sides = {"bare_ms": _bare(plain, texts)}
        sides |= {name: _dispatch(each, texts) for name, each in shared.items()}
        medians = {name: 1000 * median(seconds) for name, seconds in in_turn(sides, rounds).items()}
        for each in shared.values():
            each.close()
    ratios = {
        f"{above}_over_{below}": round(medians[f"{above}_ms"] / medians[f"{below}_ms"], 3)
        for above, below in (("policy", "bare"), ("limit", "bare"), ("log", "limit"), ("cached", "limit"))
    }
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": this_machine().to_json(),
        "cores": pinned,
        "other_threads": _others_running(),
        "bundle": plain.manifest.id,
        "utterances": len(texts),
        "rounds": rounds,
        **{name: round(value, 4) for name, value in medians.items()},
        **ratios,
    }


def _open(path: Path, threads: int, policy: Policy) -> Dispatcher:
    """Return a dispatcher whose every tool runs: it takes what it is given and does nothing."""
    known = (
        Tool.select_only(each.name, each.description, each.parameters) for each in read_bundle(path).manifest.tools
    )
    return edgefn.load(path, [replace(tool, function=_nothing) for tool in known], threads=threads, policy=policy)


def _beside(first: Dispatcher, **settings: Any) -> Dispatcher:
    """Return a dispatcher with the engine and the tools of another, and settings of its own."""
    return Dispatcher(first.manifest, first.encoder, first.registry, first.now, **settings)


def _nothing(**arguments: object) -> None:
    """Stand for a tool."""


def _dispatch(dispatcher: Dispatcher, texts: Sequence[str]) -> Callable[[int], object]:
    return lambda index: dispatcher(texts[index % len(texts)])


def _bare(dispatcher: Dispatcher, texts: Sequence[str]) -> Callable[[int], object]:
    """Return the least that makes an outcome of an utterance."""

    def call(index: int) -> object:
        found = dispatcher.interpreter.interpret(texts[index % len(texts)], dispatcher.now())
        if not isinstance(found, Interpretation) or not found.accepted:
            raise EdgefnError("an utterance was not accepted", hint="measure with another bundle")
        made = found.call()
        tool = dispatcher.registry[made.tool]
        return Done(made, tool.function(**tool.bind(made.arguments)) if tool.function else None)

    return call


if __name__ == "__main__":
    sys.exit(main())
