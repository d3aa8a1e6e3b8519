"""How fast a bundle answers on this machine, and what it costs to start."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgefn.bundle import read_bundle
from edgefn.dispatcher import Dispatcher
from edgefn.errors import EdgefnError
from edgefn.loading import load
from edgefn.selftest import FILE as SELFTEST_FILE
from edgefn.selftest import rows_from

_WARM_UP = 20
_COLD_STARTS = 3

_FRESH_PROCESS = """
import json, sys
import edgefn
dispatcher = edgefn.load(sys.argv[1], provider=sys.argv[2], threads=int(sys.argv[3]))
dispatcher.predict(sys.argv[4])
try:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
except ImportError:
    peak = None
json.dump({"peak": peak}, sys.stdout)
"""


def measure(bundle: Path, runs: int, provider: str = "cpu", threads: int = 0) -> dict[str, Any]:
    """Return latency, throughput, cold start, memory and size of a bundle.

    `p50_ms`, `p99_ms` and `per_second` are of `predict` on the bundle's selftest utterances, one after another;
    `cold_start_ms` is a fresh interpreter up to its first answer (median of three), `rss_mb` its peak memory.
    Raises BundleError and EngineError.
    """
    opened = read_bundle(bundle)
    texts = [row.text for row in rows_from(opened.read(SELFTEST_FILE))]
    if not texts:
        raise EdgefnError(f"{bundle} has no selftest rows to time", hint="export it again with calibration rows")
    size = sum(entry.bytes for entry in opened.manifest.files)
    dispatcher = load(bundle, provider=provider, threads=threads)
    seconds = time_predict(dispatcher, texts, runs)
    cold, peak = _cold_start(bundle, texts[0], provider, threads)
    return {
        "p50_ms": 1000 * float(np.percentile(seconds, 50)),
        "p99_ms": 1000 * float(np.percentile(seconds, 99)),
        "per_second": len(seconds) / float(seconds.sum()),
        "cold_start_ms": cold,
        "rss_mb": peak,
        "bundle_mb": size / 1e6,
        "provider": dispatcher.encoder.provider,
        "threads": dispatcher.encoder.threads,
        "runs": runs,
    }


def time_predict(dispatcher: Dispatcher, texts: Sequence[str], runs: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the seconds of each of `runs` calls of `predict`, the texts taking turns, [runs]."""
    for text in texts[:_WARM_UP]:
        dispatcher.predict(text)
    seconds = np.empty(runs)
    for index in range(runs):
        text = texts[index % len(texts)]
        start = time.perf_counter()
        dispatcher.predict(text)
        seconds[index] = time.perf_counter() - start
    return seconds


def _cold_start(bundle: Path, text: str, provider: str, threads: int) -> tuple[float, float | None]:
    """Return the median milliseconds from starting an interpreter to its first answer, and its peak memory in MB."""
    command = [sys.executable, "-c", _FRESH_PROCESS, str(bundle), provider, str(threads), text]
    times, peak = [], None
    for _ in range(_COLD_STARTS):
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        times.append(time.perf_counter() - start)
        if done.returncode:
            raise EdgefnError(
                f"a fresh process could not answer: {done.stderr.strip().splitlines()[-1:]}",
                hint="run `edgefn doctor BUNDLE`",
            )
        peak = json.loads(done.stdout)["peak"]
    return 1000 * float(np.median(times)), None if peak is None else peak / 1e6
