"""BFCL and ACEBench: each row's own functions are added, its query is asked, and they are removed again.

Only the query, the last turn of the user, is asked: turns before it, system prompts and the time of the row are not
read. `score` is the calibrated probability of the tool, which decides about added tools.

    at_kept_...     at the threshold, read off the curve, at which so much of the rows with a right tool is accepted,
                    whatever tool it is: `kept`, of it with the right tool `kept_right_tool`, and the share of the
                    irrelevant rows that is refused
    at_own_threshold    the same, and whole calls, at the threshold that is in the bundle
    whole_call      right by BFCL's published rule (see published.py), of the best tool and without a threshold
    required_arguments  of the calls with the right tool: required arguments by JSON type
    incomplete      what became of queries that lack something: `asked_missing` is a question for one of the published
                    missing parameters of the right tool (of those `asked_holder` ask for the parameter that has the
                    missing value inside), `asked_other` one for another parameter or of another tool
    questions       the same of calls that lack nothing, atom rows of the types below: `all` of them; `given`, whose
                    function requires no object or list of objects and whose published call has all that it requires;
                    `stated`, those of `given` without turns before the query, which therefore say it themselves
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from dynamic_asking import Answer, added, ask, reaches, scores_of, share, threshold_keeping
from published import Case, call_right, is_missing, read_cases, required_arguments, states_its_arguments

from edgefn.dispatcher import Dispatcher
from edgefn.metrics import auroc
from edgefn.outcome import Abstained, Done, NeedsArgument

Asked: TypeAlias = list[tuple[Case, Answer]]
"""Rows and what became of them."""
BFCL_KEPT, ACEBENCH_KEPT = 0.90, 0.95
ATOMS = ("bool", "enum", "list", "number")


def ask_file(dispatcher: Dispatcher, path: Path, limit: int | None, refused: Counter[str]) -> Asked:
    """Ask the rows of a file, one by one, each with its own functions and no others."""
    asked = []
    for case in read_cases(path, limit):
        with added(dispatcher, case.tools, refused):
            asked.append((case, ask(dispatcher, case.query)))
    return asked


# ---- BFCL ------------------------------------------------------------------------------------------------


def bfcl(dispatcher: Dispatcher, data: Path, limit: int | None = None) -> dict[str, Any]:
    """Measure BFCL's simple, multiple and irrelevance rows."""
    refused: Counter[str] = Counter()
    simple, multiple, irrelevant = (
        ask_file(dispatcher, data / "bfcl" / f"{name}.jsonl", limit, refused)
        for name in ("simple_python", "multiple", "irrelevance")
    )
    relevant = simple + multiple
    return {
        "rows": {"simple_python": len(simple), "multiple": len(multiple), "irrelevance": len(irrelevant)},
        "multiple_right_tool": _right_tool(multiple),
        "refusing": refusing(relevant, irrelevant, BFCL_KEPT),
        "whole_call": {"simple_python": _whole_call(simple), "multiple": _whole_call(multiple)},
        "whole_call_at_own_threshold": {
            "simple_python": _whole_call(simple, own_threshold=True),
            "multiple": _whole_call(multiple, own_threshold=True),
            "of_accepted": share(_is_right(*each) for each in relevant if each[1].accepted),
        },
        "required_arguments": argument_counts(relevant),
        "not_asked": _not_asked(relevant + irrelevant, refused),
    }


def refusing(relevant: Asked, irrelevant: Asked, kept: float) -> dict[str, Any]:
    """Return how irrelevant rows are told from relevant ones: over the whole curve, at one point, and as shipped."""
    inside, outside = (scores_of([answer for _, answer in rows]) for rows in (relevant, irrelevant))
    threshold = threshold_keeping(inside, kept)
    right = np.array([case.is_right_tool(answer.tool) for case, answer in relevant], dtype=bool)
    own = np.array([answer.accepted for _, answer in relevant], dtype=bool)
    return {
        "auroc": round(auroc(inside, outside), 4),
        f"at_kept_{kept:.2f}": {
            "threshold": threshold,
            "kept": share(reaches(inside, threshold)),
            "kept_right_tool": share(reaches(inside, threshold) & right),
            "irrelevant_refused": share(~reaches(outside, threshold)),
        },
        "at_own_threshold": {
            "kept": share(own),
            "kept_right_tool": share(own & right),
            "irrelevant_refused": share(not answer.accepted for _, answer in irrelevant),
        },
    }


