"""A line that names a function: `call square(3)`, 请执行square，参数为3，期望输出为9.

    line      = ["please"] "call" NAME "(" [arguments] ")"
              | ["please"] "call function(" STRING ["," (list | object) ["," value]] ")"
              | ["请"] ("执行" | "调用" | "运行") ["函数"] NAME
                ["(" [arguments] ")" | "参数为" arguments] ["期望输出为" value]
    arguments = argument {"," argument}
    argument  = [NAME "="] value

A list or an object that is all that follows 参数为 is the arguments themselves, in order or by name. Full-width signs
count as plain ones. Nothing is evaluated: values are read by `edgefn.literals`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from numbers import Integral, Number
from typing import Any

from edgefn.checking import shown
from edgefn.errors import ArgumentError
from edgefn.literals import LiteralReader, plain_width
from edgefn.outcome import plain
from edgefn.tool import Tool

MAX_CHARACTERS = 1000
"""The longest line that is read as a call."""

_NAME = "[A-Za-z_][A-Za-z0-9_.-]{0,63}"
_BARE_NAME = "[A-Za-z_](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_-])?"  # a last point ends the sentence
_FORM = re.compile(
    rf"\s*+(?:(?i:please[\s,，]++)?(?i:call)\s++(?P<name>{_NAME})(?=[(（])"
    rf"|(?:[请請]\s*+)?(?:执行|執行|调用|調用|运行|運行)\s*+(?:函[数數]\s*+)?[\"“「]?"
    rf"(?:(?P<opened>{_NAME})[\"”」]?(?=[(（])"
    rf"|(?P<bare>{_BARE_NAME})[\"”」]?\s*+(?=[.。!！]?\s*+\Z|[,，、;；]?\s*+(?:参数|參數|期望))))"
)
_PARAMETERS = re.compile(r"[\s,;]*(?:参数|參數)\s*(?:分[别別]\s*)?(?P<is>是|为|為|:|=)?")
_EXPECTED = re.compile(r"[\s,;.]*期望的?\s*(?:输出|輸出)?(?:结果|結果|值)?\s*(?P<is>是|为|為|:|=)?")
_KEYWORD = re.compile(r"\s*(?P<name>[^\W\d][\w.-]*)\s*=(?!=)")
_END = re.compile(r"\s*[.!]?\s*\Z")


@dataclass(frozen=True, slots=True)
class ExplicitCall:
    """A function and its arguments, as a line names them."""

    name: str
    """Name of the function; whether there is one is not known here."""
    positional: tuple[Any, ...]
    """JSON values given in order."""
    keywords: Mapping[str, Any]
    """JSON values given by name."""
    expects: bool
    """True where an expected result was given."""
    expected: Any = None
    """The expected result, a JSON value."""


def read_explicit(text: str) -> ExplicitCall | None:
    """Return the call that `text` spells out; None where it is an ordinary utterance.

    Raises ExplicitCallError where it begins as a call and goes on as none; the message names the character.
    """
    form = _FORM.match(text) if len(text) <= MAX_CHARACTERS else None
    if form is None:
        return None
    reader = LiteralReader(text, plain_width(text), form.end())
    called = form["name"] or form["opened"] or form["bare"]
    if called.lower() == "function" and form["bare"] is None:
        return _generic(reader)
    return _named(reader, called) if form["name"] else _chinese(reader, called)


def bind_explicit(call: ExplicitCall, tool: Tool) -> dict[str, Any]:
    """Return the JSON values of `call` by name, those given in order in the order of `tool.parameters`.

    Raises ArgumentError where there are too many, one is given twice, or a name is unknown. Whether the values fit
    is checked by `Tool.bind`.
    """
    names = [each.name for each in tool.parameters]
    hint = f"its arguments: {', '.join(names) or 'none'}"
    if len(call.positional) > len(names):
        most = f"at most {len(names)} argument{'s' * (len(names) != 1)}" if names else "no arguments"
        raise ArgumentError(f"{tool.name} takes {most}; given: {len(call.positional)}", hint=hint)
    bound = dict(zip(names, call.positional, strict=False))
    for name, value in call.keywords.items():
        if name not in names:
            raise ArgumentError(f"{tool.name} takes no argument {shown(name)}", parameter=name, hint=hint)
        if name in bound:
            raise ArgumentError(f"{tool.name}: {name!r} is given twice", parameter=name, hint="give it once")
        bound[name] = value
    return bound


def same_value(expected: Any, value: Any) -> bool:
    """Say whether `value`, which a tool returned, is the `expected` JSON value.

    Numbers are compared by value and are no bools, strings exactly, lists and tuples in order, mappings by key;
    other values by the form that they have in an outcome's JSON. Never raises.
    """
    try:
        return _same(expected, value)
    except Exception:  # what a tool returned may raise anything when it is looked at
        return False


# ---- the forms -------------------------------------------------------------------------------------------


def _named(reader: LiteralReader, name: str) -> ExplicitCall:
    positional, keywords = _in_parentheses(reader)
    _end(reader)
    return ExplicitCall(name, positional, keywords, False)


def _generic(reader: LiteralReader) -> ExplicitCall:
    """Read `function("square", [3], 9)`: a name, its arguments, the expected result."""
    reader.take("(")
    if not reader.opens_string():
        reader.fail("the name of the function is expected, in quotes")
    start, name = reader.at, reader.string()
    if not re.fullmatch(_NAME, name):
        reader.at = start
        reader.fail("this is no name of a function")
    positional: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}
    expected: list[Any] = []
    if reader.take(","):
        positional, keywords = _spread(reader)
        if reader.take(","):
            expected.append(reader.value())
    if not reader.take(")"):
        reader.fail("')' is expected: a name, the arguments and the expected result are all")
    _end(reader)
    return ExplicitCall(name, positional, keywords, bool(expected), *expected)


def _spread(reader: LiteralReader) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Read a list of arguments, or an object of arguments by name."""
    reader.skip()
    start, given = reader.at, reader.value()
    if isinstance(given, list):
        return tuple(given), {}
    if isinstance(given, dict):
        return (), given
    reader.at = start
    reader.fail('the arguments are a list, [3], or an object, {"number": 3}')


