"""The policy of a device: rules by tool and by hint, deny lists by role, and what follows from them for one call."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

from edgefn.checking import shown
from edgefn.errors import PolicyError, ToolsWarning
from edgefn.policy.rule import EVERYONE, Rule, Terms, names, unexpected
from edgefn.tool import Hints, Tool

HINTS: Final = ("destructive", "open_world", "read_only", "idempotent")
"""In the order in which their rules speak: the most dangerous first."""
_BUILT_IN: Final[Mapping[str, Rule]] = {
    "destructive": Rule(action="confirm", doubt=0.5, isolated=True),
    "open_world": Rule(isolated=True),
}
_LAST: Final = Rule(
    action="run",
    threshold=0.0,
    doubt=1.0,
    dry_run=False,
    timeout=30.0,
    retries=0,
    backoff=0.1,
    cache=0.0,
    concurrency=0,
    isolated=False,
)
"""What holds where no rule says anything."""
_MOST_TERMS = 4096
"""Terms that are kept; a device has fewer tools, but names may come and go for years."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy says about one call."""

    action: Literal["run", "confirm", "deny", "unsure", "dry_run"]
    """What to do with it; unsure: it is not probable enough."""
    reason: str
    """Why, in plain words; empty where it simply runs."""


_RUN: Final = Verdict("run", "")
_CONFIRM: Final = Verdict("confirm", "a person must agree first")
_DRY_RUN: Final = Verdict("dry_run", "this is a dry run")


