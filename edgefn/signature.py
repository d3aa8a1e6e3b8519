"""From a function to its description and parameters: its signature, type hints and Google-style docstring.

function ── read_function ──▶ description, parameters      strict: all annotated, all described
"""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MethodType, SimpleNamespace
from typing import Any, get_type_hints

from edgefn.errors import UnsupportedSignature
from edgefn.schema import SUPPORTED, Parameter, kind_of, unsupported

_SECTION = re.compile(r"(?:Args|Returns|Raises|Yields|Examples?|Notes?):")
_ENTRY = re.compile(r"(\w+)(?: \([^)]*\))?:(?: (.*))?")
_DESCRIBE = "write a Google docstring: one paragraph, then `Args:` with a line `name: what it is.` per parameter"


def read_function(function: Callable[..., Any]) -> tuple[str, tuple[Parameter, ...]]:
    """Return the description and the parameters of a function; UnsupportedSignature names what has none."""
    inner = innermost(function)
    # A keyword that partial fixed is no longer anybody's to fill, and may be of any type: a device handle.
    fixed = {key for each in layers(function) if isinstance(each, partial) for key in each.keywords}
    try:
        description, described = read_docstring(inner.__doc__ or "")
        signature = inspect.signature(function)
        known = signature.parameters.keys() | inspect.signature(inner).parameters.keys()
        for name in described:
            if name not in known:
                raise unsupported(f"`Args:` describes {name!r}, which is no parameter", _DESCRIBE)
        free = [each for each in signature.parameters.values() if each.name not in fixed]
        return description, tuple(_parameter(inner, each, described) for each in free)
    except UnsupportedSignature as exc:
        raise UnsupportedSignature(f"{place(function)}: {exc.message}", hint=exc.hint) from exc.__cause__
    except (
        TypeError,
        ValueError,
    ) as exc:  # what inspect says of built-ins and of a partial that fits nothing
        raise unsupported(f"{place(function)}: {exc}", "write a plain `def`") from exc


def layers(function: Any) -> Iterator[Any]:
    """Yield the function and what it wraps, outermost first: partial, functools.wraps, methods."""
    while True:
        yield function
        if isinstance(function, partial):
            function = function.func
        elif isinstance(function, MethodType):
            function = function.__func__
        elif "__wrapped__" in getattr(function, "__dict__", {}):  # hasattr is fooled by unittest.mock.call
            function = function.__wrapped__
        else:
            return


def innermost(function: Any) -> Any:
    """Return the function that was written with `def`."""
    return list(layers(function))[-1]


def is_async(function: Any) -> bool:
    """Say whether calling it gives something to await."""
    return any(map(inspect.iscoroutinefunction, (function, innermost(function), type(function).__call__)))


def place(function: Any) -> str:
    """Return "name (file:line)", or the name alone where there is no source."""
    inner = innermost(function)
    name = getattr(inner, "__name__", None) or repr(inner)
    code = getattr(inner, "__code__", None)
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code else name


def _parameter(function: Any, parameter: inspect.Parameter, described: Mapping[str, str]) -> Parameter:
    name = parameter.name
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
        raise unsupported(f"parameter {name!r} is {parameter.kind.description}", "name every parameter in the call")
    if parameter.annotation is parameter.empty:
        raise unsupported(f"parameter {name!r} has no annotation")
    if not described.get(name):
        raise unsupported(f"parameter {name!r} is not described", _DESCRIBE)
    try:
        annotation = _resolve(function, name, parameter.annotation)
        schema = kind_of(annotation).schema
    except UnsupportedSignature as exc:
        raise unsupported(f"parameter {name!r}: {exc.message}", exc.hint) from exc.__cause__
    required = parameter.default is parameter.empty
    return Parameter(name, annotation, schema, required, None if required else parameter.default, described[name])


def _resolve(function: Any, name: str, annotation: Any) -> Any:
    # One parameter at a time: a return type that only the type checker can import does no harm here.
    holder = SimpleNamespace(__annotations__={name: annotation})
    try:
        hints = get_type_hints(holder, globalns=getattr(function, "__globals__", {}), include_extras=True)
    except (NameError, AttributeError, TypeError, SyntaxError) as exc:
        hint = f"its names must exist in the module when the tool is registered; supported are {SUPPORTED}"
        raise unsupported(f"the annotation {annotation!r} cannot be resolved: {exc}", hint) from exc
    return hints[name]


def read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """Return the first paragraph and the entries of `Args:`, whitespace collapsed."""
    lines = inspect.cleandoc(text).splitlines()
    first: list[str] = []
    for line in lines:
        if not line.strip() or _SECTION.fullmatch(line.rstrip()):
            break
        first.append(line)
    if not first:
        raise unsupported("it has no description", _DESCRIBE)
    return " ".join(" ".join(first).split()), _read_args(lines)


def _read_args(lines: Sequence[str]) -> dict[str, str]:
    starts = [number for number, line in enumerate(lines) if line.rstrip() == "Args:"]
    if len(starts) > 1:
        raise unsupported("it has two `Args:` sections", _DESCRIBE)
    body = itertools.takewhile(lambda line: not line or line[0].isspace(), lines[starts[0] + 1 :] if starts else ())
    entries: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc("\n" + "\n".join(body)).splitlines():
        match = _ENTRY.fullmatch(line.rstrip())
        if match and match[1] not in entries:
            name, text = match[1], match[2] or ""
        elif line[:1].isspace() and name:
            text = line
        elif line:
            raise unsupported(f"this line of `Args:` is no new entry: {line!r}", _DESCRIBE)
        else:
            continue
        entries[name] = " ".join(f"{entries.get(name, '')} {text}".split())
    return entries
