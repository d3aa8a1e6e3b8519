"""What a parameter's annotation carries beside its type: a list of names, other words for values, a unit.

Only the marks themselves: what reads the words is imported when something is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from edgefn.errors import NamesUnavailable, ToolDefinitionError

if TYPE_CHECKING:
    from edgefn.arguments.names import Names

Given: TypeAlias = Iterable[str] | Mapping[str, Iterable[str]]
"""Names, or each name with what else people call it."""
Copy: TypeAlias = tuple[Any, ...] | dict[Any, Any]
"""A list as it was given, not yet known to be one of names."""


@dataclass(frozen=True, eq=False)
class Synonyms:
    """What else people say for the values: `Annotated[Literal["on", "off"], Synonyms({"on": ["up", "lit"]})]`."""

    said_as: Mapping[Any, Iterable[str]]
    """Words for each value; values may be left out."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Marks a parameter that is measured in a unit: `Annotated[float, Unit("celsius")]`."""

    name: str
    """The unit's name, as in `units.MEASURES`."""

    def __post_init__(self) -> None:
        """Raise ToolDefinitionError if there is no such unit."""
        from edgefn.arguments.units import MEASURES  # only who measures pays for the table

        if self.name not in MEASURES:
            raise ToolDefinitionError(f"no unit is called {self.name!r}", hint=f"units are {', '.join(MEASURES)}")


@dataclass(frozen=True, eq=False)
class Among:
    """Ties a parameter to a list: `Annotated[str, Among(rooms)]`. A callable is asked each time."""

    names: Given | Callable[[], Given]
    """The list, or what gives it when asked."""
    _last: list[tuple[object, Names]] = field(default_factory=list, init=False, repr=False)
    """What was given last, and the names read from it."""

    def __post_init__(self) -> None:
        """Keep what an iterator holds; it can be read only once."""
        if isinstance(self.names, Iterator):
            object.__setattr__(self, "names", tuple(self.names))

    def current(self) -> Mapping[str, tuple[str, ...]]:
        """Return every name and what else people call it, as of now.

        Raises:
            NamesUnavailable: the callable raised, or what it gave holds no names or something else than names.
        """
        from edgefn.arguments.names import listed  # the grammars of names: only a list that is asked pays for them

        given = self._ask()
        if not self._last or self._last[0][0] != given:
            self._last[:] = [(given, listed(given))]
        return self._last[0][1]

    def _ask(self) -> Copy:
        """Return a copy, so that a later change of the list is seen."""
        try:
            given: object = self.names() if callable(self.names) else self.names
            if isinstance(given, Mapping):
                return {name: others if isinstance(others, str) else tuple(others) for name, others in given.items()}
            if isinstance(given, Iterable) and not isinstance(given, str | bytes):
                return tuple(given)
        except Exception as exc:
            raise unavailable(f"asking for them raised {type(exc).__name__}: {exc}") from exc
        raise unavailable(f"a {type(given).__name__} was given instead of a list of them")


def unavailable(what: str) -> NamesUnavailable:
    """Return the error for a list that gives no names."""
    hint = "give names as str: a list of them, {name: [what else people call it]}, or a callable that returns either"
    return NamesUnavailable(f"the names cannot be had: {what}", hint=hint)
