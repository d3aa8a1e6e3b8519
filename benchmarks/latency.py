"""What the package adds to its engine: `python benchmarks/latency.py [BUNDLE] [--rows ROWS] [--json]`.

BUNDLE is a folder that `edgefn export` wrote; the default, .demo/kiosk.bundle, is made by `make demo`. One run measures
all sides on one machine, call by call in turn, so that a busy minute strikes each alike; every number is a median in
milliseconds, and the ratios are what is claimed. On two cores, then on one:

    dispatch_ms   `dispatcher(text)`: text in, arguments filled, a tool run, outcome out. Utterances of exactly 16
                  tokens, or with --rows those of a file of rows as they are
    session_ms    the bare `run` of the very ONNX Runtime session that the dispatcher uses, on the same inputs,
                  prepared beforehand, for the same outputs
    torch_ms      the float32 encoder of the checkpoint in eager PyTorch on the same tokens: no tokenizer, no heads

Each timed call comes after three untimed ones of its own side, so that no side pays for the spinning threads and the
cache of another. Last, the cold start, from starting an interpreter to what it says when it is ready:

    edgefn_ms     `edgefn.load(bundle).predict(text)`, the first answer
    floor_ms      numpy, onnxruntime and tokenizers imported, the same session opened, and nothing else

PyTorch is left out with a note where it is not installed. Without --checkpoint the encoder is that of a folder named
`checkpoint` beside the bundle, or else all-MiniLM-L6-v2 untuned, which has the shape of one tuned from it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from pathlib import Path
from platform import python_version
from statistics import median
from typing import Any

import edgefn
from edgefn.bundle import Bundle, read_bundle
from edgefn.dispatcher import Dispatcher
from edgefn.errors import EdgefnError
from edgefn.machine import this_machine
from edgefn.outcome import Done
from edgefn.rows import read_rows
from edgefn.selftest import FILE as SELFTEST_FILE
from edgefn.selftest import rows_from
from edgefn.session import default_threads, runtime_version
from edgefn.tool import Tool

ROOT = Path(__file__).resolve().parent.parent
BASE = "all-MiniLM-L6-v2"
Asked = tuple[Sequence[str], Mapping[str, Any]]
"""The outputs and the inputs of one run of a session."""

TOKENS = 16
UTTERANCES = 8
ROWS = 200
"""How many utterances of a file of rows are asked."""
_WARMING = 3
"""Untimed calls before each timed one."""
TARGETS = {
    "dispatch_over_session": "at most 1.5",
    "torch_over_session": "at least 6, on one core 5",
    "cold_start_over_floor": "at most 3",
}
"""What is claimed of the ratios."""

_QUIET = 0.2
"""With more threads of others running, those of one call wait for one another, and two cores mean nothing."""

_BEFORE = ("", "hello ", "excuse me, ", "sorry, ", "hello there, ", "hi, one question: ", "good morning to you, ")
_AFTER = ("", " please", " now", ", thank you", " if you can", " please, and thanks", ", thank you very much indeed")
"""What people say around a request; it brings an utterance to the length that is measured."""

_FLOOR = """
import sys
import numpy, onnxruntime, tokenizers
options = onnxruntime.SessionOptions()
options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = int(sys.argv[2]), 1, 4
with open(sys.argv[1], "rb") as file:
    session = onnxruntime.InferenceSession(file.read(), options, providers=["CPUExecutionProvider"])
