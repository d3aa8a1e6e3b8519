"""The command that talks: `edgefn ask`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from edgefn.cli import bundle_argument, engine_options, json_option, print_json, told_about, tools_print_elsewhere
from edgefn.dispatcher import Dispatcher
from edgefn.loading import load
from edgefn.outcome import (
    Abstained,
    Failed,
    NeedsArgument,
    NeedsConfirmation,
    Outcome,
    ToolCall,
    outcome_to_json,
)
from edgefn.pending import Pending
from edgefn.policy.session import Session
from edgefn.wording import in_words

_ABSTAINED, _TOOL_FAILED = 3, 5


@click.command("ask")
@bundle_argument
@click.argument("text", required=False)
@click.option("--tools", "tools_path", type=click.Path(path_type=Path), help="File or folder of tools to run.")
@click.option("--dry-run", is_flag=True, help="Select, run nothing.")
@click.option("--policy", type=click.Path(path_type=Path), help="File (.json, .toml) of what each tool may do.")
@click.option("--role", help="Who asks, for the policy.")
@click.option("--audit", type=click.Path(path_type=Path), help="File of the audit log.")
@click.option("--trace", is_flag=True, help="Say why it came to this: on standard error, or in the JSON.")
@engine_options
@json_option
def ask_command(
    bundle: Path,
    text: str | None,
    tools_path: Path | None,
    dry_run: bool,
    policy: Path | None,
    role: str | None,
    audit: Path | None,
    trace: bool,
    provider: str,
    threads: int,
    as_json: bool,
) -> None:
    """Ask a BUNDLE; without TEXT, read utterances from a prompt or, line by line, from standard input."""
    with told_about(), tools_print_elsewhere():
        dispatcher = load(bundle, tools_path, provider=provider, threads=threads, policy=policy, audit=audit)
    for each in dispatcher.registry.broken:
        click.echo(f"Skipped {each.path}: {each.error}", err=True)
    for intent in dispatcher.unknown:
        click.echo(f"Unknown outcome: {intent['tool']} was about to run when the last process ended", err=True)
    asking = _Asking(dispatcher, Session(role=role), tools_path is not None and not dry_run, as_json, trace)
    with dispatcher:
        if text is not None:
            sys.exit(_exit_code(asking.answer(text)))
        pending = None
        for line in _utterances():
            outcome = asking.answer(line, pending, one_line=True)
            pending = outcome.pending if isinstance(outcome, NeedsArgument | NeedsConfirmation) else None


def _utterances() -> Iterator[str]:
    if not sys.stdin.isatty():
        # Bytes that are no UTF-8 become lone surrogates, about which the dispatcher abstains.
        lines = (line.decode("utf-8", "surrogateescape") for line in sys.stdin.buffer)
        yield from (line.rstrip("\r\n") for line in lines if line.strip())
        return
    while True:
        try:
            line = input("> " if sys.stdout.isatty() else "")  # piped on, standard output is data alone
        except EOFError:
            return
        if line.strip():
            yield line


@dataclass(frozen=True, slots=True)
class _Asking:
    """One conversation at the command line."""

    dispatcher: Dispatcher
    """What answers."""
    session: Session
    """Who asks."""
    run: bool
    """Whether tools are run."""
    as_json: bool
    """Whether outcomes are shown as JSON."""
    trace: bool
    """Whether it is said why."""

    def answer(self, text: str, pending: Pending | None = None, one_line: bool = False) -> Outcome | ToolCall:
        """Show the outcome of one utterance, the answer to what was asked before it where something was; return it."""
        with tools_print_elsewhere():
            outcome = self.dispatcher(text, pending, self.session) if self.run else self.dispatcher.predict(text)
        if self.as_json:
            print_json(self._plain(outcome), one_line=one_line)
            return outcome
        click.echo(in_words(outcome))
        if self.trace and not isinstance(outcome, ToolCall) and outcome.trace is not None:
            click.echo(outcome.trace.explain(), err=True)
        return outcome

    def _plain(self, outcome: Outcome | ToolCall) -> dict[str, Any]:
        if isinstance(outcome, ToolCall):
            return {"outcome": "call", **outcome.to_json()}
        shown = outcome_to_json(outcome)
        return shown | {"trace": outcome.trace.to_json()} if self.trace and outcome.trace is not None else shown


def _exit_code(outcome: Outcome | ToolCall) -> int:
    if isinstance(outcome, Abstained):
        return _ABSTAINED
    return _TOOL_FAILED if isinstance(outcome, Failed) else 0
