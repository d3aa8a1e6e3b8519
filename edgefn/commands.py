"""The commands a device needs: ask, tools, inspect, eval, bench, doctor, completion."""

from __future__ import annotations

import math
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from click.shell_completion import get_completion_class

import edgefn
from edgefn.added.lint import Finding
from edgefn.benchmark import measure
from edgefn.bundle import read_bundle
from edgefn.cli import bundle_argument, engine_options, json_option, print_json, told_about, tools_print_elsewhere
from edgefn.errors import EdgefnError
from edgefn.evaluation import judge
from edgefn.inspection import describe
from edgefn.interpreter import Interpreter
from edgefn.jsonform import to_json
from edgefn.linting import lint
from edgefn.loading import bind, open_encoder
from edgefn.machine import this_machine
from edgefn.policy.reading import read_policy
from edgefn.registry import Registry
from edgefn.rows import check_labels, read_rows
from edgefn.selftest import FILE as SELFTEST_FILE
from edgefn.selftest import flips, rows_from
from edgefn.session import available_providers, runtime_version
from edgefn.wording import terms_in_words


@click.command("tools")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["openai", "mcp"]), help="Print the schemas of one protocol.")
@click.option("--lint", "linted", is_flag=True, help="Say what is wrong with them instead; exit code 1 where anything.")
@click.option("--bundle", type=click.Path(path_type=Path), help="With --lint: find pairs that it will confuse.")
@click.option("--policy", type=click.Path(path_type=Path), help="Say what this policy (.json, .toml) says of each.")
@json_option
def tools_command(
    path: Path, form: str | None, linted: bool, bundle: Path | None, policy: Path | None, as_json: bool
) -> None:
    """List the tools of a file or folder, with what is broken in it."""
    if bundle is not None and not linted:
        raise click.UsageError("--bundle goes with --lint")
    if sum(map(bool, (form, linted, policy))) > 1:
        raise click.UsageError("--format, --lint and --policy do not go together")
    with tools_print_elsewhere():
        registry = Registry.load(path)
    findings = lint(tuple(registry), bundle) if linted else ()
    broken = [{"path": str(each.path), "error": each.error} for each in registry.broken]
    if policy is not None:
        _show_terms(registry, policy, as_json)
    elif as_json and linted:
        print_json({"findings": [asdict(each) for each in findings], "broken": broken})
    elif form or as_json:
        listed = [tool.to_mcp() if form == "mcp" else tool.to_openai() for tool in registry]
        print_json(listed if form else {"tools": listed, "broken": broken})
    else:
        for line in map(_in_a_line, findings) if linted else _listed(registry):
            click.echo(line)
    for each in registry.broken:
        click.echo(f"Broken: {each.path}: {each.error}", err=True)
    sys.exit(1 if findings or broken else 0)


def _show_terms(registry: Registry, path: Path, as_json: bool) -> None:
    policy = read_policy(path)
    with told_about():
        policy.check(registry)
    terms = {tool.name: policy.terms(tool) for tool in registry}
    if as_json:
        print_json({name: asdict(each) for name, each in terms.items()})
        return
    width = max(map(len, terms), default=0)
    for name, each in terms.items():
        click.echo(f"{name:{width}}  {terms_in_words(each)}")


def _listed(registry: Registry) -> Iterator[str]:
    width = max((len(name) for name in registry.names), default=0)
    return (f"{tool.name:{width}}  {tool.description}" for tool in registry)


def _in_a_line(finding: Finding) -> str:
    return " ".join(f"{finding.message}; {finding.hint}".split())


@click.command("inspect")
@bundle_argument
@json_option
def inspect_command(bundle: Path, as_json: bool) -> None:
    """Verify a BUNDLE and show what it is, how well it decides, and what its bound is."""
    manifest = read_bundle(bundle).manifest
    if as_json:
        print_json(to_json(manifest))
    else:
        click.echo(describe(manifest))


