"""Two published sets of function calls, read into tools of edgefn, and calls judged by the sets' own rules.

BFCL v4 (github.com/ShishirPatil/gorilla, Apache 2.0) and ACEBench (github.com/chenchen0103/ACEBench, MIT), one JSON
object a line: {"id", "query", "functions": [{"name", "description", "parameters"}], "answers"}, and "messages" where
there was a dialogue before the query.

Names that a tool cannot have (other than letters, digits, "_", "." and "-", or more than 64 characters) are made legal
while the tools stand in a dispatcher; `Case.published` undoes that. Descriptions and schemas go through as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgefn.tool import Tool

_LONGEST = 64
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
"""What a value of each JSON type is in Python; a bool is no number, which `_type_fits` sees to."""


@dataclass(frozen=True)
class Case:
    """One row of a set."""

    id: str
    """As published."""
    query: str
    """What is asked: the last turn of the user."""
    tools: tuple[Tool, ...]
    """The row's functions under legal names; running one does nothing."""
    published: Mapping[str, str]
    """Published name of each tool."""
    answers: Any
    """As published; their form differs by set and category."""
    dialogue: bool
    """Other turns came before the query."""

    @property
    def calls(self) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        """Accepted calls, each a published name and what is given; none where no call is right."""
        groups = self.answers if isinstance(self.answers, list) else [self.answers]
        return tuple(call for group in groups if isinstance(group, Mapping) for call in group.items())

    def is_right_tool(self, name: str | None) -> bool:
        """Tell whether a tool, under its legal name, is one that an accepted call names."""
        return name is not None and self.published.get(name) in {called for called, _ in self.calls}


# ---- reading ---------------------------------------------------------------------------------------------


def read_cases(path: Path, limit: int | None = None) -> list[Case]:
    """Return the rows of a file, the first `limit` of them; OSError where it cannot be read."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [case_of(json.loads(line)) for line in lines if line.strip()][:limit]


def case_of(row: Mapping[str, Any]) -> Case:
    """Return one published row as a case."""
    tools, published = tools_of(row["functions"])
    return Case(row["id"], row["query"], tools, published, row["answers"], "messages" in row)


def tools_of(functions: Sequence[Mapping[str, Any]]) -> tuple[tuple[Tool, ...], dict[str, str]]:
    """Return published functions as tools that do nothing, and the published name of each."""
    legal = legal_names([each["name"] for each in functions])
    tools = tuple(
        Tool.from_schema(name, each.get("description", ""), each["parameters"], nothing)
        for name, each in zip(legal, functions, strict=True)
    )
    return tools, {name: each["name"] for name, each in zip(legal, functions, strict=True)}


def nothing(**arguments: object) -> None:
    """Stand for a function."""


def legal_names(names: Iterable[str]) -> list[str]:
    """Return for each published name one that a tool may have; no two are the same, and legal ones stay."""
    found: dict[str, None] = {}
    for name in names:
        legal = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
        legal = (legal if re.match(r"[A-Za-z_]", legal) else f"_{legal}")[:_LONGEST]
        tried, number = legal, 1
        while tried in found:
            number += 1
            tried = f"{legal[: _LONGEST - len(str(number)) - 1]}_{number}"
        found[tried] = None
    return list(found)


# ---- judging ---------------------------------------------------------------------------------------------


def call_right(case: Case, name: str | None, arguments: Mapping[str, Any]) -> bool:
    """Judge a call by the rule that BFCL publishes for its AST categories.

    The function's name is equal, no required parameter is missing, no parameter is given that the function lacks, and
    every value that is given is among the accepted ones. A parameter is left out rightly only where "" is accepted.
    Strings are compared lower-cased, without spaces and without `,./-_*^`, single quotes taken for double ones; an
    int may stand for a float but not the other way round, and a bool for neither; lists are compared in order, objects
    key by key.
    """
    if name is None or not case.is_right_tool(name):
        return False
    schema = next(tool.schema for tool in case.tools if tool.name == name)
    accepted = [given for called, given in case.calls if called == case.published[name]]
    return any(_arguments_right(arguments, given, schema) for given in accepted)


def required_arguments(case: Case, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield JSON type and "right", "wrong" or "missing" of each required argument of the only accepted call."""
    ((called, accepted),) = case.calls
    schema = next(tool.schema for tool in case.tools if case.published[tool.name] == called)
    for name in schema.get("required", ()):
        about = schema.get("properties", {}).get(name, {})
        if name not in arguments:
            verdict = "missing"
        else:
            verdict = "right" if _is_accepted(arguments[name], accepted.get(name, []), about) else "wrong"
        yield _type_named(about), verdict


