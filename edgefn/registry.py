"""The set of tools on this device, and loading them from files.

A tool file is run under a private module name made from its absolute path: never through `sys.path`, so two
folders may both have a `lamp.py`. A file that fails is reported in `Registry.broken`; the others load.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from edgefn.errors import DuplicateTool, ToolDefinitionError, ToolsNotFound
from edgefn.signature import innermost
from edgefn.tool import Tool, mark_of

_DEFINITIONS = (".json", ".yaml", ".yml")
"""Endings of files that define tools as data."""


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A tool file, or one tool of it, that could not be loaded."""

    path: str
    """The file."""
    error: str
    """What went wrong, on one line."""


class Registry:
    """Tools by name, in the order in which they were added."""

    def __init__(self, tools: Iterable[Callable[..., Any] | Tool] = ()) -> None:
        """Register functions or tools; a function need not be marked with `@tool`."""
        self._tools: dict[str, Tool] = {}
        self.broken: tuple[BrokenFile, ...] = ()
        """Files that `Registry.load` had to leave out."""
        for each in tools:
            self.add(each)

    @classmethod
    def load(cls, path: str | Path) -> Registry:
        """Return the tools of a .py, .json or .yaml file or of a folder; see `load_tools`."""
        return load_tools(path)

    def add(self, item: Callable[..., Any] | Tool) -> Tool:
        """Register one tool and return it; DuplicateTool when its name is taken."""
        tool = item if isinstance(item, Tool) else Tool.from_function(item)
        known = self._tools.get(tool.name)
        if known is not None:
            raise DuplicateTool(
                f"two tools are named {tool.name!r}: {_place(known)} and {_place(tool)}",
                hint='rename one, or mark it with @tool(name="...")',
            )
        self._tools[tool.name] = tool
        return tool

    def put(self, tool: Tool) -> None:
        """Register a tool, in the place of the one of its name where there is one."""
        self._tools[tool.name] = tool

    def remove(self, name: str) -> Tool:
        """Take one tool out and return it; ToolDefinitionError when there is none of that name."""
        tool = self[name]
        del self._tools[name]
        return tool

    def get(self, name: str) -> Tool | None:
        """Return the tool of that name, or None."""
        return self._tools.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tools."""
        return tuple(self._tools)

    def __getitem__(self, name: str) -> Tool:
        """Return the tool of that name; ToolDefinitionError when there is none."""
        try:
            return self._tools[name]
        except KeyError:
            known = ", ".join(self._tools) or "none"
            raise ToolDefinitionError(f"no tool is named {name!r}", hint=f"registered: {known}") from None

    def __contains__(self, name: object) -> bool:
        """Say whether a tool of that name is here."""
        return name in self._tools

    def __iter__(self) -> Iterator[Tool]:
        """Walk the tools; adding and removing meanwhile is fine."""
        return iter(tuple(self._tools.values()))

    def __len__(self) -> int:
        """Count the tools."""
        return len(self._tools)

    def __repr__(self) -> str:
        """Show the names."""
        return f"Registry({', '.join(self._tools)})"


def load_tools(path: str | Path) -> Registry:
    """Load the functions marked with `@tool` from a file, or from every file of a folder, sorted.

    Names that start with "_" or "." are left out of a folder. A function counts in the file that defines it,
    not where it is imported. The tools of a .json or .yaml file (see `edgefn.importing`) can be selected, and never
    run; a folder's are data of its tools, and left alone.

    Raises ToolsNotFound when no tool is left, DuplicateTool when two share a name.
    """
    registry = Registry()
    broken: list[BrokenFile] = []
    for file in _files(Path(path).expanduser().absolute()):
        broken += _load_file(file, registry) if file.suffix == ".py" else _load_definitions(file, registry)
    registry.broken = tuple(broken)
    if not len(registry):
        reasons = "; ".join(f"{each.path}: {each.error}" for each in broken)
        raise ToolsNotFound(f"no tool could be loaded from {path}", hint=reasons or "mark a function with @tool")
    return registry


def _files(path: Path) -> list[Path]:
    if path.is_file() and path.suffix in (".py", *_DEFINITIONS):
        return [path]
    if not path.is_dir():
        what = "is not a .py, .json or .yaml file" if path.exists() else "does not exist"
        raise ToolsNotFound(f"{path} {what}", hint="pass a .py file or a folder of them, or definitions as .json")
    found = (file.relative_to(path) for file in path.rglob("*.py") if not file.is_dir())
    return [path / each for each in sorted(found) if not any(part[0] in "_." for part in each.parts)]


def _load_definitions(file: Path, registry: Registry) -> list[BrokenFile]:
    """Add the tools that a document defines; return what is broken in it."""
    from edgefn.importing import read_tools  # only who has such a file pays for it

    found = read_tools(file, strict=False)
    for tool in found.tools:
        registry.add(tool)
    return [BrokenFile(str(file), f"{each.message} ({each.hint})") for each in found.problems]


def _load_file(file: Path, registry: Registry) -> list[BrokenFile]:
    """Add the tools of one file; return what could not be loaded."""
    broken = []
    try:
        functions = _marked(import_file(file))
    except (Exception, SystemExit) as exc:  # the file is a stranger's: whatever it raises stays with it
        return [BrokenFile(str(file), _one_line(file, exc))]
    for function in functions:
        try:
            tool = Tool.from_function(function)
        except ToolDefinitionError as exc:
            broken.append(BrokenFile(str(file), f"{exc.message} ({exc.hint})"))
        else:
            registry.add(tool)
    return broken


def import_file(file: Path) -> ModuleType:
    """Run a tool file under a private module name and return the module; raises whatever the file raises."""
    digest = hashlib.sha256(str(file).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    name = f"_edgefn_tools_{digest}_{re.sub(r'[^A-Za-z0-9]', '_', file.stem)}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module  # dataclasses and get_type_hints look their module up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        if before is None:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = before
        raise
    return module


def _marked(module: ModuleType) -> list[Callable[..., Any]]:
    """Return the marked functions that the module defines, each once, in the order of the file."""
    found: dict[int, Callable[..., Any]] = {}
    for value in vars(module).values():
        # A class that holds marked methods is not itself a tool, nor is anything that answers to every name.
        if not callable(value) or isinstance(value, type) or mark_of(value) is None:
            continue
        if getattr(innermost(value), "__module__", None) == module.__name__:
            found.setdefault(id(value), value)
    return list(found.values())


def _one_line(file: Path, exc: BaseException) -> str:
    """Say what a file raised, and on which of its lines."""
    frames = [each.lineno for each in traceback.extract_tb(exc.__traceback__) if each.filename == str(file)]
    line = exc.lineno if isinstance(exc, SyntaxError) else next(reversed(frames), None)
    text = f"{type(exc).__name__}: {exc.msg if isinstance(exc, SyntaxError) else exc}"
    return " ".join((f"line {line}: {text}" if line else text).split())


def _place(tool: Tool) -> str:
    where = tool.source or "a schema without a file"
    return f"{where}:{tool.line}" if tool.line else where
