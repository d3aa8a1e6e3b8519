"""The tree in the docstring is the tree of the classes, with the exit codes it says."""

from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path

import pytest

from edgefn import errors
from edgefn.errors import ArgumentError, EdgefnError, EngineError, InvalidUtterance, engine_errors

CLASSES = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, EdgefnError)]
LINE = re.compile(r"    ([│├└─ ]*)([A-Z]\w+) +(\d)  (.+)")


def drawn() -> dict[str, tuple[str, int]]:
    """Return the parent and the exit code of every class, as the docstring draws them."""
    found: dict[str, tuple[str, int]] = {}
    above: list[str] = []
    for line in errors.__doc__.splitlines():
        match = LINE.fullmatch(line)
        if match:
            depth = len(match[1]) // 4
            above[depth:] = [match[2]]
            found[match[2]] = (above[depth - 1] if depth else "Exception", int(match[3]))
    return found


def test_the_tree_is_as_drawn():
    actual = {each.__name__: (each.__bases__[0].__name__, each.exit_code) for each in CLASSES}
    assert drawn() == actual
    assert len(actual) > 20


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error(kind):
    error = kind("what happened", hint="what to do")
    assert isinstance(error, EdgefnError)
    assert str(error) == error.message == "what happened"
    assert error.hint == "what to do"
    assert kind("alone").hint == ""
    assert error.to_json() == {"kind": kind.__name__, "message": "what happened", "hint": "what to do"}
    json.dumps(error.to_json())
    assert kind.__doc__
    assert 1 <= kind.exit_code <= 6


def test_errors_with_more_to_them():
    assert issubclass(InvalidUtterance, TypeError)
    error = ArgumentError("no", parameter="minutes", missing=True)
    assert (error.parameter, error.missing) == ("minutes", True)
    assert (ArgumentError("no").parameter, ArgumentError("no").missing) == ("", False)


def raised(module: str) -> Exception:
    kind = type("Fail", (Exception,), {"__module__": module})
    return kind("broken")


@pytest.mark.parametrize("exc", [raised("onnxruntime.capi"), raised("onnxruntime"), ValueError("x"), RuntimeError("x")])
def test_errors_of_the_engine_are_mapped(exc):
    with (
        pytest.raises(EngineError, match=f"ONNX Runtime failed while testing: {exc}") as caught,
        engine_errors("testing"),
    ):
        raise exc
    assert caught.value.__cause__ is exc
    assert caught.value.hint


@pytest.mark.parametrize(
    "exc", [raised("numpy"), KeyError("x"), TypeError("x"), KeyboardInterrupt(), errors.BundleCorrupt("x")]
)
def test_other_errors_pass(exc):
    with pytest.raises(type(exc)) as caught, engine_errors("testing"):
        raise exc
    assert caught.value is exc
    assert exc.__cause__ is None


@pytest.mark.parametrize("folder", ["edgefn", "export"])
def test_every_error_is_raised_with_a_hint(folder):
    names = {each.__name__ for each in CLASSES}
    bare = []
    for path in sorted((Path(__file__).resolve().parent.parent / folder).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                given = {each.arg: each.value for each in node.keywords}
                hint = given.get("hint")
                if hint is None or (isinstance(hint, ast.Constant) and not hint.value):
                    bare.append(f"{path.name}:{node.lineno} {node.func.id}")
    assert not bare
