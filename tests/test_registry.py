"""The registry, and loading tools from files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_type_hints

import pytest

from edgefn.errors import DuplicateTool, ToolDefinitionError, ToolsNotFound
from edgefn.registry import Registry, load_tools
from edgefn.tool import Tool, tool


@tool
def lamp(on: bool) -> str:
    """Turn the lamp.

    Args:
        on: whether it glows.
    """
    return "on" if on else "off"


def heater() -> None:
    """Turn on the heater."""


HEADER = "from __future__ import annotations\nfrom edgefn.tool import tool\n"


def write(path: Path, *names: str, extra: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tools = "".join(
        f'\n@tool\ndef {name}() -> str:\n    """Do {name}."""\n    return "{path.stem}"\n' for name in names
    )
    path.write_text(HEADER + extra + tools)
    return path


@pytest.fixture(autouse=True)
def leave_no_modules():
    before = set(sys.modules)
    path = list(sys.path)
    yield
    assert sys.path == path
    new = {name for name in set(sys.modules) - before if "lamp" in name or "_edgefn_tools_" in name}
    assert all(name.startswith("_edgefn_tools_") for name in new)
    for name in new:
        del sys.modules[name]


# ---- the object ----


def test_a_registry_holds_tools_in_order():
    registry = Registry([lamp, Tool.from_function(heater)])
    assert registry.names == ("lamp", "heater")
    assert [each.name for each in registry] == ["lamp", "heater"]
    assert len(registry) == 2
    assert "lamp" in registry
    assert "oven" not in registry
    assert registry.get("lamp") is registry["lamp"]
    assert registry.get("oven") is None
    assert registry["lamp"].function is lamp
    assert registry.broken == ()
    assert "heater" in repr(registry)


def test_tools_come_and_go():
    registry = Registry()
    added = registry.add(lamp)
    assert registry.remove("lamp") is added
    assert not len(registry)
    for missing in (registry.remove, registry.__getitem__):
        with pytest.raises(ToolDefinitionError) as caught:
            missing("lamp")
        assert "none" in caught.value.hint


def test_a_registry_may_change_while_it_is_walked():
    registry = Registry([lamp, heater])
    for each in registry:
        registry.remove(each.name)
    assert not len(registry)


def test_duplicates_name_both_places():
    registry = Registry([lamp])
    with pytest.raises(DuplicateTool) as caught:
        registry.add(Tool.select_only("lamp", "Another.", {}))
    assert f"{__file__}:{lamp.__code__.co_firstlineno}" in caught.value.message
    assert "a schema without a file" in caught.value.message
    assert registry["lamp"].function is lamp


# ---- loading ----


def test_a_file_is_loaded_under_a_private_name(tmp_path):
    file = write(tmp_path / "lamp.py", "glow")
    registry = load_tools(file)
    function = registry["glow"].function
    assert function() == "lamp"
    assert function.__module__.startswith("_edgefn_tools_")
    assert sys.modules[function.__module__].__file__ == str(file)
    assert registry["glow"].source == str(file)
    assert "lamp" not in sys.modules


def test_a_folder_is_loaded_in_order_and_private_names_are_skipped(tmp_path):
    write(tmp_path / "b.py", "two", "one")
    write(tmp_path / "a" / "z.py", "three")
    for skipped in ("_a.py", "__init__.py", ".hidden.py", "_x/a.py", ".git/a.py", "__pycache__/a.py"):
        write(tmp_path / skipped, "skipped")
    (tmp_path / "notes.txt").write_text("not Python")
    (tmp_path / "folder.py").mkdir()
    registry = Registry.load(str(tmp_path))
    assert registry.names == ("three", "two", "one")
    assert registry.broken == ()


def test_two_files_of_one_name_live_side_by_side(tmp_path):
    write(tmp_path / "x" / "lamp.py", "first")
    write(tmp_path / "y" / "lamp.py", "second")
    assert load_tools(tmp_path).names == ("first", "second")


def test_names_that_are_no_identifiers_load(tmp_path):
    assert load_tools(write(tmp_path / "my tools.v2-é.py", "glow")).names == ("glow",)


def test_an_own_module_name_is_not_clobbered(tmp_path):
    write(tmp_path / "json.py", "glow")
    import json

    load_tools(tmp_path)
    assert sys.modules["json"] is json


def test_dataclasses_and_type_hints_work_in_a_tool_file(tmp_path):
    extra = (
        "from dataclasses import dataclass, KW_ONLY\nfrom enum import Enum\n"
        "class Color(Enum):\n    RED = 'red'\n\n"
        "@dataclass\nclass State:\n    _: KW_ONLY\n    color: Color = Color.RED\n\n"
        "@tool\ndef paint(color: Color) -> State:\n"
        '    """Paint.\n\n    Args:\n        color: which color.\n    """\n    return State(color=color)\n'
    )
    paint = load_tools(write(tmp_path / "a.py", extra=extra))["paint"]
    assert paint.function(**paint.bind({"color": "red"})).color.value == "red"
    assert "color" in get_type_hints(paint.function)


def test_a_function_counts_only_where_it_is_defined(tmp_path, monkeypatch):
    package = tmp_path / "elsewhere"
    write(package / "lampshop.py", "glow")
    monkeypatch.syspath_prepend(str(package))
    write(tmp_path / "tools" / "a.py", "own", extra="from lampshop import glow\nalias = glow\n")
    write(tmp_path / "tools" / "b.py", "other", extra="from lampshop import glow\n")
    registry = load_tools(tmp_path / "tools")
    del sys.modules["lampshop"]
    monkeypatch.undo()
    assert registry.names == ("own", "other")


def test_an_alias_counts_once_and_unmarked_functions_do_not(tmp_path):
    file = write(tmp_path / "a.py", "glow")
    file.write_text(file.read_text() + '\nalias = glow\n\ndef helper() -> None:\n    """Help."""\n')
    assert load_tools(file).names == ("glow",)


def test_wrapped_and_partial_tools_of_a_file_count(tmp_path):
    extra = (
        "import functools\n\n"
        "def logged(fn):\n    @functools.wraps(fn)\n    def run(*a, **k):\n        return fn(*a, **k)\n"
        "    return run\n\n"
        '@logged\n@tool\ndef first() -> None:\n    """Do."""\n\n'
        "def _send(to: str, port: object) -> str:\n"
        '    """Send.\n\n    Args:\n        to: who gets it.\n        port: the port.\n    """\n'
        "    return to\n\n"
        'send = tool(name="send")(functools.partial(_send, port=object()))\n'
    )
    registry = load_tools(write(tmp_path / "a.py", extra=extra))
    assert registry.names == ("first", "send")
    assert [each.name for each in registry["send"].parameters] == ["to"]


def test_two_tools_of_one_name_name_both_files(tmp_path):
    files = [write(tmp_path / "a.py", "glow"), write(tmp_path / "b.py", "glow")]
    with pytest.raises(DuplicateTool) as caught:
        load_tools(tmp_path)
    assert all(f"{file}:4" in caught.value.message for file in files)


BROKEN = {
    "def (": "line 3: SyntaxError: ",
    "import no_such_module_at_all": "line 3: ModuleNotFoundError: No module named 'no_such_module_at_all'",
    "from . import sibling": "line 3: ImportError: ",
    "raise SystemExit('bye')": "line 3: SystemExit: bye",
    "\n\n1 / 0": "line 5: ZeroDivisionError: ",
    "raise RuntimeError('two\\nlines')": "line 3: RuntimeError: two lines",
    "x = '\0'": "Error: ",
}


@pytest.mark.parametrize("extra", BROKEN, ids=lambda text: text[:12].encode("unicode_escape").decode())
def test_a_broken_file_is_reported_and_the_rest_loads(tmp_path, extra):
    broken = write(tmp_path / "a.py", "lost", extra=extra + "\n")
    write(tmp_path / "b.py", "glow")
    before = set(sys.modules)
    registry = load_tools(tmp_path)
    assert registry.names == ("glow",)
    assert [each.path for each in registry.broken] == [str(broken)]
    assert BROKEN[extra] in registry.broken[0].error
    assert "\n" not in registry.broken[0].error
    left = [name for name in set(sys.modules) - before if name.startswith("_edgefn_tools_")]
    assert all(name.endswith("_b") for name in left)


def test_an_object_that_answers_to_every_name_does_no_harm(tmp_path):
    extra = "from unittest.mock import call, MagicMock\nmock = MagicMock()\n"
    assert load_tools(write(tmp_path / "a.py", "glow", extra=extra)).names == ("glow",)


def test_a_link_to_nowhere_is_reported(tmp_path):
    write(tmp_path / "a.py", "glow")
    (tmp_path / "b.py").symlink_to(tmp_path / "nowhere.py")
    assert [Path(each.path).name for each in load_tools(tmp_path).broken] == ["b.py"]


def test_one_unsupported_tool_does_not_take_its_file_down(tmp_path):
    extra = '@tool\ndef bad(x) -> None:\n    """Bad."""\n'
    registry = load_tools(write(tmp_path / "a.py", "glow", extra=extra))
    assert registry.names == ("glow",)
    (broken,) = registry.broken
    assert "bad (" in broken.error
    assert "parameter 'x' has no annotation" in broken.error


def test_a_failed_reload_leaves_the_module_that_worked(tmp_path):
    file = write(tmp_path / "a.py", "glow")
    name = load_tools(file)["glow"].function.__module__
    module = sys.modules[name]
    file.write_text("raise RuntimeError('half written, and longer than before')\n" * 9)
    with pytest.raises(ToolsNotFound):
        load_tools(file)
    assert sys.modules[name] is module


def test_a_keyboard_interrupt_is_not_swallowed(tmp_path):
    before = set(sys.modules)
    with pytest.raises(KeyboardInterrupt):
        load_tools(write(tmp_path / "a.py", extra="raise KeyboardInterrupt\n"))
    assert not [name for name in set(sys.modules) - before if name.startswith("_edgefn_tools_")]


@pytest.mark.parametrize("name", ["missing", "missing.py", "notes.txt", "empty", "plain.py", "broken"])
def test_nothing_to_load_is_an_error_with_a_hint(tmp_path, name):
    (tmp_path / "notes.txt").write_text("not Python")
    (tmp_path / "empty").mkdir()
    (tmp_path / "plain.py").write_text("def glow() -> None: ...\n")
    write(tmp_path / "broken" / "a.py", extra="1 / 0\n")
    with pytest.raises(ToolsNotFound) as caught:
        load_tools(tmp_path / name)
    assert caught.value.hint
    assert ("ZeroDivisionError" in caught.value.hint) == (name == "broken")