def _chinese(reader: LiteralReader, name: str) -> ExplicitCall:
    positional: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}
    if reader.text.startswith("(", reader.at):
        positional, keywords = _in_parentheses(reader)
    elif _takes(reader, _PARAMETERS):
        positional, keywords = _after_parameters(reader)
    expected = [reader.value()] if _takes(reader, _EXPECTED) else []
    _end(reader)
    return ExplicitCall(name, positional, keywords, bool(expected), *expected)


def _after_parameters(reader: LiteralReader) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Read what follows 参数为, as far as 期望 or the end."""
    reader.skip()
    alone = reader.text[reader.at : reader.at + 1] in ("[", "{")
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    while True:
        _argument(reader, positional, keywords)
        if _EXPECTED.match(reader.text, reader.at) or not reader.take(","):
            break
        alone = False
    if alone and isinstance(positional[0], dict):
        return (), positional[0]
    return tuple(positional[0] if alone else positional), keywords


def _in_parentheses(reader: LiteralReader) -> tuple[tuple[Any, ...], dict[str, Any]]:
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    reader.take("(")
    reader.items(")", lambda: _argument(reader, positional, keywords))
    return tuple(positional), keywords


def _argument(reader: LiteralReader, positional: list[Any], keywords: dict[str, Any]) -> None:
    """Read one argument into what there is, by name or in order."""
    keyword = _KEYWORD.match(reader.text, reader.at)
    if keyword is None:
        if keywords:
            reader.fail("an argument without a name stands after one with a name")
        positional.append(reader.value())
        return
    name = keyword["name"]
    if name in keywords:
        reader.fail(f"{shown(name)} is given twice")
    reader.at = keyword.end()
    keywords[name] = reader.value()


def _takes(reader: LiteralReader, words: re.Pattern[str]) -> bool:
    """Go past 参数为 or 期望输出为 if it stands here."""
    match = words.match(reader.text, reader.at)
    if match is None:
        return False
    reader.at = match.end()
    if match["is"] is None:
        reader.fail("为, 是 or ： is expected")
    return True


def _end(reader: LiteralReader) -> None:
    if _END.match(reader.text, reader.at) is None:
        reader.fail("the call is over, and more follows")


# ---- comparing -------------------------------------------------------------------------------------------


def _same(expected: Any, value: Any) -> bool:
    if isinstance(value, list | tuple):
        same_length = isinstance(expected, list | tuple) and len(expected) == len(value)
        return same_length and all(map(_same, expected, value))
    if isinstance(value, Mapping):
        known = {_key(key): item for key, item in value.items()}
        same_keys = isinstance(expected, Mapping) and expected.keys() == known.keys()
        return same_keys and all(_same(expected[key], known[key]) for key in known)
    form = _form(value)
    return isinstance(form, bool) == isinstance(expected, bool) and bool(form == expected)


def _key(key: object) -> str:
    return str.__str__(key) if isinstance(key, str) else str(plain(key))


def _form(value: Any) -> Any:
    """Return the JSON form of a single value; a number of any kind is a number."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Number) and not isinstance(value, bool | Enum | complex):
        return int(value) if isinstance(value, Integral) else float(value)  # type: ignore[arg-type]
    return plain(value)
