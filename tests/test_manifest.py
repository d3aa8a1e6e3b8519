"""The manifest as JSON: whatever is written is read back, whatever does not fit is named."""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgefn import manifest
from edgefn.jsonform import Malformed, canonical, from_json, parse, pretty, to_json
from edgefn.manifest import Calibration, FileEntry, Heads, Manifest, TrainedTool

CLASSES = [kind for kind in vars(manifest).values() if dataclasses.is_dataclass(kind)]
FIELDS = [(kind, field.name) for kind in CLASSES for field in dataclasses.fields(kind)]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
SIMPLE = {str: texts, int: st.integers(), float: numbers, bool: st.booleans(), types.NoneType: st.none()}


def strategy(kind: Any) -> st.SearchStrategy[Any]:
    """Values of any annotation a manifest uses."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return anything
    if kind in SIMPLE:
        return SIMPLE[kind]
    if origin is tuple and inner[-1] is ...:
        return st.lists(strategy(inner[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(strategy, inner))
    if origin is dict:
        return st.dictionaries(texts, strategy(inner[1]), max_size=2)
    if origin is types.UnionType:
        return st.one_of(*map(strategy, inner))
    return st.builds(kind, **{name: strategy(hint) for name, hint in typing.get_type_hints(kind).items()})


def sample(kind: type) -> Any:
    """One filled instance, every optional field present."""
    return _filled(kind)


def _filled(kind: Any) -> Any:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return {"deep": [1, 2.5, None, "é"]}
    if kind in SIMPLE:
        return {str: "text", int: 3, float: 0.5, bool: True}[kind]
    if origin is tuple:
        return (_filled(inner[0]),) if inner[-1] is ... else tuple(map(_filled, inner))
    if origin is dict:
        return {"key": _filled(inner[1])}
    if origin is types.UnionType:
        return _filled(inner[0])
    return kind(**{name: _filled(hint) for name, hint in typing.get_type_hints(kind).items()})


def test_every_dataclass_is_covered():
    assert {Manifest, FileEntry, TrainedTool, Heads, Calibration} <= set(CLASSES)


@pytest.mark.parametrize("kind", CLASSES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_round_trip(kind, data):
    value = data.draw(strategy(kind))
    again = from_json(kind, parse(pretty(value)))
    assert again == value
    assert canonical(again) == canonical(value)
    assert from_json(kind, parse(canonical(value))) == value


@pytest.mark.parametrize("kind", CLASSES)
def test_filled_round_trip(kind):
    assert from_json(kind, to_json(sample(kind))) == sample(kind)


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_missing_field_is_named(kind, name):
    form = to_json(sample(kind))
    del form[name]
    with pytest.raises(Malformed, match=rf"^{name}: missing$"):
        from_json(kind, form)


@pytest.mark.parametrize("kind", CLASSES)
def test_unknown_field_is_named(kind):
    with pytest.raises(Malformed, match=r"^surprise: unknown field$"):
        from_json(kind, {**to_json(sample(kind)), "surprise": 1})


@pytest.mark.parametrize(("kind", "name"), FIELDS)
@pytest.mark.parametrize("wrong", [[{}], {"a": {"b": 1}}, "x", 7, True, None])
def test_wrong_type_is_named(kind, name, wrong):
    hint = typing.get_type_hints(kind)[name]
    if hint == dict[str, Any]:
        wrong = 7 if isinstance(wrong, dict) else wrong
    fitting = hint if isinstance(hint, type) else None
    if type(wrong) is fitting or (hint is float and type(wrong) is int):
        return
    if wrong is None and types.NoneType in typing.get_args(hint):
        return
    with pytest.raises(Malformed, match=rf"^{name}\b.*: "):
        from_json(kind, {**to_json(sample(kind)), name: wrong})


def test_path_of_the_field():
    form = to_json(sample(Manifest))
    form["calibration"]["threshold"] = "x"
    with pytest.raises(Malformed, match=r"^calibration\.threshold: expected a number, got 'x'$"):
        from_json(Manifest, form)
    form = to_json(sample(Manifest))
    form["heads"]["choices"][0][1] = 5
    with pytest.raises(Malformed, match=r"^heads\.choices\[0\]\[1\]: expected a string, got 5$"):
        from_json(Manifest, form)
    form = to_json(sample(Manifest))
    form["source"]["data"]["train.jsonl"] = None
    with pytest.raises(Malformed, match=r"^source\.data\['train\.jsonl'\]: expected a string, got None$"):
        from_json(Manifest, form)
    form = to_json(sample(Manifest))
    form["heads"]["choices"][0].pop()
    with pytest.raises(Malformed, match=r"^heads\.choices\[0\]: expected a list of 3"):
        from_json(Manifest, form)


def test_long_values_are_shortened():
    with pytest.raises(Malformed) as caught:
        from_json(FileEntry, {"path": "a", "sha256": "b", "bytes": "9" * 100_000})
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 10**400])
def test_numbers_are_finite(number):
    form = to_json(sample(Calibration))
    with pytest.raises(Malformed, match=r"^threshold: expected"):
        from_json(Calibration, {**form, "threshold": number})


def test_numbers_are_finite_in_free_fields():
    with pytest.raises(Malformed, match=r"^measured\['loss'\]\[1\]: expected a finite number"):
        to_json(dataclasses.replace(sample(Manifest), measured={"loss": (0.1, math.nan)}))
    with pytest.raises(Malformed, match=r"^measured\['loss'\]: expected a finite number"):
        from_json(Manifest, {**to_json(sample(Manifest)), "measured": parse(b'{"loss": 1e999}')})


def test_whole_numbers_are_numbers_but_not_the_other_way_round():
    assert type(from_json(Heads, {**to_json(sample(Heads)), "scale": 2}).scale) is float
    with pytest.raises(Malformed, match=r"^bytes: expected a whole number"):
        from_json(FileEntry, {"path": "a", "sha256": "b", "bytes": 2.0})
    with pytest.raises(Malformed, match=r"^bytes: expected a whole number, got True"):
        from_json(FileEntry, {"path": "a", "sha256": "b", "bytes": True})


def test_values_without_a_json_form():
    for value in (object(), {1, 2}, b"bytes", {"a": object()}, {1: "number as key"}, "\ud800", {"\ud800": 1}):
        with pytest.raises(Malformed):
            to_json(value)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfe", r"is not UTF-8 text \(byte 0\)"),
        (b'{"a": 1', "is not JSON"),
        (b"\xef\xbb\xbf{}", "is not JSON"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": -Infinity}', "-Infinity is not a JSON number"),
        (b'{"a": 1, "a": 2}', "'a' stands twice"),
        (b"9" * 5000, "is not JSON"),
        (b"[" * 200_000, "nested too deeply"),
    ],
)
def test_bytes_that_are_not_json(data, problem):
    with pytest.raises(Malformed, match=problem):
        parse(data)


def test_lone_surrogate_in_json():
    with pytest.raises(Malformed, match=r"^path: a lone surrogate"):
        from_json(FileEntry, parse(rb'{"path": "\ud800", "sha256": "", "bytes": 1}'))


def test_canonical_form():
    assert canonical({"b": 1, "a": [1.0, "é", None, True]}) == '{"a":[1.0,"é",null,true],"b":1}'.encode()
    assert json.loads(pretty({"b": 1})) == {"b": 1}
    assert pretty({"b": 1}) == b'{\n  "b": 1\n}\n'


def test_unsupported_annotation_is_a_programming_error():
    @dataclasses.dataclass
    class Odd:
        value: complex

    Odd.__annotations__["value"] = complex
    with pytest.raises(TypeError, match="complex"):
        from_json(Odd, {"value": 1})
