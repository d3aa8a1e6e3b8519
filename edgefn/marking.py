"""`@tool`: the mark that a function carries to be a tool; what it is read for is `edgefn.tool`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias, TypeVar, overload

from edgefn.errors import ToolDefinitionError
from edgefn.saying import language_of
from edgefn.signature import layers

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Hints:
    """What policy needs to know about a tool; the four names are MCP's."""

    read_only: bool = False
    """It changes nothing."""
    destructive: bool = False
    """What it changes cannot be undone: a person confirms first, and it runs in a process of its own."""
    idempotent: bool = False
    """Calling it twice with the same arguments is like calling it once."""
    open_world: bool = False
    """It reaches beyond this device: it runs in a process of its own."""


NO_HINTS = Hints()
"""Nothing is known of a tool: it may change things, and can be undone."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What `@tool` leaves on a function, as `__edgefn__`."""

    name: str | None = None
    """Name of the tool; None for the function's own."""
    hints: Hints = NO_HINTS
    """For policy."""
    result: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What is said of a result, by language."""
    confirmation: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What is asked before it runs, by language."""


Sentences: TypeAlias = str | Mapping[str, str]
"""A template such as "It is {value} degrees in {city}.", or one for each language."""


@overload
def tool(fn: F, /) -> F: ...
@overload
def tool(
    fn: None = None,
    *,
    name: str | None = None,
    read_only: bool = False,
    destructive: bool = False,
    idempotent: bool = False,
    open_world: bool = False,
    result: Sentences = "",
    confirmation: Sentences = "",
) -> Callable[[F], F]: ...
def tool(
    fn: F | None = None,
    *,
    name: str | None = None,
    read_only: bool = False,
    destructive: bool = False,
    idempotent: bool = False,
    open_world: bool = False,
    result: Sentences = "",
    confirmation: Sentences = "",
) -> F | Callable[[F], F]:
    """Mark a function as a tool and return the same function; with or without arguments.

    `result` says a result in words, `confirmation` asks before it runs: templates with `{argument}` and `{value}`,
    one for all or by language ("en", "zh").
    """
    if read_only and destructive:
        hint = "drop one of the two: a read-only tool changes nothing"
        raise ToolDefinitionError("a tool cannot be read_only and destructive", hint=hint)
    hints = Hints(read_only, destructive, idempotent, open_world)
    mark = Mark(name, hints, _by_language(result), _by_language(confirmation))
    return partial(_marked, mark=mark) if fn is None else _marked(fn, mark)


def _by_language(sentences: Sentences) -> Mapping[str, str]:
    if isinstance(sentences, str):
        return {language_of(sentences): sentences} if sentences else {}
    return sentences


def _marked(fn: F, mark: Mark) -> F:
    try:
        fn.__edgefn__ = mark  # type: ignore[attr-defined]
    except (AttributeError, TypeError) as exc:
        raise ToolDefinitionError(f"{fn!r} cannot be marked as a tool", hint="decorate a plain `def`") from exc
    return fn


def mark_of(fn: object) -> Mark | None:
    """Return the mark of `@tool`, also through partial, functools.wraps and methods; None without one."""
    marks = (getattr(layer, "__edgefn__", None) for layer in layers(fn))
    return next((mark for mark in marks if isinstance(mark, Mark)), None)