def states_its_arguments(case: Case) -> bool:
    """Tell whether what the function requires can stand in a sentence, and the published call has all of it.

    The function requires no object and no list of objects, and every parameter that it requires has a value in an
    accepted call.
    """
    schemas = {case.published[tool.name]: tool.schema for tool in case.tools}
    return any(_states(schemas[called], given) for called, given in case.calls)


def is_missing(case: Case, tool: str, parameter: str) -> str:
    """Tell how a parameter stands to the published `{function: [missing parameters]}` of a row.

    "named" where it is one of them, "holder" where one of them is a part of its value (a question is always for a
    whole parameter), and "" where it is neither.
    """
    missing = [name for called, names in case.calls if called == case.published.get(tool) for name in names]
    if parameter in missing:
        return "named"
    schemas = {each.name: each.schema for each in case.tools}
    about = schemas.get(tool, {}).get("properties", {}).get(parameter, {})
    return "holder" if set(missing) & set(_parts(about)) else ""


def _arguments_right(arguments: Mapping[str, Any], accepted: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    properties = schema.get("properties", {})
    if any(name not in arguments for name in schema.get("required", ())):
        return False
    if any(name not in properties for name in arguments):
        return False
    return _same_object(arguments, accepted, schema, deep=False)


def _same_object(
    value: Mapping[str, Any], accepted: Mapping[str, Any], schema: Mapping[str, Any], deep: bool = True
) -> bool:
    """Compare key by key; `accepted` lists what each key may be, "" among it where the key may be absent."""
    if value.keys() - accepted.keys():
        return False
    properties = schema.get("properties", {})
    return all(
        _is_accepted(value[key], among, properties.get(key, {}), deep) if key in value else _may_be_absent(among)
        for key, among in accepted.items()
    )


def _may_be_absent(among: Any) -> bool:
    return "" in among if isinstance(among, list) else among == ""


def _is_accepted(value: Any, among: Any, schema: Mapping[str, Any], deep: bool = False) -> bool:
    """Tell whether a value is among the accepted ones; `deep` inside objects, a list may be the only one itself."""
    if not isinstance(among, list):
        return _same(value, among, schema)
    return any(_same(value, each, schema) for each in among) or (deep and _same(value, among, schema))


def _same(value: Any, accepted: Any, schema: Mapping[str, Any]) -> bool:
    if not _type_fits(value, accepted, schema):
        return False
    if isinstance(value, str) and isinstance(accepted, str):
        return normal(value) == normal(accepted)
    if isinstance(value, list) and isinstance(accepted, list):
        items = schema.get("items") or {}
        return len(value) == len(accepted) and all(
            _same(each, other, items) for each, other in zip(value, accepted, strict=True)
        )
    if isinstance(value, Mapping) and isinstance(accepted, Mapping):
        return _same_object(value, accepted, schema)
    return isinstance(value, bool) == isinstance(accepted, bool) and bool(value == accepted)


def normal(text: str) -> str:
    """Return a string in the form in which the published rule compares it."""
    return re.sub(r"[ ,./\-_*^]", "", text).lower().replace("'", '"')


def _type_fits(value: Any, accepted: Any, schema: Mapping[str, Any]) -> bool:
    """Tell whether a value is of the schema's type; where an accepted value is of another, of that one."""
    named = schema.get("type")
    kinds = named if isinstance(named, list) else [named]
    if type(value) is type(accepted) or not any(kind in _TYPES for kind in kinds):
        return True
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, _TYPES.get(kind, ())) for kind in kinds)


def _type_named(schema: Mapping[str, Any]) -> str:
    named = schema.get("type", "any")
    return "|".join(named) if isinstance(named, list) else str(named)


def _states(schema: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    properties = schema.get("properties", {})
    return all(name in given and not _holds_objects(properties.get(name, {})) for name in schema.get("required", ()))


def _holds_objects(schema: Mapping[str, Any]) -> bool:
    return "properties" in schema or schema.get("type") == "object" or _holds_items_of_objects(schema)


def _holds_items_of_objects(schema: Mapping[str, Any]) -> bool:
    items = schema.get("items")
    return isinstance(items, Mapping) and _holds_objects(items)


def _parts(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of everything inside a value."""
    for name, inner in schema.get("properties", {}).items():
        yield name
        yield from _parts(inner)
    if isinstance(schema.get("items"), Mapping):
        yield from _parts(schema["items"])
