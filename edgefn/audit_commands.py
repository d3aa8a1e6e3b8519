"""`edgefn audit`: check an audit log, export its head, and read its lines."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from edgefn.audit.chain import Head
from edgefn.audit.files import log_files
from edgefn.audit.verification import Report, verify
from edgefn.cli import json_option, print_json
from edgefn.errors import AuditError

_UNSHOWN = frozenset({"n", "time", "event", "tool", "outcome", "prev", "hash"})
_HASH_DIGITS = 12

log_argument = click.argument("log", type=click.Path(path_type=Path))


@click.group("audit")
def audit_command() -> None:
    """Check, name and read the audit LOG of a device; it may be written meanwhile."""


@audit_command.command("verify")
@log_argument
@click.option("--head", "head_text", metavar="N:HASH", help="A head that was kept elsewhere; the log must hold it.")
@json_option
def verify_command(log: Path, head_text: str | None, as_json: bool) -> None:
    """Follow the chain of a LOG through all of its files; exit code 1 where a line does not fit."""
    report = verify(log, None if head_text is None else Head.parse(head_text))
    if as_json:
        print_json(asdict(report))
    else:
        click.echo(_in_words(report))


@audit_command.command("head")
@log_argument
@json_option
def head_command(log: Path, as_json: bool) -> None:
    """Print number and hash of the last line of a LOG, to be kept elsewhere.

    A chain alone cannot show that its end was cut off: `edgefn audit verify --head` can, with what this printed before.
    """
    head = verify(log).head
    if as_json:
        print_json(asdict(head))
    else:
        click.echo(head)


@audit_command.command("show")
@log_argument
@click.option("--last", type=click.IntRange(1), metavar="N", help="Only the last N lines.")
@click.option("--tool", metavar="NAME", help="Only lines about one tool.")
@json_option
def show_command(log: Path, last: int | None, tool: str | None, as_json: bool) -> None:
    """Print the lines of a LOG in words; with --json one object a line. Nothing is verified."""
    lines = (line for line in _lines(log) if tool is None or line.get("tool") == tool)
    for line in lines if last is None else deque(lines, last):
        if as_json:
            print_json(line, one_line=True)
        else:
            click.echo(_line_in_words(line))


def _in_words(report: Report) -> str:
    files = "1 file" if report.files == 1 else f"{report.files:,} files"
    said = [f"ok: {report.lines:,} lines in {files}, head {report.head.number}:{report.head.hash[:_HASH_DIGITS]}…"]
    if report.open:
        are = "intent is" if len(report.open) == 1 else "intents are"
        said.append(f"{len(report.open):,} {are} open: {', '.join(map(str, report.open[:10]))}")
    if report.missing_before:
        said.append(f"it begins at line {report.first}: earlier files are gone")
    if report.torn:
        said.append("the last line has no end: it is being written, or was cut")
    return "; ".join(said)


def _lines(log: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of all lines; of one that is not readable, its place."""
    read = False
    for name, file in log_files(Path(os.path.realpath(log))):
        read = True
        for place, raw in enumerate(file, 1):
            try:
                line = json.loads(raw.decode())
            except (ValueError, RecursionError):
                line = None
            yield line if isinstance(line, dict) else {"event": "not readable", "file": name, "line": place}
    if not read:
        raise AuditError(f"there is no audit log at {log}", hint="check the path")


def _line_in_words(line: dict[str, Any]) -> str:
    """Return time, event, tool and outcome where they are there, then the other fields by their names."""
    first = [_shown(line[key]) for key in ("time", "event", "tool", "outcome") if key in line]
    others = [f"{_shown(key)}={_shown(value)}" for key, value in line.items() if key not in _UNSHOWN]
    return "  ".join([f"{_shown(line.get('n', '?')):>6}", *first, *others])


def _shown(value: Any) -> str:
    """Return a word as it is, everything else as JSON; nothing that a terminal would obey."""
    if isinstance(value, str) and value.isprintable() and value and '"' not in value and " " not in value:
        return value
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)
