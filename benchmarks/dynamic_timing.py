"""What added tools cost: latency as they become many, the time of adding one, and memory after many changes.

scaling   100 short BFCL simple_python queries, each asked with its own function and others of BFCL and ACEBench
          there, as many as the size says in all. The others are unique by name, in one order drawn by a fixed seed
          and without the functions of the 100 queries, so that a larger set holds all of a smaller one. Every size
          is a dispatcher of its own; the sizes take turns, in an order drawn anew for each query. The accuracy is
          that of the best tool, and that of calls that the bundle's own threshold lets pass
adding    `dispatcher.add` of a simple_python function beside one call of it, in turn, a new function each time;
          then 10,000 times adding and removing: resident memory after 1,000 and after 10,000
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from dynamic_asking import added, open_bundle, share
from published import read_cases, tools_of

from edgefn.dispatcher import Dispatcher
from edgefn.errors import ToolDefinitionError
from edgefn.outcome import Abstained, ToolCall
from edgefn.tool import Tool

SIZES = (10, 30, 100, 300, 1000)
SHORT = 25
"""Most words of an utterance that is timed."""
UTTERANCES = 100
_WARMING = 3
"""Untimed calls before what is timed."""


@dataclass(frozen=True)
class Pool:
    """What is asked, and what stands beside the tool that it is for."""

    asked: tuple[tuple[str, Tool], ...]
    """Short queries, each with its tool; no two of one tool."""
    others: tuple[Tool, ...]
    """Further tools, in the order in which they are added."""


# ---- scaling ---------------------------------------------------------------------------------------------


def scaling(path: Path, data: Path, picture: Path | None, rounds: int = 3) -> dict[str, Any]:
    """Return latency and accuracy by how many tools are there; draw `picture`, and write the table beside it."""
    pool = pool_of(data)
    dispatchers = opened(path, pool)
    seconds, calls = in_turn(dispatchers, pool.asked, rounds)
    medians = {size: 1000 * median(each) for size, each in seconds.items()}
    right = [tool.name for _, tool in pool.asked]
    sizes = {str(size): numbers(medians[size], medians[SIZES[0]], calls[size], right) for size in dispatchers}
    if picture is not None:
        draw(medians, picture)
        picture.with_suffix(".md").write_text(table(sizes), encoding="utf-8")
    return {"utterances": len(pool.asked), "rounds": rounds, "sizes": sizes}


def opened(path: Path, pool: Pool) -> dict[int, Dispatcher]:
    """Return a dispatcher for every size, with one tool less: that of the query comes on top.

    The largest tells which tools edgefn accepts, so that all have the same ones in the same order.
    """
    dispatchers = {size: open_bundle(path) for size in SIZES if size <= len(pool.others)}
    *smaller, largest = dispatchers
    accepted = add_up_to(dispatchers[largest], pool.others, largest - 1)
    for size in smaller:
        dispatchers[size].add_all(accepted[: size - 1])
    return dispatchers


def add_up_to(dispatcher: Dispatcher, tools: Sequence[Tool], most: int) -> list[Tool]:
    """Add the first `most` tools that edgefn accepts, and return them."""
    accepted: list[Tool] = []
    for tool in tools:
        if len(accepted) == most:
            break
        with suppress(ToolDefinitionError):
            dispatcher.add(tool)
            accepted.append(tool)
    return accepted


def numbers(
    milliseconds: float, of_ten: float, calls: Sequence[ToolCall | Abstained], right: Sequence[str]
) -> dict[str, float | None]:
    """Return the numbers of one size."""
    accepted = [isinstance(call, ToolCall) for call in calls]
    is_right = [best(call) == name for call, name in zip(calls, right, strict=True)]
    return {
        "predict_ms": round(milliseconds, 3),
        "over_ten": round(milliseconds / of_ten, 3),
        "accuracy": share(is_right),
        "accepted_right": share(here and there for here, there in zip(accepted, is_right, strict=True)),
    }


def in_turn(
    dispatchers: Mapping[int, Dispatcher], asked: Sequence[tuple[str, Tool]], rounds: int
) -> tuple[dict[int, list[float]], dict[int, list[ToolCall | Abstained]]]:
    """Return by size the seconds of every call, and what each query gave the first time."""
    order = random.Random(0)
    seconds: dict[int, list[float]] = {size: [] for size in dispatchers}
    calls: dict[int, list[ToolCall | Abstained]] = {size: [] for size in dispatchers}
    for time_round in range(rounds):
        for query, tool in asked:
            for size in order.sample(list(dispatchers), len(dispatchers)):
                with added(dispatchers[size], [tool]):
                    taken, call = timed(dispatchers[size], query)
                seconds[size].append(taken)
                if time_round == 0:
                    calls[size].append(call)
    return seconds, calls


def timed(dispatcher: Dispatcher, query: str) -> tuple[float, ToolCall | Abstained]:
    """Return the seconds of one call, after untimed ones that take the caches back, and what it gave."""
    for _ in range(_WARMING):
        dispatcher.predict(query)
    start = time.perf_counter()
    call = dispatcher.predict(query)
    return time.perf_counter() - start, call


def best(call: ToolCall | Abstained) -> str | None:
    """Return the best tool, accepted or not; None where there is none."""
    if isinstance(call, ToolCall):
        return call.tool
    return call.ranking[0].tool if call.ranking else None


def pool_of(data: Path, seed: int = 0) -> Pool:
    """Draw what is asked and the order of all other functions."""
    order = random.Random(seed)
    cases = [case for case in read_cases(data / "bfcl" / "simple_python.jsonl") if len(case.query.split()) <= SHORT]
    one_each = list({case.tools[0].name: (case.query, case.tools[0]) for case in reversed(cases)}.values())
    asked = order.sample(one_each, min(UTTERANCES, len(one_each)))
    functions = unique_functions(data)
    taken = {tool.name for _, tool in asked}
    others = [tool for tool in tools_of([functions[name] for name in sorted(functions)])[0] if tool.name not in taken]
    return Pool(tuple(asked), tuple(order.sample(others, len(others))))


def unique_functions(data: Path) -> dict[str, Mapping[str, Any]]:
    """Return published functions by name; of those that share a name the first, simple_python before all others."""
    found: dict[str, Mapping[str, Any]] = {}
    simple = data / "bfcl" / "simple_python.jsonl"
    for path in (simple, *sorted((data / "bfcl").glob("*.jsonl")), *sorted((data / "acebench").glob("*.jsonl"))):
        for line in path.read_text(encoding="utf-8").split("\n"):
            for function in json.loads(line)["functions"] if line.strip() else ():
                found.setdefault(function["name"], function)
    return found


def table(sizes: Mapping[str, Mapping[str, float]]) -> str:
    """Return latency and accuracy by number of tools as a Markdown table."""
    columns = list(next(iter(sizes.values())))
    lines = [f"| tools | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {size} | {' | '.join(str(each[name]) for name in columns)} |" for size, each in sizes.items()]
    about = "Tools added to one general bundle: written by `python benchmarks/dynamic.py BUNDLE --only scaling`."
    return "\n".join([about, "", *lines, ""])


def draw(medians: Mapping[int, float], path: Path) -> None:
    """Draw the medians, milliseconds by number of tools, into a PNG file."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.5), layout="constrained")
    axes.plot(list(medians), list(medians.values()), marker="o")
    axes.set_xscale("log")
    axes.set_xticks(list(medians), [str(size) for size in medians], minor=False)
    axes.minorticks_off()
    axes.set_ylim(0, 1.2 * max(medians.values()))
    axes.set_xlabel("tools added at run time")
    axes.set_ylabel("median of predict(text), ms")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=150)
    pyplot.close(figure)


