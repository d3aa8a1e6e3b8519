"""From a definition that was read to a tool, with the function that runs it where there is one."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from edgefn.checking import shown, validator_of
from edgefn.errors import ToolDefinitionError
from edgefn.importing.document import Node
from edgefn.signature import innermost
from edgefn.tool import Hints, Tool, mark_of

Bind: TypeAlias = Mapping[str, Callable[..., Any]] | Callable[[str], Callable[..., Any] | None] | None
"""The functions that run imported tools: by name, or asked for by name."""

LONGEST = 64
"""Most characters of a tool's name."""
_UNIVERSAL = "take it as a keyword, or **kwargs"


def build(node: Node, name: str, description: str, schema: Mapping[str, Any], hints: Hints, bind: Bind) -> Tool:
    """Make a tool from what stands at `node`; ToolDefinitionError names that place."""
    try:
        function = _function(bind, name)
        if function is not None:
            _check_function(name, function, schema)
            mark = mark_of(function)
            hints = hints if mark is None else mark.hints
        validator_of(name, schema)
        return Tool.from_schema(name, description, schema, function, hints)
    except ToolDefinitionError as exc:
        raise node.error(exc.message, exc.hint) from exc


def legal_name(text: str) -> str:
    """Return a text as a name that a tool can have: "Get /users" is "Get_users"; "" where nothing is left."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", text).strip("_.-") if not _is_legal(text) else text
    return (name if _is_legal(name[:1]) or not name else f"_{name}")[:LONGEST]


def _is_legal(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", text) is not None


def check_bind(bind: object) -> None:
    """Raise ToolDefinitionError for what gives no functions by name."""
    if bind is not None and not callable(bind) and not isinstance(bind, Mapping):
        hint = "pass {name: function}, or a function from a name to a function or None"
        raise ToolDefinitionError(f"bind is {shown(bind)}", hint=hint)


def _function(bind: Bind, name: str) -> Callable[..., Any] | None:
    if bind is None:
        return None
    function = bind.get(name) if isinstance(bind, Mapping) else bind(name)
    if function is not None and not callable(function):
        raise ToolDefinitionError(f"{name} is bound to {shown(function)}", hint="bind it to a function")
    return function


def _check_function(name: str, function: Callable[..., Any], schema: Mapping[str, Any]) -> None:
    """Raise ToolDefinitionError where some call that fits the schema does not fit the function."""
    called = getattr(function, "__call__", None)  # noqa: B004  # an object may be called like a function
    for each in (function, innermost(function), called):
        if inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each) or inspect.isgeneratorfunction(each):
            hint = "bind a plain `def` that returns its result"
            raise ToolDefinitionError(f"{name}: its function is async or a generator", hint=hint)
    try:
        taken = inspect.signature(function).parameters
    except (TypeError, ValueError) as exc:
        message = f"{name}: its function has no signature that can be checked: {exc}"
        raise ToolDefinitionError(message, hint="wrap it in a plain `def`") from exc
    by_name = {key for key, each in taken.items() if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)}
    takes_all = any(each.kind is each.VAR_KEYWORD for each in taken.values())
    for parameter in schema["properties"]:
        if parameter not in by_name and not takes_all:
            raise ToolDefinitionError(f"{name}: its function takes no {parameter!r}", hint=_UNIVERSAL)
    for key, each in taken.items():
        open_end = each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
        given = key in schema.get("required", ()) and key in by_name
        if each.default is each.empty and not open_end and not given:
            message = f"{name}: its function cannot do without {key!r}, which a call may leave out"
            raise ToolDefinitionError(message, hint="give it a default, or require it in the schema")
