"""Tool sets for general training: tools nobody will register, what is said to call them, and what none of them can do.

description: Money, said by people at a counter.
tools:
- name: convert_currency
  description: Convert an amount of money from one currency into another.
  parameters:
    amount: number! How much money to convert.             # ! required, ? optional
    rounding: none|cent|whole? How the result is rounded.  # a closed set
  says:
  - How much is {amount:250} pounds {rounding:to the cent=cent}?   # {parameter:words} or {parameter:words=value}
  - Change it all || rounding=none                                 # a value that stands in no words
outside:
- Open a savings account for my daughter.
rows: [clinc150/train.jsonl]       # labelled rows beside, or instead of, `says`; relative to this file
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from edgefn.arguments.keys import choice_text, choice_values, is_list
from edgefn.errors import DataError, ToolDefinitionError
from edgefn.rows import Row, Span, read_rows
from edgefn.tool import Tool

_PARAMETER = re.compile(r"([^!?\s]+?)([!?])(?: (.*))?", re.DOTALL)
_MARKED = re.compile(r"\{([A-Za-z_][\w.-]*):([^{}]+)\}")
_LISTED = re.compile(r"array\[(.+)\]")
_FORMATS = ("date", "time", "date-time", "duration")
_PLAIN = ("string", "integer", "number", "boolean", "object")
_FORM = "see docs/general.md"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where PyYAML was built with it


PACKAGED = Path(__file__).with_name("toolsets")
"""The tool sets that come with this package; those in `held_out` are for calibration."""


@dataclass(frozen=True)
class ToolSet:
    """Tools that stand beside each other on one device."""

    name: str
    """Name of its file."""
    tools: tuple[Tool, ...]
    """The tools."""
    rows: tuple[Row, ...]
    """What is said to call them; rows without a tool are for none of them."""


def read_tool_sets(paths: Iterable[str | Path], data: Path | None = None) -> tuple[ToolSet, ...]:
    """Return the tool sets of files and of the files in folders; raises DataError.

    `data` is the folder that `rows` are relative to; None takes that of each file.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        found |= dict.fromkeys(sorted(path.glob("*.yaml")) if path.is_dir() else [path])
    if not found:
        raise DataError("there are no tool sets", hint=f"give files or folders of YAML; {_FORM}")
    return tuple(read_tool_set(path, data) for path in found)


def digest_of(sets: Iterable[ToolSet]) -> str:
    """Return the sha256 over all that tool sets hold."""
    told = [
        [each.name, [tool.fingerprint for tool in each.tools], [row.to_json() for row in each.rows]] for each in sets
    ]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, default=str).encode()).hexdigest()


