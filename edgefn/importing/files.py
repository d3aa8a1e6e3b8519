"""From a .json or .yaml file to the values in it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

from edgefn import jsonform
from edgefn.errors import MissingExtra, ToolDefinitionError, ToolsNotFound

YAML = frozenset({".yaml", ".yml"})
SUFFIXES = YAML | {".json"}
"""Endings of the files that can hold tool definitions."""

_BOM = b"\xef\xbb\xbf"
_CORE = {
    "tag:yaml.org,2002:null": (r"(?:~|null|Null|NULL|)\Z", ["~", "n", "N", ""]),
    "tag:yaml.org,2002:bool": (r"(?:true|True|TRUE|false|False|FALSE)\Z", list("tTfF")),
    "tag:yaml.org,2002:int": (r"[-+]?(?:0|[1-9][0-9]*)\Z", list("-+0123456789")),
    "tag:yaml.org,2002:float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?\Z",
        list("-+.0123456789"),
    ),
    "tag:yaml.org,2002:merge": (r"<<\Z", ["<"]),
}
"""How plain words are read: as in YAML 1.2, which OpenAPI asks for. To YAML 1.1 `on` is true, 2026-03-31 a date."""


def read_values(path: Path) -> Any:
    """Return what a file holds.

    Raises:
        ToolsNotFound: there is no such file, or its name ends otherwise.
        ToolDefinitionError: it cannot be read, or is no JSON or YAML.
        MissingExtra: it is YAML, and PyYAML is not installed.
    """
    try:
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            hint = "pass a .json or .yaml file, or the document itself"
            raise ToolsNotFound(f"{path} is no .json or .yaml file", hint=hint)
        data = path.read_bytes().removeprefix(_BOM)
        return _yaml(data) if path.suffix.lower() in YAML else jsonform.parse(data)
    except (OSError, ValueError) as exc:  # ValueError: Malformed, and a path with a NUL in it
        raise ToolDefinitionError(f"{path}: {exc}", hint="correct the file") from exc


def _yaml(data: bytes) -> Any:
    """Parse YAML; ValueError where it is none."""
    try:
        yaml = importlib.import_module("yaml")
    except ImportError as exc:
        raise MissingExtra("PyYAML is not installed", hint="pip install pyyaml, or convert the file to JSON") from exc
    try:
        return yaml.load(data, Loader=_loader(yaml))
    except RecursionError as exc:
        raise ValueError("is nested too deeply") from exc
    except (yaml.YAMLError, TypeError, AttributeError, OverflowError) as exc:
        raise ValueError(f"is not YAML: {' '.join(str(exc).split())}") from exc


def _loader(yaml: Any) -> Any:
    """Return a loader of plain data that reads words as YAML 1.2 does; keys are texts, and stand once."""
    loader: Any = type("Loader", (yaml.SafeLoader,), {"yaml_implicit_resolvers": {}})
    for tag, (pattern, first) in _CORE.items():
        loader.add_implicit_resolver(tag, re.compile(pattern), first)

    def key_of(self: Any, node: Any) -> Any:
        return node.value if isinstance(node, yaml.ScalarNode) else self.construct_object(node, deep=True)

    def mapping(self: Any, node: Any) -> Any:
        written = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(written)) != len(written):
            twice = next(word for word in written if written.count(word) > 1)
            raise ValueError(f"{twice!r} stands twice in one object")
        self.flatten_mapping(node)  # writes out "<<", whose keys the object's own may repeat
        return {key_of(self, key): self.construct_object(value, deep=True) for key, value in node.value}

    loader.add_constructor("tag:yaml.org,2002:map", mapping)
    return loader
