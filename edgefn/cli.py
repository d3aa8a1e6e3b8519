"""The `edgefn` command: the group, its shared options, and how errors are shown.

Data goes to standard output, everything else to standard error. `train` and `export` live with the export step
and are imported by name only, so that a device needs none of it.
"""

from __future__ import annotations

import errno
import importlib
import io
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from pathlib import Path
from typing import IO, Any, TypeVar

import click

from edgefn.errors import EdgefnError

F = TypeVar("F", bound=Callable[..., Any])

_COMMANDS = {
    "train": "edgefn.export.cli",
    "export": "edgefn.export.cli",
    "ask": "edgefn.asking",
    "tools": "edgefn.commands",
    "inspect": "edgefn.commands",
    "eval": "edgefn.commands",
    "bench": "edgefn.commands",
    "doctor": "edgefn.commands",
    "audit": "edgefn.audit_commands",
    "completion": "edgefn.commands",
}
"""Module of every command, imported when it is called or listed."""


bundle_argument = click.argument("bundle", type=click.Path(path_type=Path))
THREADS = click.IntRange(0, 256)
"""What `--threads` takes: more than any machine we know has, few enough that a slip does not eat the memory."""


class _Group(click.Group):
    """Loads commands when they are asked for, and shows our errors as the command line does."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the work, not of the alphabet."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(_COMMANDS[cmd_name])
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what it raises of ours is shown without a traceback."""
        try:
            return super().invoke(ctx)
        except EdgefnError as exc:
            raise _Shown(exc, as_json=bool(ctx.find_root().obj)) from exc
        except OSError as exc:  # the disk is full, say; a closed pipe is for click to handle
            if exc.errno == errno.EPIPE:
                raise
            error = EdgefnError(f"the system refused: {exc}", hint="check the disk, and where the output goes")
            raise _Shown(error, as_json=bool(ctx.find_root().obj)) from exc


class _Shown(click.ClickException):
    """An error of ours on its way to standard error."""

    def __init__(self, error: EdgefnError, as_json: bool) -> None:
        super().__init__(error.message)
        self.error = error
        self.as_json = as_json
        self.exit_code = error.exit_code  # type: ignore[misc]  # click declares it on the class

    def show(self, file: IO[Any] | None = None) -> None:
        """Print message and hint, or one JSON object."""
        if self.as_json:
            click.echo(json.dumps({"error": self.error.to_json()}, ensure_ascii=False), err=True)
            return
        click.echo(f"Error: {self.error.message}", err=True)
        if self.error.hint:
            click.echo(f"Hint: {self.error.hint}", err=True)


def json_option(command: F) -> F:
    """Add `--json`; the flag also turns errors into JSON."""

    def remember(ctx: click.Context, _parameter: click.Parameter, value: bool) -> bool:
        ctx.find_root().obj = value
        return value

    return click.option(
        "--json", "as_json", is_flag=True, callback=remember, is_eager=True, help="Print one JSON object."
    )(command)


def engine_options(command: F) -> F:
    """Add `--provider` and `--threads`."""
    threads = click.option("--threads", type=THREADS, default=0, help="Threads inside one operator; 0 chooses.")
    provider = click.option(
        "--provider", default="cpu", show_default=True, help="cpu, cuda, tensorrt, ..., or ONNX Runtime's own name."
    )
    return provider(threads(command))


def print_json(value: Any, *, one_line: bool = False) -> None:
    """Print one JSON object on standard output; on one line where more may follow."""
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    click.echo(json.dumps(value, ensure_ascii=not unicode, indent=None if one_line else 2, allow_nan=False))


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="edgefn")
def main() -> None:
    """Function calling for devices that cannot run an LLM.

    \b
    Exit codes: 0 ok, 1 failed, 2 usage, 3 abstained, 4 bad bundle, 5 tool failed, 6 engine.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal without Unicode must not end in a traceback
        sys.stdout.reconfigure(errors="backslashreplace")


@contextmanager
def told_about() -> Iterator[None]:
    """Say what the block warns of in a line each, on standard error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        click.echo(f"Warning: {warning.message}", err=True)


def tools_print_elsewhere() -> AbstractContextManager[Any]:
    """Send what a tool prints to standard error: standard output is for our data, which may be JSON."""
    return redirect_stdout(sys.stderr)