def read_tool_set(path: Path, data: Path | None = None) -> ToolSet:
    """Return the tool set of one YAML file; DataError names the file and what is wrong."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _LOADER)
        return _tool_set(path, data or path.parent, content)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as exc:
        raise DataError(f"{path} cannot be read: {exc}", hint=_FORM) from exc
    except (TypeError, ValueError, ToolDefinitionError) as exc:
        raise DataError(f"{path}: {exc}", hint=_FORM) from exc


def _tool_set(path: Path, data: Path, content: Any) -> ToolSet:
    if not isinstance(content, Mapping) or not isinstance(content.get("tools"), list):
        raise ValueError("there is no list of `tools`")
    tools: dict[str, Tool] = {}
    rows: list[Row] = []
    for each in content["tools"]:
        tool = _tool(each)
        if tool.name in tools:
            raise ValueError(f"two tools are named {tool.name!r}")
        tools[tool.name] = tool
        rows += [_row(tool, text) for text in _texts(each, "says")]
    rows += [Row(text, None) for text in _texts(content, "outside")]
    beside = content.get("rows") or ()
    for name in [beside] if isinstance(beside, str) else beside:
        rows += read_rows(data / name)
    strange = sorted({row.tool for row in rows if row.tool is not None} - tools.keys())
    if strange:
        raise ValueError(f"rows name {strange[0]!r}, which is none of its tools")
    return ToolSet(path.stem, tuple(tools.values()), tuple(rows))


def _texts(content: Mapping[str, Any], key: str) -> list[str]:
    """Return the sentences under a key; to YAML, a bare No is a boolean and 12:30 a number."""
    texts = content.get(key) or []
    if not isinstance(texts, list):
        raise ValueError(f"`{key}` is no list of sentences: {texts!r}")
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"`{key}`: {text!r} is no sentence; write it in quotes")
        text.encode()  # half a surrogate pair is no text
    return texts


def _tool(each: Any) -> Tool:
    if not isinstance(each, Mapping) or not isinstance(each.get("name"), str):
        raise ValueError(f"a tool is without a name: {each!r}")
    given = each.get("parameters") or {}
    if not isinstance(given, Mapping):
        raise ValueError(f"{each['name']}: `parameters` is no mapping from names to types")
    parameters = {name: _parameter(each["name"], name, text) for name, text in given.items()}
    schema = {
        "type": "object",
        "properties": {name: schema for name, (schema, _) in parameters.items()},
        "required": [name for name, (_, required) in parameters.items() if required],
        "additionalProperties": False,
    }
    return Tool.select_only(each["name"], " ".join(str(each.get("description") or "").split()), schema)


def _parameter(tool: str, name: Any, text: Any) -> tuple[dict[str, Any], bool]:
    if not isinstance(name, str):
        raise ValueError(f"{tool}: the parameter {name!r} has no name; write it in quotes")
    found = _PARAMETER.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{tool}, {name}: {text!r} is not `type! description` or `type? description`")
    kind, mark, about = found.groups()
    listed = _LISTED.fullmatch(kind)
    schema = _schema(tool, name, listed[1] if listed else kind)
    schema = {"type": "array", "items": schema} if listed else schema
    return {**schema, "description": " ".join((about or "").split())}, mark == "!"


def _schema(tool: str, name: str, kind: str) -> dict[str, Any]:
    if kind in _PLAIN:
        return {"type": kind}
    if kind in _FORMATS:
        return {"type": "string", "format": kind}
    values = kind.split("|")
    if len(values) < 2 or "" in values or len(set(values)) < len(values):
        raise ValueError(f"{tool}, {name}: there is no type {kind!r}")
    return {"type": "string", "enum": values}


def _row(tool: Tool, marked: str) -> Row:
    """Read one marked sentence."""
    schemas = {each.name: each.schema for each in tool.parameters}
    body, _, implied = marked.partition(" || ")
    text, reached, spans = "", 0, list[Span]()
    arguments: dict[str, Any] = {}
    for mark in _MARKED.finditer(body):
        name, (words, _, value) = mark[1], mark[2].partition("=")
        if not words or words != words.strip():
            raise ValueError(f"{tool.name}: {mark[0]} marks no words, or spaces beside them")
        text += body[reached : mark.start()] + words
        reached = mark.end()
        spans.append((len(text) - len(words), len(text), name))
        _give(tool, schemas, arguments, name, value or words)
    for piece in filter(str.strip, implied.split(";")):
        name, _, value = piece.partition("=")
        _give(tool, schemas, arguments, name.strip(), value.strip())
    text += body[reached:]
    if not text.strip() or "{" in text or "}" in text:
        raise ValueError(f"{tool.name}: {marked!r} is no sentence with {{parameter:words}} in it")
    return Row(text, tool.name, arguments, tuple(spans))


def _give(tool: Tool, schemas: Mapping[str, Any], arguments: dict[str, Any], name: str, text: str) -> None:
    """Keep an argument; values of open parameters stay words, for the device's readers."""
    if name not in schemas:
        raise ValueError(f"{tool.name}: {name!r} is no parameter")
    if not text:
        raise ValueError(f"{tool.name}: {name} has no value after `=`")
    value = _value(tool, name, schemas[name], text)
    if is_list(schemas[name]):
        arguments.setdefault(name, []).append(value)
    else:
        arguments[name] = value


def _value(tool: Tool, name: str, schema: Mapping[str, Any], text: str) -> Any:
    values = choice_values(schema)
    if values is None:
        return text
    for value in values:
        if choice_text(value).casefold() == text.casefold():
            return value
    raise ValueError(f"{tool.name}, {name}: {text!r} is none of {', '.join(map(choice_text, values))}")
