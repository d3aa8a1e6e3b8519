"""`$ref`: where it leads inside its document."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from edgefn.importing.document import Node, below

_DEEPEST = 32
_MOST = 5_000


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known on the way into a schema."""

    root: Node
    """What a `$ref` starts from: the document of an API, elsewhere the outermost schema."""
    trail: tuple[str, ...] = ()
    """Pointers of the schemas that references led to on this way."""
    depth: int = 0
    """Schemas around this one."""
    seen: Iterator[int] = field(default_factory=itertools.count)
    """Counts the schemas that are read for one tool."""

    def inside(self, schema: Node) -> Scope:
        """Return the scope inside a schema; ToolDefinitionError where that is too deep, or there are too many."""
        if self.depth >= _DEEPEST:
            raise schema.error(f"schemas are nested more than {_DEEPEST} deep", "make it flatter")
        if next(self.seen) >= _MOST:
            raise schema.error(f"with its $ref written out, the tool has over {_MOST} schemas", "divide the tool")
        own = "$id" in schema and not schema["$id"].text().startswith("#")
        return replace(self, root=schema if own else self.root, depth=self.depth + 1)

    def follow(self, reference: Node) -> tuple[Node, Scope]:
        """Return what a `$ref` leads to and the scope there; ToolDefinitionError where it is missing or recursive."""
        target = _find(reference, self.root)
        if target.pointer in self.trail:
            raise reference.error(f"{reference.text()!r} is recursive", "limit it to a fixed depth, or leave it out")
        return target, replace(self, trail=(*self.trail, target.pointer))


def resolved(node: Node, root: Node) -> Node:
    """Return what a node stands for: what its `$ref` leads to, where it has one, and so on."""
    scope = Scope(root)
    while "$ref" in node:
        node, scope = scope.follow(node["$ref"])
    return node


def _find(reference: Node, root: Node) -> Node:
    text = reference.text()
    if not re.fullmatch("#(?:/.*)?", text, re.S):
        raise reference.error(f"{text!r} is not local", "only '#/...' is followed: write what it refers to here")
    found = root
    for part in text.split("/")[1:]:
        key = _percent_decoded(part).replace("~1", "/").replace("~0", "~")
        value = found.value
        if isinstance(value, dict) and key in value:
            found = found[key]
        elif isinstance(value, list) and re.fullmatch("0|[1-9][0-9]{0,6}", key) and int(key) < len(value):
            found = found[int(key)]
        else:
            raise reference.error(f"{text!r} leads nowhere: there is no {below(found.pointer, key)}")
    return found


def _percent_decoded(text: str) -> str:
    data = re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), text.encode())
    return data.decode(errors="replace")