@dataclass(frozen=True, slots=True)
class Policy:
    """What the tools of a device may do and how they are run; it never changes, and is safe to share between threads.

    PolicyError where a value is of another type, out of range, or not a hint.
    """

    rules: Mapping[str, Rule] = field(default_factory=dict)
    """By name of tool."""
    hints: Mapping[str, Rule] = field(default_factory=dict)
    """By hint: destructive, open_world, read_only, idempotent."""
    default: Rule = field(default_factory=Rule)
    """For what neither the tool's rule nor one of its hints says."""
    deny: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Tools that may not be called, by role; "*" for everyone."""
    explicit: bool = True
    """Whether a line that names a function runs without the model."""
    dry_run: bool = False
    """Nothing runs, whatever a rule says."""
    _kept: dict[str, tuple[Hints, Terms]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _denied: dict[str, frozenset[str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check every field, and keep copies of the mappings that cannot be changed."""
        for where in ("rules", "hints"):
            object.__setattr__(self, where, MappingProxyType(_rules(where, getattr(self, where))))
        for name in self.hints:
            if name not in HINTS:
                hint = f"{near(name, HINTS)}the hints are {', '.join(HINTS)}"
                raise PolicyError(f"{joined('hints', name)}: there is no hint {shown(name)}", hint=hint)
        if not isinstance(self.default, Rule):
            raise unexpected("default", self.default, "a Rule")
        for where in ("explicit", "dry_run"):
            if not isinstance(getattr(self, where), bool):
                raise unexpected(where, getattr(self, where), "true or false")
        deny = {role: names(joined("deny", role), tools) for role, tools in _named("deny", self.deny).items()}
        object.__setattr__(self, "deny", MappingProxyType(deny))
        self._denied.update({role: frozenset(tools) for role, tools in deny.items()})

    def terms(self, tool: Tool) -> Terms:
        """Return what holds for a tool. Each field is what the first of these says about it:

        the tool's own rule; for each hint of the tool, the most dangerous first, the rule given for the hint and then
        the built-in rule of that hint; `default`; the built-in default. `dry_run` of the policy wins over all.

        Raises:
            PolicyError: the tool's own rule asks for retries of a tool that is not declared idempotent, or for a cache
                of one that is not read-only. Where another rule says so it does not apply to such a tool.
        """
        # By name, with the hints compared: half the time of hashing both.
        kept = self._kept.get(tool.name)
        if kept is not None and (kept[0] is tool.hints or kept[0] == tool.hints):
            return kept[1]
        terms = self._work_out(tool)
        if len(self._kept) >= _MOST_TERMS:
            self._kept.clear()
        self._kept[tool.name] = (tool.hints, terms)
        return terms

    def judge(self, tool: Tool, terms: Terms, role: str | None, probability: float, threshold: float = 0.0) -> Verdict:
        """Say what happens to a call: the first of denied, unsure, dry run, confirm and run that is the case.

        `terms` are those of the tool, `role` who asks (None: nobody in particular), `probability` P(call), 0..1,
        `threshold` the bundle's own.
        """
        refusal = self._refusal(tool.name, terms, role)
        if refusal:
            return Verdict("deny", refusal)
        least = terms.least(threshold)
        if not probability >= least:  # so written, NaN is never sure
            return Verdict("unsure", _below(probability, least))
        if terms.dry_run:
            return _DRY_RUN
        return _RUN if terms.action == "run" else _CONFIRM

    def check(self, tools: Iterable[Tool]) -> None:
        """Work out the terms of each tool, and warn (ToolsWarning) of rules that name none of them.

        A typing error in a name would leave a tool unguarded. Raises PolicyError: see `terms`.
        """
        known = {tool.name for tool in tools if self.terms(tool)}
        for where, name in self._mentions():
            if name not in known:
                advice = near(name, known) or "a tool that is added later may have that name"
                message = f"{where} of the policy: there is no tool {name!r}, so this holds for nothing; {advice}"
                warnings.warn(message.rstrip(), ToolsWarning, stacklevel=2)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, which `policy_from` reads; a rule has only the fields that it says."""
        return {
            "rules": {name: rule.to_json() for name, rule in self.rules.items()},
            "hints": {name: rule.to_json() for name, rule in self.hints.items()},
            "default": self.default.to_json(),
            "deny": {role: list(tools) for role, tools in self.deny.items()},
            "explicit": self.explicit,
            "dry_run": self.dry_run,
        }

    def _work_out(self, tool: Tool) -> Terms:
        own = self.rules.get(tool.name, Rule())
        if own.retries and not tool.hints.idempotent:
            raise _not_allowed(tool, "retries", "idempotent", "a second attempt could do it twice")
        if own.cache and not tool.hints.read_only:
            raise _not_allowed(tool, "cache", "read_only", "a kept result would stand for a call that never ran")
        merged = own
        for rule in (*self._rules_of(tool.hints), self.default, _LAST):
            merged = merged.over(rule)
        said: dict[str, Any] = {"roles": None, "rate": None, **merged.said()}
        if EVERYONE in (merged.roles or ()):
            said["roles"] = None
        if not tool.hints.idempotent:
            said["retries"] = 0
        if not tool.hints.read_only:
            said["cache"] = 0.0
        said["dry_run"] = self.dry_run or said["dry_run"]
        return Terms(**said)

    def _rules_of(self, hints: Hints) -> Iterator[Rule]:
        """Yield the rules that the hints of a tool bring, in order.

        A built-in rule speaks right after the given one of its own hint: a rule given for idempotent tools must not
        let a destructive one run unasked.
        """
        for name in HINTS:
            if getattr(hints, name):
                yield self.hints.get(name, Rule())
                yield _BUILT_IN.get(name, Rule())

    def _refusal(self, name: str, terms: Terms, role: str | None) -> str:
        if self._denied:
            if name in self._denied.get(EVERYONE, ()):
                return "on the deny list of everyone"
            if role is not None and name in self._denied.get(role, ()):
                return f"on the deny list of {role}"
        if terms.roles is not None and role not in terms.roles:
            who = "nobody in particular" if role is None else f"role {role}"
            return f"{who} is not one of {', '.join(terms.roles)}" if terms.roles else "no role may call it"
        return "the policy denies it" if terms.action == "deny" else ""

    def _mentions(self) -> Iterator[tuple[str, str]]:
        """Yield where a tool is named, and its name."""
        yield from (("rules", name) for name in self.rules)
        yield from ((joined("deny", role), name) for role, tools in self.deny.items() for name in tools)


def joined(where: str, key: object) -> str:
    """Return the path of a key below another: rules.restart, rules."lights.on"."""
    return f"{where}.{key}" if re.fullmatch(r"[\w*-]+", str(key)) else f'{where}."{key}"'


def near(name: object, known: Iterable[str]) -> str:
    """Return "did you mean ...? " with the nearest known name, or nothing where none is near."""
    import difflib  # only who mistypes a name pays for it

    close = difflib.get_close_matches(str(name), list(known), 1)
    return f"did you mean {close[0]!r}? " if close else ""


def _named(where: str, value: object) -> dict[str, Any]:
    """Return a copy of a mapping whose keys are names."""
    if not isinstance(value, Mapping):
        raise unexpected(where, value, "a table")
    for key in value:
        if not isinstance(key, str) or not key:
            raise unexpected(f"a key of {where}", key, "a name")
    return dict(value)


def _rules(where: str, value: object) -> dict[str, Rule]:
    rules = _named(where, value)
    for name, rule in rules.items():
        if not isinstance(rule, Rule):
            raise unexpected(joined(where, name), rule, "a Rule")
    return rules


def _not_allowed(tool: Tool, what: str, hint: str, why: str) -> PolicyError:
    message = f"{joined('rules', tool.name)}.{what}: {tool.name} is not declared {hint}, and {why}"
    return PolicyError(message, hint=f"drop {what}, or declare the tool with @tool({hint}=True) if it is")


def _below(probability: float, threshold: float) -> str:
    told, least = f"{probability:.2f}", f"{threshold:.2f}"
    if told == least:  # two digits hide the difference
        told, least = repr(float(probability)), repr(threshold)
    return f"P {told} is below {least}"
