"""What is shipped, what it imports, and that a device needs nothing else."""

from __future__ import annotations

import ast
import email
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny

import edgefn

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = sorted((ROOT / "edgefn").rglob("*.py"))
SHIPPED = sorted(path for name in ("edgefn", "export", "tools") for path in (ROOT / name).rglob("*.py"))
HEAVY = ["torch", "transformers", "onnx", "optimum", "huggingface_hub", "accelerate", "peft", "scipy"]
NETWORK = {
    *("socket", "ssl", "http", "urllib", "socketserver", "ftplib", "smtplib", "poplib", "imaplib", "telnetlib"),
    *("xmlrpc", "wsgiref", "asyncio", "requests", "httpx", "urllib3", "aiohttp", "websockets", "flask", "fastapi"),
    *("uvicorn", "grpc", "huggingface_hub"),
}
LOOPS = ("looping.py", "worker.py")
"""Modules that may wait in an event loop."""
MOST = 120
"""Seconds after which a process of its own hangs."""


def in_a_fresh_process(code: str, *arguments: object, python: str = sys.executable) -> dict:
    """Run `code` in a new interpreter; what it prints is JSON."""
    command = [python, "-I", "-B", "-c", code, *map(str, arguments)]  # -I: the working folder is not searched
    done = subprocess.run(command, capture_output=True, text=True, timeout=MOST, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# What is imported, and when

WATCHED = """
import json, os, sys, threading
events = []
def watch(event, details):
    if event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "urllib.", "ftplib.")):
        events.append(event)
    if event == "open" and isinstance(details[1], str) and set(details[1]) & set("wax+"):
        events.append(f"open {details[0]}")
sys.addaudithook(watch)
before = set(os.environ.items())
"""
REPORT = """
json.dump({"modules": sorted(sys.modules), "events": events, "threads": threading.active_count(),
           "environment": sorted(map(str, before ^ set(os.environ.items())))}, sys.stdout)
"""
ANSWER = """
dispatcher = edgefn.load(sys.argv[1], sys.argv[2], threads=1, selftest=True)
assert dispatcher("turn the lamp on").value == "on"
assert isinstance(dispatcher.predict_batch(["lamp off", "the weather please"])[1], edgefn.Abstained)
"""


def test_import_does_no_work():
    found = in_a_fresh_process(f"{WATCHED}\nimport edgefn\n{REPORT}")
    assert found["events"] == []
    assert found["threads"] == 1
    assert found["environment"] == []
    modules = set(found["modules"])
    assert not modules & {*HEAVY, "click", "onnxruntime", "jsonschema_rs", "yaml", "edgefn.cli", "edgefn.export"}
    assert not modules & {"requests", "urllib.request", "http.client", "http.server", "socketserver", "asyncio"}


def test_a_device_needs_no_more_than_the_engine(bundle, tmp_path):
    file = tiny.tools_file(tmp_path)
    found = in_a_fresh_process(f"{WATCHED}\nimport edgefn\n{ANSWER}\n{REPORT}", bundle, file)
    modules = set(found["modules"])
    assert "onnxruntime" in modules
    assert not modules & {*HEAVY, "click", "edgefn.cli", "edgefn.export", "edgefn.tools"}
    assert not [event for event in found["events"] if not event.startswith("open ")]


def test_listing_commands_imports_nothing_heavy():
    code = "import json, sys\nfrom click.testing import CliRunner\nfrom edgefn.cli import main\n"
    code += "assert CliRunner().invoke(main, ['train', '--help']).exit_code == 0\n"
    code += "json.dump(sorted(sys.modules), sys.stdout)"
    assert not set(in_a_fresh_process(code)) & set(HEAVY)


# What the source says


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(path: Path) -> Iterator[str]:
    """Yield the name of every module that a file imports, wherever in it, by statement or by import_module."""
    for node in ast.walk(parsed(path)):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=module, level=0, names=names):
                yield str(module)
                yield from (f"{module}.{each.name}" for each in names)
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(name)), *_]):
                yield name


def called(path: Path) -> Iterator[str]:
    """Yield the bare name of everything that is called by one."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


def test_there_is_something_to_look_at():
    assert len(RUNTIME) > 40
    assert len(SHIPPED) > len(RUNTIME) + 10


@pytest.mark.parametrize("path", RUNTIME, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_runtime_module(path):
    names = set(imported(path))
    tops = {name.split(".")[0] for name in names}
    assert not tops & (NETWORK - {"asyncio"} if path.name in LOOPS else NETWORK)
    assert not tops & set(HEAVY)
    assert not {name for name in names if name.startswith(("edgefn.export", "edgefn.tools"))}
    assert ("onnxruntime" in tops) == (path == ROOT / "edgefn" / "session.py")
    if path.name not in ("cli.py", "commands.py", "asking.py", "audit_commands.py"):
        assert not {name for name in names if name == "click" or name in ("edgefn.cli", "edgefn.commands")}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_shipped_module(path):
    assert ast.get_docstring(parsed(path))
    assert not {name.split(".")[0] for name in imported(path)} & {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
    assert not set(called(path)) & {"eval", "exec", "print", "breakpoint", "__import__", "globals"}


def test_rooms_are_apart():
    """Nothing above the dispatcher knows ONNX, nothing below selection knows the tools' functions."""
    for name in ("session", "encoder", "selection", "bundle", "manifest"):
        below = set(imported(ROOT / "edgefn" / f"{name}.py"))
        assert not below & {"edgefn.tool", "edgefn.registry", "edgefn.execution", "edgefn.dispatcher"}
    for name in ("outcome", "tool", "registry", "schema", "execution/runner", "policy/policy", "trace", "rows"):
        above = set(imported(ROOT / "edgefn" / f"{name}.py"))
        assert not above & {"edgefn.session", "edgefn.encoder", "edgefn.bundle"}


