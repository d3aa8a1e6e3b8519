"""One rule: what a tool may do on this device and how it is run.

Every message of an error begins with the name of the field, so that a reader can put the path before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from edgefn.checking import shown
from edgefn.errors import PolicyError

Action: TypeAlias = Literal["run", "confirm", "deny"]

ACTIONS: Final = ("run", "confirm", "deny")
EVERYONE: Final = "*"
"""In place of a role: everyone, those without a role included."""
MOST_SECONDS: Final = 2_592_000.0
"""Thirty days, seconds; a longer wait does not fit the clock of every system."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many calls in any stretch of so many seconds; PolicyError where a number is out of range."""

    calls: int
    """How many, 1..100,000."""
    seconds: float
    """Length of the stretch, 0.001 s to thirty days."""

    def __post_init__(self) -> None:
        """Check both numbers."""
        object.__setattr__(self, "calls", _number("calls", self.calls, _CALLS))
        object.__setattr__(self, "seconds", _number("seconds", self.seconds, _STRETCH))


@dataclass(frozen=True, slots=True)
class Rule:
    """What one rule says; a field that is None leaves the matter to the next rule.

    PolicyError where a value is of another type or out of range.
    """

    action: Action | None = None
    """Run the call, ask a person first, or refuse it."""
    threshold: float | None = None
    """Least P(call), 0..1; the bundle's own threshold stays in force as well."""
    doubt: float | None = None
    """Share of the doubt that the bundle's threshold lets pass, 0..1: with 0.5, a bundle that lets 0.6 pass must be
    0.8 sure."""
    roles: tuple[str, ...] | None = None
    """Roles that may call it, "*" for everyone; where no rule says anything, everyone may."""
    rate: Rate | None = None
    """How often it may be called."""
    dry_run: bool | None = None
    """Decide everything, run nothing."""
    timeout: float | None = None
    """Seconds a call may take; 0: no limit, and the tool runs in the caller's own thread."""
    retries: int | None = None
    """Further attempts after a failure, 0..10; idempotent tools only."""
    backoff: float | None = None
    """Seconds before the first retry, doubled for each further one."""
    cache: float | None = None
    """Seconds for which a result may be given again; read-only tools only; 0 none."""
    concurrency: int | None = None
    """Calls at once; 0 no limit."""
    isolated: bool | None = None
    """Run in a process of its own that can be ended."""

    def __post_init__(self) -> None:
        """Check every field that is said."""
        if self.action is not None and (not isinstance(self.action, str) or self.action not in ACTIONS):
            raise unexpected("action", self.action, 'one of "run", "confirm", "deny"')
        if self.rate is not None and not isinstance(self.rate, Rate):
            raise unexpected("rate", self.rate, "a Rate: a number of calls, a number of seconds")
        if self.roles is not None:
            object.__setattr__(self, "roles", names("roles", self.roles))
        for name in ("dry_run", "isolated"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, bool):
                raise unexpected(name, value, "true or false")
        for name, range_ in _NUMBERS.items():
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _number(name, value, range_))

    def over(self, other: Rule) -> Rule:
        """Return a rule with the fields of this one where it says something, the other's where it does not."""
        return Rule(**{**other.said(), **self.said()})

    def said(self) -> dict[str, Any]:
        """Return what the rule says, by field."""
        return {name: value for name in FIELDS if (value := getattr(self, name)) is not None}

    def to_json(self) -> dict[str, Any]:
        """Return what the rule says as plain JSON values."""
        said = self.said()
        if self.roles is not None:
            said["roles"] = list(self.roles)
        if self.rate is not None:
            said["rate"] = {"calls": self.rate.calls, "seconds": self.rate.seconds}
        return said


FIELDS: Final = tuple(field.name for field in fields(Rule))
"""The fields of a rule, in order."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one tool: the fields of a rule, all said."""

    action: Action
    """Run the call, ask a person first, or refuse it."""
    threshold: float
    """Least P(call), 0..1."""
    doubt: float
    """Share of the doubt that the bundle's threshold lets pass, 0..1."""
    roles: tuple[str, ...] | None
    """Roles that may call it; None for everyone."""
    rate: Rate | None
    """How often it may be called; None for no limit."""
    dry_run: bool
    """Decide everything, run nothing."""
    timeout: float
    """Seconds a call may take; 0: no limit, and the tool runs in the caller's own thread."""
    retries: int
    """Further attempts after a failure."""
    backoff: float
    """Seconds before the first retry, doubled for each further one."""
    cache: float
    """Seconds for which a result may be given again; 0 none."""
    concurrency: int
    """Calls at once; 0 no limit."""
    isolated: bool
    """Run in a process of its own that can be ended."""

    def least(self, threshold: float) -> float:
        """Return the least P(call) that runs, with a bundle that lets `threshold` pass.

        Relative as well as absolute, because what a bundle is sure of differs: one calibrated on few rows never says
        0.95, and a fixed number would switch the tool off.
        """
        halved = 1.0 - self.doubt * (1.0 - threshold) if self.doubt < 1.0 else 0.0
        return max(self.threshold, halved)


# ---- checks ----------------------------------------------------------------------------------------------


def names(where: str, value: object) -> tuple[str, ...]:
    """Return a list of names as a tuple; PolicyError for anything else, a bare string above all."""
    if not isinstance(value, list | tuple):
        raise unexpected(where, value, "a list of names")
    for index, each in enumerate(value):
        if not isinstance(each, str) or not each:
            raise unexpected(f"{where}[{index}]", each, "a name")
    return tuple(value)


def unexpected(where: str, value: object, expected: str) -> PolicyError:
    """Return the error that says what was expected in place of a value."""
    return PolicyError(
        f"{where} is {shown(value)}, but what is expected is {expected}", hint=f"give {expected}, or leave it out"
    )


class _Range(NamedTuple):
    """The numbers that a field takes."""

    least: float
    most: float
    whole: bool = False
    more: str = ""


_CALLS = _Range(1, 100_000, whole=True, more='; for none at all, say action = "deny"')
_STRETCH = _Range(0.001, MOST_SECONDS, more=" (seconds)")
_NUMBERS: Final[Mapping[str, _Range]] = {
    "threshold": _Range(0, 1),
    "doubt": _Range(0, 1),
    "timeout": _Range(0, MOST_SECONDS, more=" (seconds; 0 for no limit)"),
    "retries": _Range(0, 10, whole=True),
    "backoff": _Range(0, 3600, more=" (seconds)"),  # after ten doublings still a wait that every system can make
    "cache": _Range(0, MOST_SECONDS, more=" (seconds; 0 for none)"),
    "concurrency": _Range(0, 100_000, whole=True, more=" (0 for no limit)"),
}


def _number(where: str, value: object, allowed: _Range) -> int | float:
    """Return a whole number as int, any other as float; NaN is in no range, and True is no number."""
    kinds = int if allowed.whole else int | float
    if isinstance(value, kinds) and not isinstance(value, bool) and allowed.least <= value <= allowed.most:
        return int(value) if allowed.whole else float(value)
    kind = "a whole number" if allowed.whole else "a number"
    raise unexpected(where, value, f"{kind} from {allowed.least:.7g} to {allowed.most:.7g}{allowed.more}")