@click.command("eval")
@bundle_argument
@click.argument("rows", type=click.Path(path_type=Path))
@click.option("--threshold", type=click.FloatRange(0, 1), help="Instead of the bundle's own.")
@click.option(
    "--tools", "tools_path", type=click.Path(path_type=Path), help="File or folder of tools, for their live lists."
)
@engine_options
@json_option
def eval_command(
    bundle: Path,
    rows: Path,
    threshold: float | None,
    tools_path: Path | None,
    provider: str,
    threads: int,
    as_json: bool,
) -> None:
    """Measure a BUNDLE on ROWS (JSONL) with known answers, as a device runs it."""
    opened = read_bundle(bundle)
    manifest = opened.manifest
    labelled = read_rows(rows)
    check_labels(labelled, [tool.name for tool in manifest.tools], rows)
    with told_about(), tools_print_elsewhere():
        tools, _ = bind(manifest, tools_path)
    judged = judge(Interpreter.of(manifest, open_encoder(opened, provider, threads), tools), labelled)
    used = manifest.calibration.threshold if threshold is None else threshold
    numbers: dict[str, Any] = {
        name: None if math.isnan(value) else value
        for name, value in judged.numbers(used, manifest.calibration.out_of_scope_share).items()
    }
    counts = {"rows": len(labelled), "out_of_scope_rows": int((~judged.in_scope).sum())}
    result = {**numbers, "threshold": used, **counts}
    by = {"parameter": judged.by_parameter, "kind": judged.by_kind}
    if as_json:
        print_json(
            result | {f"by_{name}": {key: asdict(count) for key, count in each.items()} for name, each in by.items()}
        )
        return
    for name, value in result.items():
        click.echo(f"{name:20} {_shown(value)}")
    for name, each in by.items():
        for key, count in sorted(each.items()):
            click.echo(f"{f'{name} {key}':36} {count.right / count.rows:.4f}  of {count.rows}")


def _shown(value: Any) -> str:
    if value is None:
        return "n/a"
    return format(value, ".4f") if isinstance(value, float) else str(value)


@click.command("bench")
@bundle_argument
@click.option("--runs", type=click.IntRange(10), default=1000, show_default=True, help="Calls to time.")
@engine_options
@json_option
def bench_command(bundle: Path, runs: int, provider: str, threads: int, as_json: bool) -> None:
    """Time a BUNDLE on this machine: latency, throughput, cold start, memory."""
    measured = measure(bundle, runs, provider, threads) | {"machine": this_machine().to_json()}
    if as_json:
        print_json(measured)
        return
    for name, value in measured.items():
        click.echo(f"{name:14} {_shown(value)}")


@click.command("doctor")
@click.argument("bundle", type=click.Path(path_type=Path), required=False)
@engine_options
@json_option
def doctor_command(bundle: Path | None, provider: str, threads: int, as_json: bool) -> None:
    """Check this device and, where given, a BUNDLE: engine, provider, selftest."""
    machine = this_machine()
    found: dict[str, Any] = {
        "edgefn": edgefn.__version__,
        "python": platform.python_version(),
        "onnxruntime": runtime_version(),
        "providers": list(available_providers()),
        "machine": machine.to_json(),
        "warnings": _warnings(machine.int8_may_saturate),
    }
    if bundle is not None:
        opened = read_bundle(bundle)
        encoder = open_encoder(opened, provider, threads)
        rows = rows_from(opened.read(SELFTEST_FILE))
        flipped = list(map(str, flips(Interpreter.of(opened.manifest, encoder), rows)))
        found |= {
            "provider_asked": provider,
            "provider_loaded": encoder.provider,
            "threads": encoder.threads,
            "selftest_rows": len(rows),
            "selftest_flips": flipped,
            "exported_on": opened.manifest.measured.get("machine"),
        }
    if as_json:
        print_json(found)
    else:
        for name, value in found.items():
            click.echo(f"{name:16} {value}")
    if found.get("selftest_flips"):
        raise EdgefnError(
            f"{len(found['selftest_flips'])} selftest decisions flip on this device",
            hint="export with --quantize none or fp16 for this processor",
        )


def _warnings(int8_may_saturate: bool) -> list[str]:
    found = []
    if int8_may_saturate:
        found.append("no VNNI: int8 sums can saturate here; trust the selftest")
    if sys.maxsize < 2**32:
        found.append("32-bit Python: ONNX Runtime has no wheel for 32-bit ARM, it is not supported")
    return found


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print the completion script of a SHELL, to be sourced in its start-up file."""
    from edgefn.cli import main

    found = get_completion_class(shell)
    if found is None:
        raise EdgefnError(f"this click knows no completion for {shell}", hint="pip install -U click")
    click.echo(found(main, {}, "edgefn", "_EDGEFN_COMPLETE").source())
