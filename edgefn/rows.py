"""Labelled rows: the one form of training, calibration and evaluation data.

A file holds one JSON object a line: `{"text", "tool", "arguments", "spans", "lang", "context"}`.
`tool` is null when no tool fits; only `text` and `tool` must be there; other keys are ignored.
"""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from edgefn.errors import DataError

Span: TypeAlias = tuple[int, int, str]
"""First character, one past the last, and the parameter that these characters fill."""

_CLOSE = 3
"""How many tool names a hint offers."""
_FORM = 'a row looks like {"text": "stop", "tool": "stop_timer", "arguments": {}, "spans": []}'


@dataclass(frozen=True, slots=True)
class Row:
    """One utterance and the call it should give."""

    text: str
    """The utterance."""
    tool: str | None
    """Name of the right tool; None when no tool fits."""
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """JSON value of every argument."""
    spans: tuple[Span, ...] = ()
    """Which characters of the utterance fill which parameter."""
    lang: str = ""
    """Language code, or "" where it is not known."""
    context: Mapping[str, Any] | None = field(default=None, hash=False)
    """What was known beside the utterance, such as the room; None where nothing was."""

    def to_json(self) -> dict[str, Any]:
        """Return the object that `read_rows` reads; `context` is left out where there is none."""
        record: dict[str, Any] = {
            "text": self.text,
            "tool": self.tool,
            "arguments": dict(self.arguments),
            "spans": [list(span) for span in self.spans],
            "lang": self.lang,
        }
        return record if self.context is None else record | {"context": dict(self.context)}


def read_rows(path: str | Path) -> tuple[Row, ...]:
    """Return the rows of a JSONL file, blank lines skipped.

    Raises DataError when the file cannot be read, is not UTF-8 or holds no row, and for the first broken
    line, naming its number.
    """
    # Not splitlines(): JSON strings may hold line separators such as U+2028 as they are.
    lines = _read_text(Path(path)).split("\n")
    rows = [_numbered(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise DataError(f"{path} holds no rows", hint=_FORM)
    return tuple(rows)


def _read_text(path: Path) -> str:
    """Return the text of a file; a byte-order mark is dropped."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as exc:
        raise DataError(f"there is no file {path}", hint="check the path of the data file") from exc
    except UnicodeDecodeError as exc:
        line = exc.object[: exc.start].count(b"\n") + 1
        raise DataError(f"{path}, line {line}: not UTF-8", hint="save the file with UTF-8 encoding") from exc
    except (OSError, ValueError) as exc:
        raise DataError(f"{path} cannot be read: {exc}", hint="give the path of one JSONL file") from exc


def _numbered(path: str | Path, number: int, line: str) -> Row:
    """Read one line; its error says where it stands."""
    try:
        return _read_line(line)
    except DataError as exc:
        raise DataError(f"{path}, line {number}: {exc.message}", hint=exc.hint) from exc


def _read_line(line: str) -> Row:
    """Read one line; raises DataError without the place."""
    try:
        record = json.loads(line, parse_constant=_not_json)
        json.dumps(record, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as exc:
        raise DataError(
            "it holds half a surrogate pair, which is not text", hint="remove the \\ud8.. to \\udf.. escape"
        ) from exc
    except (ValueError, RecursionError) as exc:
        raise DataError(f"not JSON: {exc}", hint=_FORM) from exc
    if not isinstance(record, dict):
        raise DataError(f"a JSON object is expected, this is {_kind(record)}", hint=_FORM)
    text = _text(record)
    context = record.get("context")
    return Row(
        text=text,
        tool=_tool(record),
        arguments=_arguments(record),
        spans=_spans(record, text),
        lang=_lang(record),
        context=context if isinstance(context, dict) else None,
    )


def _not_json(constant: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and other JSON readers do not."""
    raise ValueError(f"{constant} is not a JSON value")


def _text(record: dict[str, Any]) -> str:
    """Return the utterance of a row."""
    text = record.get("text")
    if not isinstance(text, str):
        problem = f'"text" is {_kind(text)}, not a string' if "text" in record else 'there is no "text"'
        raise DataError(problem, hint=_FORM)
    if not text.strip():
        raise DataError('"text" is blank', hint="remove the row, or write what was said")
    return text


def _tool(record: dict[str, Any]) -> str | None:
    """Return the label of a row."""
    if "tool" not in record:
        raise DataError('there is no "tool"', hint='write "tool": null where no tool fits')
    tool = record["tool"]
    if tool is not None and not (isinstance(tool, str) and tool.strip()):
        problem = "blank" if isinstance(tool, str) else f"{_kind(tool)}, neither a string nor null"
        raise DataError(f'"tool" is {problem}', hint="write the name of a tool, or null where no tool fits")
    return tool


def _lang(record: dict[str, Any]) -> str:
    """Return the language of a row."""
    lang = record.get("lang") or ""
    if not isinstance(lang, str):
        raise DataError(f'"lang" is {_kind(lang)}, not a string', hint='write a code such as "en", or leave it out')
    return lang


def _arguments(record: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a row; null is the same as absent."""
    arguments = record.get("arguments")
    if arguments is None:
        return {}
    if not isinstance(arguments, dict):
        raise DataError(f'"arguments" is {_kind(arguments)}, not an object', hint=_FORM)
    return arguments


def _spans(record: dict[str, Any], text: str) -> tuple[Span, ...]:
    """Return the spans of a row, each inside the text."""
    spans = record.get("spans")
    if spans is None:
        return ()
    if not isinstance(spans, list):
        raise DataError(f'"spans" is {_kind(spans)}, not a list', hint=_FORM)
    return tuple(_span(span, text) for span in spans)


def _span(span: Any, text: str) -> Span:
    """Return one span, checked."""
    # By exact type: a bool is an int in Python and not in JSON.
    if not isinstance(span, list) or [type(each) for each in span] != [int, int, str]:
        raise DataError(f"the span {json.dumps(span)} is malformed", hint='a span is [start, end, "parameter"]')
    start, end, parameter = span
    if not 0 <= start < end <= len(text) or not parameter.strip():
        raise DataError(
            f"the span {json.dumps(span)} does not fit a text of {len(text)} characters",
            hint="spans count characters, not bytes; end is one past the last character",
        )
    return start, end, parameter


def _kind(value: Any) -> str:
    """Return what JSON calls the type of a value."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def check_labels(rows: Iterable[Row], tool_names: Collection[str], source: str | Path) -> None:
    """Raise DataError for the first label that is no tool; `source` names the file the rows came from."""
    names = set(tool_names)
    strange = Counter(row.tool for row in rows if row.tool is not None and row.tool not in names)
    if not strange:
        return
    label, count = next(iter(strange.items()))
    more = len(strange) - 1
    others = f" (and {more} more such label{'s' * (more > 1)})" if more else ""
    rows_are = "1 row is" if count == 1 else f"{count} rows are"
    raise DataError(f"{source}: {rows_are} labelled {label!r}, which is no tool{others}", hint=_nearest(label, names))


def _nearest(label: str, names: Collection[str]) -> str:
    """Return a hint with the tool names closest to a label."""
    folded = {name.casefold(): name for name in sorted(names)}
    close = [folded[each] for each in difflib.get_close_matches(label.casefold(), sorted(folded), _CLOSE)]
    if close:
        return f"did you mean {' or '.join(close)}? Write null where no tool fits"
    shown = ", ".join(sorted(names)[:10]) + (" …" if len(names) > 10 else "")
    return f"the tools are {shown or 'none at all'}; correct the label, add the tool, or write null"
