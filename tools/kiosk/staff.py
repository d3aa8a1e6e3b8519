"""What needs a person: calling staff, things that are broken, things that are lost."""

from dataclasses import dataclass
from typing import Literal

from edgefn.tool import tool

Reason = Literal["question", "first aid", "wheelchair", "security", "missing person"]

COMING: dict[str, str] = {
    "question": "A member of staff is on the way to this screen.",
    "first aid": "First aid is on the way. Please stay with the person. In danger of life, call 112.",
    "wheelchair": "A member of staff is on the way with a wheelchair.",
    "security": "Security is on the way. Please keep your distance and stay near this screen.",
    "missing person": "Staff are on the way and will search with you. Please stay at this screen.",
}
HANDED_IN = {
    "umbrella": "entrance, today",
    "scarf": "café, today",
    "glasses": "library, today",
    "phone": "ship hall, today",
    "backpack": "cloakroom, yesterday",
    "keys": "roof terrace, yesterday",
    "teddy bear": "children's workshop, yesterday",
}


@dataclass(frozen=True)
class Problem:
    """One report for the technicians."""

    thing: str | None
    place: str | None


calls: set[str] = set()
problems: list[Problem] = []


@tool(idempotent=True)
def call_staff(reason: Reason = "question") -> str:
    """Call a member of staff to come and help the visitor in person.

    Args:
        reason: what the help is for, so that the right person comes.
    """
    calls.add(reason)
    return COMING[reason]


@tool
def report_problem(thing: str | None = None, place: str | None = None) -> str:
    """Report that something in the building is broken, dirty, empty or out of order.

    Args:
        thing: what is broken, dirty or missing.
        place: where it is; without it, near this screen.
    """
    problems.append(Problem(thing, place))
    return f"Thank you. Report {len(problems)}: {thing or 'a problem'}, {place or 'near this screen'}."


@tool(read_only=True, idempotent=True)
def lost_and_found(item: str | None = None, status: Literal["lost", "found"] = "lost") -> str:
    """Help a visitor who has lost a belonging, or who has found one that somebody else lost.

    Args:
        item: the thing that was lost or found.
        status: whether the visitor lost it or found it.
    """
    if status == "found":
        return f"Thank you. Please hand {item or 'it'} in at the information desk on the ground floor."
    if item is None:
        listed = "; ".join(f"{thing} ({where})" for thing, where in HANDED_IN.items())
        return f"Handed in: {listed}."
    for thing, where in HANDED_IN.items():
        if thing in item.casefold() or thing.rstrip("s") in item.casefold():
            return f"Handed in: {thing} ({where}). Ask at the information desk on the ground floor."
    return f"Nobody has handed in {item} yet. Please leave your number at the information desk."
