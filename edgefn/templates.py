"""Sentence templates of a tool: what to say after a call, one template for each language.

    {"en": "{number} squared is {value}.", "zh": "{number}的平方是{value}。"}

A placeholder is an argument, `{value}` for what the tool returned, or `{value.city}` and `{value.0}` for what a mapping
or a list in it holds; `{{` and `}}` are braces. str.format would reach attributes of any object, so it is not used.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from edgefn.checking import shown
from edgefn.errors import ToolDefinitionError
from edgefn.saying import say

RESULT = "value"
"""The placeholder of what the tool returned; an argument of this name cannot be said."""
_TAG = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*")
_PIECE = re.compile(r"(?P<text>(?:[^{}]|\{\{|\}\})++)|\{(?P<path>[^{}]*)\}")

_Piece: TypeAlias = str | tuple[str, ...]
"""Text, or the path of a placeholder."""


def check_templates(where: str, templates: Mapping[str, str], names: Collection[str]) -> None:
    """Check templates whose placeholders may be `names`, "value" among them where there is a result.

    No template at all is right. `where` begins every message. Raises ToolDefinitionError: not a mapping of language
    tags to text, an empty template, a single brace, or a placeholder that is not one of `names`.
    """
    if not isinstance(templates, Mapping):
        hint = 'pass a dict, such as {"en": "The answer is {value}."}'
        raise ToolDefinitionError(f"{where}: the templates are {shown(templates)}, not a mapping", hint=hint)
    for language, template in templates.items():
        if not isinstance(language, str) or not _TAG.fullmatch(language):
            raise ToolDefinitionError(f"{where}: {shown(language)} is no language", hint='use a tag: "en", "zh"')
        if not isinstance(template, str) or not template.strip():
            problem = f"{where}: the {language} template is {shown(template)}, not a sentence"
            raise ToolDefinitionError(problem, hint="write a sentence, or leave the language out")
        _check_template(f"{where}: the {language} template", template, names)


def fill_template(templates: Mapping[str, str], language: str, values: Mapping[str, Any]) -> str:
    """Return the sentence for `language` with `values` in it: arguments by name, and the result as "value".

    The template is that of the language, else of its primary subtag, else of another of its kind, else the first; ""
    where there is none. What is missing says nothing. Never raises for checked templates, whatever the values are.
    """
    tag = _chosen(templates, language)
    if tag is None:
        return ""
    said = ""
    for piece in _pieces(templates[tag]):
        added = piece if isinstance(piece, str) else _said(piece, values, tag)
        # Around what is missing there are two spaces, or one at the beginning.
        said += added.lstrip(" ") if isinstance(piece, str) and (not said or said.endswith(" ")) else added
    return said.strip(" ")


def _check_template(where: str, template: str, names: Collection[str]) -> None:
    known = sorted(names)
    hint = f"placeholders: {', '.join(f'{{{name}}}' for name in known) or 'none'}; {{{{ and }}}} are braces"
    try:
        pieces = _pieces(template)
    except ToolDefinitionError as exc:
        raise ToolDefinitionError(f"{where}: {exc.message}", hint=hint) from None
    for piece in pieces:
        if isinstance(piece, tuple) and (piece[0] not in known or "" in piece or (piece[1:] and piece[0] != RESULT)):
            raise ToolDefinitionError(f"{where} has no value for {{{'.'.join(piece)}}}", hint=hint)


@lru_cache(maxsize=256)
def _pieces(template: str) -> tuple[_Piece, ...]:
    """Cut a template into text and placeholders. Raises ToolDefinitionError at a single brace."""
    pieces: list[_Piece] = []
    at = 0
    while at < len(template):
        match = _PIECE.match(template, at)
        if match is None:
            hint = "a placeholder is {name}; write {{ or }} for a brace"
            raise ToolDefinitionError(f"the {template[at]!r} at character {at + 1} has no partner", hint=hint)
        text = match["text"]
        path = match["path"]
        pieces.append(tuple(path.split(".")) if text is None else text.replace("{{", "{").replace("}}", "}"))
        at = match.end()
    return tuple(pieces)


def _chosen(templates: Mapping[str, str], language: str) -> str | None:
    """Return the tag of the template to use; case does not matter in tags, and "_" is "-"."""
    by_tag = {_tag(tag): tag for tag in reversed([*templates])}
    asked = _tag(language)
    primary = asked.split("-")[0]
    kin = (tag for key, tag in reversed(by_tag.items()) if key.split("-")[0] == primary)
    return by_tag.get(asked) or by_tag.get(primary) or next(kin, None) or next(iter(templates), None)


def _tag(language: str) -> str:
    return language.lower().replace("_", "-")


def _said(path: tuple[str, ...], values: Mapping[str, Any], language: str) -> str:
    """Return what stands at `path` in words; "" where nothing does."""
    found: Any = values
    try:
        for key in path:
            found = _item(found, key)
    except Exception:  # not there; and a stranger's mapping may raise anything
        return ""
    return say(found, language)


def _item(holder: Any, key: str) -> Any:
    """Return an item of a mapping or a list, never an attribute. Raises LookupError where there is none."""
    if isinstance(holder, Mapping) and key in holder:
        return holder[key]
    number = int(key) if re.fullmatch("[0-9]{1,9}", key) else None
    if number is not None and isinstance(holder, list | tuple | Mapping):
        return holder[number]
    raise LookupError(key)