def test_public_names():
    assert edgefn.__all__ == sorted(edgefn.__all__)
    for name in edgefn.__all__:
        assert getattr(edgefn, name).__doc__ or name == "Outcome"
    public = {name for name in vars(edgefn) if not name.startswith("_")}
    modules = {path.stem for path in RUNTIME if path.parent == ROOT / "edgefn"}
    folders = {path.name for path in (ROOT / "edgefn").iterdir() if path.is_dir()} | {"export", "tools"}
    assert public - modules - {"annotations", *folders} <= set(edgefn.__all__)


# The wheel


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    """Return the path of every file in the repository."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("this is no git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tracked, tmp_path_factory) -> Path:
    """Build the wheel from a copy of the repository's files."""
    pytest.importorskip("build")
    folder = tmp_path_factory.mktemp("wheel")
    for name in tracked:
        target = folder / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), "source"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=MOST, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_one_top_level_name(wheel, tracked):
    names = zipfile.ZipFile(wheel).namelist()
    info = f"edgefn-{edgefn.__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"edgefn", info}
    places = {"edgefn/": "edgefn/", "export/": "edgefn/export/", "tools/": "edgefn/tools/"}
    endings = (".py", ".json", ".yaml", ".jsonl", ".txt", "py.typed")
    expected = {
        place + name.removeprefix(folder)
        for folder, place in places.items()
        for name in tracked
        if name.startswith(folder) and name.endswith(endings)
    }
    assert {name for name in names if not name.startswith(info)} == expected
    assert "edgefn/py.typed" in expected
    assert "edgefn/arguments/pinyin.txt" in expected
    assert "edgefn/export/cli.py" in expected
    assert {f"edgefn/arguments/{name}" for name in ("__init__.py", "names.py", "pinyin.txt")} <= expected
    assert any(name.startswith("edgefn/tools/kiosk/") and name.endswith(".yaml") for name in expected)
    assert any(name.startswith("edgefn/tools/kiosk/") and name.endswith(".jsonl") for name in expected)


def test_wheel_says_what_it_needs(wheel):
    info = f"edgefn-{edgefn.__version__}.dist-info"
    with zipfile.ZipFile(wheel) as opened:
        about = email.message_from_bytes(opened.read(f"{info}/METADATA"))
        scripts = opened.read(f"{info}/entry_points.txt").decode()
        assert any(name.startswith(f"{info}/licenses/") for name in opened.namelist())
    assert about["Version"] == edgefn.__version__
    base = {each.split(">=")[0] for each in about.get_all("Requires-Dist") if "extra ==" not in each}
    assert base == {"click", "jsonschema-rs", "numpy", "tokenizers"}
    assert {"cpu", "gpu", "export"} <= set(about.get_all("Provides-Extra"))
    assert "edgefn = edgefn.cli:main" in scripts


# A device with nothing but the wheel


@pytest.fixture(scope="module")
def bare(wheel, tmp_path_factory) -> Path:
    """Return the folder of programs of an environment with the wheel, the engine and what they need."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=MOST)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    install = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install", "-q", f"{wheel}[cpu]"]
    try:
        done = subprocess.run(install, capture_output=True, text=True, timeout=MOST, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("the package index does not answer in time")
    if done.returncode:
        pytest.skip(f"the runtime's dependencies cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    return programs


def test_bare_environment(bare, bundle, tmp_path):
    file = tiny.tools_file(tmp_path)
    code = f"import importlib.util\n{WATCHED}\nimport edgefn\n{ANSWER}\n"
    # tokenizers itself depends on huggingface_hub: there it lies, and nobody imports it
    code += "absent = [name for name in sys.argv[3:] if importlib.util.find_spec(name) is None]\n"
    code += REPORT.replace('{"modules"', '{"absent": absent, "file": edgefn.__file__, "modules"')
    heavy = [name for name in HEAVY if name != "huggingface_hub"]
    found = in_a_fresh_process(code, bundle, file, *heavy, python=str(bare / "python"))
    assert found["absent"] == heavy
    assert str(bare.parent) in found["file"]
    assert not set(found["modules"]) & {*HEAVY, "click"}
    assert not [event for event in found["events"] if not event.startswith("open ")]


def test_bare_command_line(bare, bundle):
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [bare / "edgefn", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=MOST, check=False)

    assert run("ask", bundle, "lamp off").stdout.startswith("lamp_off()")
    assert json.loads(run("doctor", bundle, "--json").stdout)["selftest_flips"] == []
    for command in (["train", "-o", "out"], ["export", "checkpoint", "-o", "out"]):
        done = run(*command)
        assert done.returncode == 1
        assert done.stderr.startswith("Error: torch, transformers, ")
        assert "Hint: pip install 'edgefn[export,cpu]'" in done.stderr