print("ready", flush=True)
"""
_FIRST_ANSWER = """
import sys
import edgefn
edgefn.load(sys.argv[1], threads=int(sys.argv[2])).predict(sys.argv[3])
print("ready", flush=True)
"""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", nargs="?", type=Path, default=ROOT / ".demo" / "kiosk.bundle", metavar="BUNDLE")
    parser.add_argument("--checkpoint", metavar="DIR", help="where the PyTorch encoder is")
    parser.add_argument("--rows", type=Path, help="rows whose utterances are asked, instead of some of 16 tokens")
    parser.add_argument("--rounds", type=int, default=300, help="timed calls of each side (default 300)")
    parser.add_argument("--pairs", type=int, default=9, help="cold starts of each side (default 9)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--cores", type=int, help=argparse.SUPPRESS)  # how the script calls itself
    arguments = parser.parse_args()
    beside = arguments.bundle.parent / "checkpoint"
    checkpoint = arguments.checkpoint or (str(beside) if beside.is_dir() else BASE)
    try:
        if arguments.cores:
            found = warm_calls(arguments.bundle, arguments.rows, checkpoint, arguments.cores, arguments.rounds)
            print(json.dumps(found))
            return 0
        found = measure(arguments.bundle, arguments.rows, checkpoint, arguments.rounds, arguments.pairs)
    except EdgefnError as exc:
        print(f"error: {exc}\nhint:  {exc.hint}", file=sys.stderr)
        return exc.exit_code
    print(json.dumps(found, indent=2) if arguments.json else "\n".join(table(found)))
    return 0


def measure(path: Path, rows: Path | None, checkpoint: str, rounds: int, pairs: int) -> dict[str, Any]:
    """Return every number of one run."""
    bundle = read_bundle(path)
    text = utterances(bundle, _open(bundle, 1), rows)[0]
    others = _others_running()
    if others is not None and others > _QUIET:
        print(f"this machine is busy ({others} other threads run): two cores are not free", file=sys.stderr)
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": this_machine().to_json(),
        "other_threads": others,
        "versions": _versions(),
        "bundle": bundle.manifest.id,
        "bundle_mb": round(sum(each.stat().st_size for each in path.rglob("*") if each.is_file()) / 1e6, 2),
        "utterances_of": f"{TOKENS} tokens" if rows is None else rows.name,
        "two_cores": _in_fresh_process(path, rows, checkpoint, 2, rounds),
        "one_core": _in_fresh_process(path, rows, checkpoint, 1, rounds),
        "cold_start": cold_start(bundle, text, pairs),
    }


# ---- warm calls ------------------------------------------------------------------------------------------


def warm_calls(path: Path, rows: Path | None, checkpoint: str, cores: int, rounds: int) -> dict[str, Any]:
    """Return the medians and ratios of this process, kept to so many cores."""
    pinned = _keep_to(cores)
    bundle = read_bundle(path)
    dispatcher = _open(bundle, cores)
    texts = utterances(bundle, dispatcher, rows)
    engine, asked = _asked(dispatcher, texts)
    sides = {"dispatch_ms": _dispatch(dispatcher, texts), "session_ms": _bare(engine, asked)}
    try:
        sides["torch_ms"], note = _eager_torch(checkpoint, asked, cores), f"encoder of {Path(checkpoint).name}"
    except (ImportError, EdgefnError) as exc:
        note = f"left out: {exc}"
    found: dict[str, Any] = {"threads": cores, "cores": pinned, "utterances": len(texts), "rounds": rounds}
    medians = {name: 1000 * median(seconds) for name, seconds in in_turn(sides, rounds).items()}
    found |= {name: round(value, 4) for name, value in medians.items()}
    found["dispatch_over_session"] = round(medians["dispatch_ms"] / medians["session_ms"], 3)
    if "torch_ms" in medians:
        found["torch_over_session"] = round(medians["torch_ms"] / medians["session_ms"], 2)
        found["torch_over_dispatch"] = round(medians["torch_ms"] / medians["dispatch_ms"], 2)
    return found | {"torch": note}


def in_turn(sides: Mapping[str, Callable[[int], object]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of `rounds` calls of each side, in an order drawn anew every round.

    A fixed order would let one side always follow PyTorch, which leaves the caches to itself.
    """
    draw = random.Random(0)
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for index in range(-rounds // 10, rounds):
        for name in draw.sample(list(sides), len(sides)):
            call = sides[name]
            for _ in range(_WARMING):
                call(index + 1)
            start = time.perf_counter()
            call(index)
            end = time.perf_counter()
            if index >= 0:
                seconds[name].append(end - start)
    return seconds


def utterances(bundle: Bundle, dispatcher: Dispatcher, rows: Path | None) -> list[str]:
    """Return utterances that run a tool of this bundle: those of `rows`, or some of exactly 16 tokens."""
    if rows is not None:
        texts = random.Random(0).sample([row.text for row in read_rows(rows)], k=ROWS)
    else:
        known = (row.text for row in rows_from(bundle.read(SELFTEST_FILE)) if row.tool is not None)
        texts = [text for each in known if (text := _lengthened(each, dispatcher)) is not None]
    found = [text for text in texts if isinstance(dispatcher(text), Done)]
    if not found:
        raise EdgefnError(f"no utterance runs a tool of {bundle.path}", hint="calibrate it on more rows")
    return found if rows is not None else found[:UTTERANCES]


def _lengthened(text: str, dispatcher: Dispatcher) -> str | None:
    """Return `text` with polite words around it, 16 tokens long; None when it is too long or none of them fit."""
    longer = (before + text + after for before, after in product(_BEFORE, _AFTER))
    return next((each for each in longer if _tokens(dispatcher, each) == TOKENS), None)


def _tokens(dispatcher: Dispatcher, text: str) -> int:
    encoded = dispatcher.encoder.encode(text)
    return 0 if isinstance(encoded, str) else len(encoded.ids)


def _open(bundle: Bundle, threads: int) -> Dispatcher:
    """Return a dispatcher whose every tool runs: it takes what it is given and does nothing."""
    known = (Tool.select_only(each.name, each.description, each.parameters) for each in bundle.manifest.tools)
    return edgefn.load(bundle.path, tools=[replace(tool, function=_nothing) for tool in known], threads=threads)


def _nothing(**arguments: object) -> None:
    """Stand for a tool."""


def _dispatch(dispatcher: Dispatcher, texts: Sequence[str]) -> Callable[[int], object]:
    return lambda index: dispatcher(texts[index % len(texts)])


class _Recorder:
    """Stands before an ONNX Runtime session and keeps what it is asked."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.asked: list[Asked] = []

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any]) -> Any:
        self.asked.append((outputs, feeds))
        return self.engine.run(outputs, feeds)


def _asked(dispatcher: Dispatcher, texts: Sequence[str]) -> tuple[Any, list[Asked]]:
    """Return the dispatcher's own engine, and the outputs and inputs that it is asked for each text.

    The very same engine, because a second one would bring threads of its own that spin beside those of the first.
    """
    session = dispatcher.encoder._session
    recorder = _Recorder(session._session)
    session._session = recorder
    for text in texts:
        dispatcher(text)
    session._session = recorder.engine
    return recorder.engine, recorder.asked


def _bare(engine: Any, asked: Sequence[Asked]) -> Callable[[int], object]:
    return lambda index: engine.run(*asked[index % len(asked)])


def _eager_torch(checkpoint: str, asked: Sequence[Asked], threads: int) -> Callable[[int], object]:
    """Return a call of the checkpoint's encoder in PyTorch; raises ImportError and EdgefnError."""
    import torch
    from edgefn.export.base import load_encoder

    torch.set_num_threads(threads)
    model = load_encoder(checkpoint).eval().float()
    inputs = [{name: torch.from_numpy(array.copy()) for name, array in feeds.items()} for _, feeds in asked]

    def call(index: int) -> object:
        with torch.inference_mode():
            return model(**inputs[index % len(inputs)])

    return call


def _keep_to(cores: int) -> int | None:
    """Keep this process to so many cores and return how many it has; None where the system cannot."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    return len(os.sched_getaffinity(0))


def _in_fresh_process(path: Path, rows: Path | None, checkpoint: str, cores: int, rounds: int) -> dict[str, Any]:
    """Return `warm_calls` of a process of its own: threads that were started once cannot be taken back."""
    command = [sys.executable, __file__, str(path), "--checkpoint", checkpoint]
    command += [] if rows is None else ["--rows", str(rows)]
    command += ["--cores", str(cores), "--rounds", str(rounds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise EdgefnError(f"measuring on {cores} cores failed", hint="what it said is above")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


# ---- cold start ------------------------------------------------------------------------------------------


def cold_start(bundle: Bundle, text: str, pairs: int) -> dict[str, Any]:
    """Return the medians of fresh processes, the sides in turn; the first of each warms the disk's cache only."""
    threads = str(default_threads())
    commands = {
        "edgefn_ms": [sys.executable, "-c", _FIRST_ANSWER, str(bundle.path), threads, text],
        "floor_ms": [sys.executable, "-c", _FLOOR, str(bundle.path / bundle.manifest.graph.file), threads],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for index in range(-1, pairs):
        for name, command in commands.items():
            taken = _until_ready(command)
            if index >= 0:
                seconds[name].append(taken)
    medians = {name: 1000 * median(each) for name, each in seconds.items()}
    ratio = medians["edgefn_ms"] / medians["floor_ms"]
    return {"pairs": pairs, **{name: round(each, 1) for name, each in medians.items()}, "ratio": round(ratio, 3)}


def _until_ready(command: Sequence[str]) -> float:
    """Return the seconds from starting a process to the line it writes when it is ready."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline() if process.stdout else ""
        taken = time.perf_counter() - start
    if line != "ready\n":
        raise EdgefnError("a fresh process did not answer", hint="what it said is above")
    return taken


# ---- what is printed -------------------------------------------------------------------------------------


def table(found: Mapping[str, Any]) -> list[str]:
    """Return the lines that are printed for a reader."""
    two, one, cold = found["two_cores"], found["one_core"], found["cold_start"]
    lines = [f"{'':24} two cores  one core  target"]
    for name in ("session_ms", "dispatch_ms", "torch_ms"):
        if name in two and name in one:
            lines.append(f"{name:24} {two[name]:9.3f} {one[name]:9.3f}")
    for name in ("dispatch_over_session", "torch_over_session", "torch_over_dispatch"):
        if name in two and name in one:
            lines.append(f"{name:24} {two[name]:9.2f} {one[name]:9.2f}  {TARGETS.get(name, '')}".rstrip())
    lines += [
        f"{'torch':24} {two['torch']}",
        f"{'cold start, ms':24} {cold['edgefn_ms']:9.0f}",
        f"{'cold floor, ms':24} {cold['floor_ms']:9.0f}",
        f"{'cold_start_over_floor':24} {cold['ratio']:9.2f} {'':9}  {TARGETS['cold_start_over_floor']}",
        f"{'bundle_mb':24} {found['bundle_mb']:9.2f}",
    ]
    machine = found["machine"]
    about = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}"
    lines.append(f"{found['measured']}, {about}, {found['other_threads']} other threads")
    lines.append(", ".join(f"{name} {number}" for name, number in found["versions"].items()))
    return lines


def _others_running() -> float | None:
    """Return how many threads of others ran during one second, on average; None where the system does not tell."""
    source, seen = Path("/proc/loadavg"), []
    if not source.is_file():
        return None
    for _ in range(20):
        seen.append(int(source.read_text().split()[3].split("/")[0]) - 1)  # this one runs, too
        time.sleep(0.05)
    return round(sum(seen) / len(seen), 2)


def _versions() -> dict[str, str]:
    """Return the versions that matter to the numbers."""
    found = {"python": python_version(), "edgefn": edgefn.__version__, "onnxruntime": runtime_version()}
    for name in ("tokenizers", "numpy", "torch", "transformers"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


if __name__ == "__main__":
    sys.exit(main())