def argument_counts(asked: Asked) -> dict[str, dict[str, int]]:
    """Return, for each JSON type, how many required arguments of rows with the right tool are right, wrong, missing."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: {"right": 0, "wrong": 0, "missing": 0})
    for case, answer in asked:
        if case.is_right_tool(answer.tool):
            for kind, verdict in required_arguments(case, answer.arguments):
                counts[kind][verdict] += 1
                counts["all"][verdict] += 1
    return dict(sorted(counts.items()))


def _right_tool(asked: Asked) -> float | None:
    return share(case.is_right_tool(answer.tool) for case, answer in asked)


def _is_right(case: Case, answer: Answer) -> bool:
    return call_right(case, answer.tool, answer.arguments)


def _whole_call(asked: Asked, own_threshold: bool = False) -> float | None:
    return share(_is_right(*each) and (each[1].accepted or not own_threshold) for each in asked)


def _not_asked(asked: Asked, refused: Mapping[str, int]) -> dict[str, int]:
    """Count what a reader of the numbers must know of: texts that the engine never saw, and tools left out."""
    reasons = Counter(
        str(answer.outcome.reason)
        for _, answer in asked
        if answer.tool is None and isinstance(answer.outcome, Abstained)
    )
    return {**reasons, "refused_tools": sum(refused.values())}


# ---- ACEBench --------------------------------------------------------------------------------------------


def acebench(dispatcher: Dispatcher, data: Path, limit: int | None = None) -> dict[str, Any]:
    """Measure ACEBench in both of its languages."""
    return {lang: _acebench(dispatcher, data / "acebench", lang, limit) for lang in ("en", "zh")}


def _acebench(dispatcher: Dispatcher, folder: Path, lang: str, limit: int | None) -> dict[str, Any]:
    refused: Counter[str] = Counter()
    single, similar, irrelevant, incomplete = (
        ask_file(dispatcher, folder / f"{lang}_{name}.jsonl", limit, refused)
        for name in (
            "normal_single_turn_single_function", "normal_similar_api", "special_irrelevant", "special_incomplete"
        )
    )  # fmt: skip
    atoms = {kind: ask_file(dispatcher, folder / f"{lang}_normal_atom_{kind}.jsonl", limit, refused) for kind in ATOMS}
    together = [each for asked in atoms.values() for each in asked]
    return {
        "right_tool": {"single_turn": _right_tool(single), "similar_api": _right_tool(similar)},
        "refusing": refusing(single, irrelevant, ACEBENCH_KEPT),
        "incomplete": incomplete_outcomes(incomplete),
        "questions": {kind: questions(asked) for kind, asked in {**atoms, "together": together}.items()},
        "not_asked": _not_asked([*single, *similar, *irrelevant, *incomplete, *together], refused),
    }


def incomplete_outcomes(asked: Asked) -> dict[str, Any]:
    """Count what became of queries that lack something."""
    counts: Counter[str] = Counter()
    for case, answer in asked:
        outcome = answer.outcome
        if isinstance(outcome, NeedsArgument):
            stands = is_missing(case, outcome.call.tool, outcome.parameter)
            counts["asked_missing" if stands else "asked_other"] += 1
            counts["asked_holder"] += stands == "holder"
        else:
            counts[_ended(answer)] += 1
    names = ("asked_missing", "asked_holder", "asked_other", "ran", "abstained", "failed")
    found = {name: counts[name] for name in names}
    return {"rows": len(asked), **found, "asked_missing_share": _ratio(found["asked_missing"], len(asked))}


def questions(asked: Asked) -> dict[str, Any]:
    """Count the questions that calls draw which lack nothing."""
    given = [(case, answer) for case, answer in asked if states_its_arguments(case)]
    stated = [(case, answer) for case, answer in given if not case.dialogue]
    return {name: _questions(rows) for name, rows in (("all", asked), ("given", given), ("stated", stated))}


def _questions(asked: Sequence[tuple[Case, Answer]]) -> dict[str, Any]:
    counts = Counter(_ended(answer) for _, answer in asked)
    found = {name: counts[name] for name in ("asked", "ran", "abstained", "failed")}
    accepted = len(asked) - counts["abstained"]
    return {
        "rows": len(asked),
        **found,
        "asked_share": _ratio(counts["asked"], len(asked)),
        "asked_of_accepted": _ratio(counts["asked"], accepted),
    }


def _ended(answer: Answer) -> str:
    match answer.outcome:
        case NeedsArgument():
            return "asked"
        case Done():
            return "ran"
        case Abstained():
            return "abstained"
        case _:
            return "failed"


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