# ---- adding ----------------------------------------------------------------------------------------------


def adding(path: Path, data: Path, times: int = UTTERANCES, cycles: int = 10_000) -> dict[str, Any]:
    """Return the time of adding a tool and that of a call, and resident memory after many changes."""
    dispatcher, pool = open_bundle(path), pool_of(data)
    seconds = [add_and_call(dispatcher, tool, query) for query, tool in pool.asked[:times]]
    add, call = (median(each) for each in zip(*seconds, strict=True))
    return {
        "times": len(seconds),
        "add_ms": round(1000 * add, 3),
        "call_ms": round(1000 * call, 3),
        "add_over_call": round(add / call, 2),
        **memory(dispatcher, [tool for _, tool in pool.asked] + list(pool.others), cycles),
    }


def add_and_call(dispatcher: Dispatcher, tool: Tool, query: str) -> tuple[float, float]:
    """Return the seconds of adding a tool that was never there, and of one call beside it; it is removed again."""
    ask, seconds = partial(dispatcher.predict, query), []
    for timed in (partial(dispatcher.add, tool), ask):
        for _ in range(_WARMING):
            ask()
        start = time.perf_counter()
        timed()
        seconds.append(time.perf_counter() - start)
    dispatcher.remove(tool.name)
    return seconds[0], seconds[1]


def memory(dispatcher: Dispatcher, tools: Sequence[Tool], cycles: int) -> dict[str, Any]:
    """Add and remove one tool after another, `cycles` times; return megabytes after a tenth and after all."""
    early, found, refused = max(1, cycles // 10), {}, Counter[str]()
    for done, tool in enumerate(islice(_forever(tools), cycles), 1):
        with added(dispatcher, [tool], refused):
            pass
        if done in (early, cycles):
            found[f"resident_mb_after_{done}"] = round(resident_bytes() / 1e6, 2)
    first, last = found[f"resident_mb_after_{early}"], found[f"resident_mb_after_{cycles}"]
    return {"cycles": cycles, **found, "growth_mb": round(last - first, 2), "refused": sum(refused.values())}


def resident_bytes() -> int:
    """Return the resident memory of this process; the most that it ever had where /proc does not tell."""
    statm = Path("/proc/self/statm")
    if statm.is_file():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _forever(tools: Sequence[Tool]) -> Iterator[Tool]:
    while True:
        yield from tools
