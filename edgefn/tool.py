"""A tool: a local function with a name, a description and typed parameters.

`@tool` only marks a function; `Tool.from_function` reads it. Whatever is checked about arguments is checked
in `Tool.bind`: values to plain JSON, JSON against the schema, JSON to typed values.
"""

from __future__ import annotations

import copy
import hashlib
import inspect
import json
import re
import reprlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from edgefn.arguments.reader import reader_of
from edgefn.checking import expectation, plain, plain_text, shown, validator_of
from edgefn.errors import ArgumentError, ToolDefinitionError, UnsupportedSignature
from edgefn.marking import NO_HINTS
from edgefn.marking import Hints as Hints
from edgefn.marking import Mark as Mark
from edgefn.marking import mark_of as mark_of
from edgefn.marking import tool as tool
from edgefn.saying import question
from edgefn.schema import SAID_AS, Parameter, without_null
from edgefn.signature import innermost, is_async, place, read_function
from edgefn.templates import check_templates

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator


@dataclass(frozen=True)
class Tool:
    """One tool of a device, or one that is known only from data."""

    name: str
    """The key everywhere: registry, bundle, call."""
    description: str
    """First paragraph of the docstring, whitespace collapsed."""
    parameters: tuple[Parameter, ...]
    """In the order of the signature; by name where only a schema is known."""
    function: Callable[..., Any] | None = None
    """What runs; None for a tool that can only be selected."""
    hints: Hints = NO_HINTS
    """For policy."""
    source: str = ""
    """File that defines it, or empty."""
    line: int = 0
    """Line in that file, or 0."""
    given_schema: Mapping[str, Any] | None = field(default=None, hash=False, repr=False)
    """The schema that the tool came with; None where it was read from its function."""
    result: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)
    """What is said of a result, by language."""
    confirmation: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)
    """What is asked before it runs, by language."""

    def __post_init__(self) -> None:
        """Refuse a name that OpenAI, MCP or a bundle could not carry."""
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", self.name):
            raise ToolDefinitionError(
                f"{self.name!r} is no name for a tool",
                hint="up to 64 letters, digits, '_', '.' and '-', starting with a letter or '_'",
            )
        names = {each.name for each in self.parameters}
        check_templates(f"{self.name}: its result", self.result, {*names, "value"})
        check_templates(f"{self.name}: its confirmation", self.confirmation, names)

    @classmethod
    def from_function(cls, fn: Callable[..., Any]) -> Tool:
        """Read name, description, parameters and hints from a function; it need not be marked."""
        _refuse_what_does_not_return(fn)
        inner, mark = innermost(fn), mark_of(fn) or Mark()
        description, parameters = read_function(fn)
        for parameter in parameters:
            _check_definition(fn, parameter)
            reader_of(parameter)  # refuses values that nobody could tell apart when they are said
        code = inner.__code__
        name = mark.name if mark.name is not None else inner.__name__
        where = code.co_filename, code.co_firstlineno
        return cls(name, description, parameters, fn, mark.hints, *where, None, mark.result, mark.confirmation)

    @classmethod
    def select_only(cls, name: str, description: str, schema: Mapping[str, Any]) -> Tool:
        """Make a tool from an object schema: it can be selected and its arguments checked, never run."""
        return cls.from_schema(name, description, schema)

    @classmethod
    def from_schema(
        cls,
        name: str,
        description: str,
        schema: Mapping[str, Any],
        function: Callable[..., Any] | None = None,
        hints: Hints = NO_HINTS,
    ) -> Tool:
        """Make a tool from an object schema; its function, where it has one, is called with JSON values by name."""
        try:
            schema = json.loads(json.dumps(schema, allow_nan=False))
            required, properties = set(schema.get("required", ())), schema.get("properties", {})
            # Sorted: the order of the keys must never matter.
            parameters = tuple(_from_schema(key, each, key in required) for key, each in sorted(properties.items()))
        except (TypeError, ValueError, AttributeError, RecursionError) as exc:
            hint = "pass an object schema with `properties`, as Tool.schema returns it"
            raise ToolDefinitionError(f"{name}: this is no schema of arguments: {exc}", hint=hint) from exc
        return cls(name, description, parameters, function, hints, given_schema=schema)

    @cached_property
    def schema(self) -> Mapping[str, Any]:
        """JSON Schema of the arguments. It holds no defaults: they are Python's, and may change freely."""
        if self.given_schema is not None:
            return self.given_schema
        properties = {each.name: {**each.schema, "description": each.description} for each in self.parameters}
        required = [each.name for each in self.parameters if each.required]
        return {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }

    @cached_property
    def is_async(self) -> bool:
        """Whether calling its function gives something to await."""
        return self.function is not None and is_async(self.function)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over name, description and schema."""
        schema = _without(self.schema, _PYTHONS)
        return _digest({"name": self.name, "description": self.description, "schema": _canonical(schema)})

    @cached_property
    def parameters_fingerprint(self) -> str:
        """sha256 over what a call depends on: the schema without its descriptions."""
        return fingerprint_parameters(self.schema)

    @cached_property
    def _takes_nothing(self) -> bool:
        """True where a call without arguments fits: validating nothing would cost as much as something."""
        return self.given_schema is None and not any(each.required for each in self.parameters)

    def to_openai(self) -> dict[str, Any]:
        """Return the form of OpenAI's `tools`."""
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": copy.deepcopy(self.schema),
        }
        return {"type": "function", "function": function}

    def to_mcp(self) -> dict[str, Any]:
        """Return the form of MCP's `tools/list`."""
        return {
            "name": self.name,
            "description": self.description,
            "inputSchema": copy.deepcopy(self.schema),
            "annotations": {
                "readOnlyHint": self.hints.read_only,
                "destructiveHint": self.hints.destructive,
                "idempotentHint": self.hints.idempotent,
                "openWorldHint": self.hints.open_world,
            },
        }

    def bind(self, arguments: Mapping[str, object]) -> dict[str, Any]:
        """Return typed values of what is given; ArgumentError names the first that does not fit.

        JSON values and typed values are both taken. Defaults are not filled in: Python does that.
        """
        if not arguments and self._takes_nothing:
            return {}
        given, unfit = self._plain(arguments)
        if unfit or not _is_valid(self._validator, given):
            raise self._explain(arguments, given, unfit)
        readers = {each.name: each.kind.read for each in self.parameters}
        return {name: readers[name](value) if name in readers else value for name, value in given.items()}

    def unbind(self, arguments: Mapping[str, object]) -> dict[str, Any]:
        """Return the JSON form of typed arguments, required or not; the opposite of `bind`."""
        given, unfit = self._plain(arguments)
        if unfit:
            raise self._explain(arguments, given, unfit)
        return given

    def typed(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return typed values of JSON values that are known to fit, in the order of the parameters."""
        return {each.name: each.kind.read(arguments[each.name]) for each in self.parameters if each.name in arguments}

    def read(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return typed values of JSON values, each judged alone; what does not fit stays, for `bind` to refuse."""
        known = dict(arguments)
        shared = {key: self.schema[key] for key in ("$defs", "definitions") if key in self.schema}
        for each in self.parameters:
            if each.name in known and _is_valid(validator_of(self.name, {**shared, **each.schema}), known[each.name]):
                known[each.name] = each.kind.read(known[each.name])
        return known

    def question_for(self, parameter_name: str) -> str:
        """Return the question that asks a person for one argument."""
        for parameter in self.parameters:
            if parameter.name == parameter_name:
                return question(parameter.name, parameter.description)
        raise self._unknown(parameter_name)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the cached validator behind: it cannot be pickled."""
        return {key: value for key, value in vars(self).items() if key != "_validator"}

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return validator_of(self.name, self.schema)

    def _plain(self, arguments: Mapping[str, object]) -> tuple[dict[str, Any], set[str]]:
        """Return JSON values in the order of the parameters, and the names of those that have none."""
        if not isinstance(arguments, Mapping):
            shown = reprlib.repr(arguments)
            raise ArgumentError(f"{self.name}: arguments are {shown}, not an object", hint="pass a dict")
        writers = {each.name: each.kind.write for each in self.parameters}
        given: dict[str, Any] = {}
        unfit: set[str] = set()
        for name in [*(name for name in writers if name in arguments), *(arguments.keys() - writers.keys())]:
            try:
                given[plain_text(name)] = plain(writers.get(name, plain)(arguments[name]))
            except (TypeError, ValueError, OverflowError, RecursionError):
                unfit.add(name)
        return given, unfit

    def _explain(self, arguments: Mapping[str, object], given: dict[str, Any], unfit: set[str]) -> ArgumentError:
        """Say what is wrong with the first parameter that does not fit."""
        try:
            errors = [(list(error.instance_path), error.message) for error in self._validator.iter_errors(given)]
        except ValueError as exc:
            errors = [([], str(exc))]
        wrong = unfit | {str(path[0]) for path, _ in errors if path}
        for parameter in self.parameters:
            name = parameter.name
            if name in wrong:
                return self._does_not_fit(parameter, arguments[name])
            if parameter.required and name not in arguments:
                about = f" ({parameter.description.rstrip('.')})" if parameter.description else ""
                hint = f"give {expectation(parameter.schema)}"
                return ArgumentError(
                    f"{self.name} needs {name!r}{about}, which is missing",
                    parameter=name,
                    missing=True,
                    hint=hint,
                )
        unknown = arguments.keys() - {each.name for each in self.parameters}
        if unknown and (unfit or self.schema.get("additionalProperties") is False):
            return self._unknown(min(unknown, key=repr))
        return ArgumentError(f"{self.name}: {errors[0][1]}", hint=f"its schema is {json.dumps(self.schema)}")

    def _does_not_fit(self, parameter: Parameter, value: object) -> ArgumentError:
        name, expected = parameter.name, expectation(parameter.schema)
        message = f"{self.name}: {name!r} is {shown(value)}, but what is expected is {expected}"
        return ArgumentError(message, parameter=name, hint=parameter.description or f"give {expected}")

    def _unknown(self, name: object) -> ArgumentError:
        known = ", ".join(each.name for each in self.parameters) or "none"
        message = f"{self.name} takes no argument {shown(name)}"
        return ArgumentError(message, parameter=str(name), hint=f"its arguments: {known}")


def _is_valid(validator: Draft202012Validator, value: object) -> bool:
    try:
        return validator.is_valid(value)
    except ValueError:  # nested too deeply for the validator
        return False


# ---- reading a definition --------------------------------------------------------------------------------


def _refuse_what_does_not_return(fn: Callable[..., Any]) -> None:
    """Refuse whatever cannot simply be called by name and waited for."""
    inner, hint = innermost(fn), "write a `def` or `async def` that returns its result"
    if not inspect.isfunction(inner) or inner.__name__ == "<lambda>":
        raise UnsupportedSignature(f"{place(fn)} is no function with a name", hint=hint)
    if inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner):
        raise UnsupportedSignature(f"{place(fn)} is a generator, which is not supported", hint=hint)


def _check_definition(fn: Callable[..., Any], parameter: Parameter) -> None:
    """Refuse a default that does not fit, and a pattern that the validator cannot read."""
    if parameter.required and "pattern" not in without_null(parameter.schema):
        return
    where = f"{place(fn)}: parameter {parameter.name!r}"
    validator = validator_of(where, parameter.schema)
    try:
        fits = parameter.required or validator.is_valid(plain(parameter.kind.write(parameter.default)))
    except (TypeError, ValueError, OverflowError, RecursionError):
        fits = False
    if not fits:
        given, expected = shown(parameter.default), expectation(parameter.schema)
        message = f"{where} has the default {given}, but what is expected is {expected}"
        raise UnsupportedSignature(message, hint="change the default or the annotation, for example to X | None")


def _from_schema(name: str, schema: Mapping[str, Any], required: bool) -> Parameter:
    rest = {key: value for key, value in schema.items() if key != "description"}
    return Parameter(name, Any, rest, required, None, " ".join(str(schema.get("description", "")).split()))


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _canonical(schema: Mapping[str, Any]) -> dict[str, Any]:
    # `required` is a set; only JSON makes it a list.
    return {**schema, "required": sorted(schema.get("required", ()))}


_PYTHONS = ("default", SAID_AS)
"""Keys that only the copy of a schema in a checkpoint or bundle has: they are Python's own, and free to change."""


def _without(schema: Mapping[str, Any], keys: Collection[str]) -> Mapping[str, Any]:
    """Return an object schema whose properties lack some keys."""
    properties = schema.get("properties", {})
    bare = {name: {key: value for key, value in each.items() if key not in keys} for name, each in properties.items()}
    return {**schema, "properties": bare}


def fingerprint_parameters(schema: Mapping[str, Any]) -> str:
    """Return the fingerprint of an object schema without what may change freely: descriptions, names people use."""
    return _digest(_canonical(_without(schema, ("description", *_PYTHONS))))
