"""Rows are kept on disk and found again; whatever is wrong with the file or the disk costs time, never a result."""

from __future__ import annotations

import dataclasses
import json
import resource
from contextlib import contextmanager
from datetime import datetime

import numpy as np
import pytest
import tiny

from edgefn.added.cache import RowCache
from edgefn.errors import ToolsWarning

NOW = datetime(2026, 11, 18, 10, 30)
LABEL = {"type": "string", "description": "Pasta."}
FAN = tiny.described("fan", "Spin the fan.", label=LABEL, loud={"enum": ["a"], "description": "Loud."})
EXAMPLES = ("spin spin", "fan please")
ARRAYS = {"described": np.arange(4, dtype=np.float32), "slots": np.zeros((0, 4), np.float32)}


@pytest.fixture
def cache(tmp_path) -> RowCache:
    return RowCache(tmp_path / "deep" / "rows", "sha256:tiny")


def logits(dispatcher, text):
    """Return all logits of a text: of the tools, and of the words and choices of the fan."""
    interpreter = dispatcher.interpreter
    encoded = interpreter.encoder.encode(text)
    scores = interpreter.run(encoded)
    words, own = interpreter.table.added["fan"].scores(encoded, scores)
    return words, interpreter.table.logits(scores), own.slot_logits, own.choice_logits


def same(one, other) -> bool:
    return all(np.array_equal(*each) for each in zip(one, other, strict=True))


def added(folder, **changed):
    """Return a dispatcher that has the fan, its rows kept in a folder."""
    dispatcher = tiny.dispatcher(cache=folder, **changed)
    dispatcher.add(FAN, EXAMPLES)
    return dispatcher


def only_file(folder):
    (found,) = folder.iterdir()
    return found


@contextmanager
def files_of_at_most(size: int):
    """Let no file of this process grow beyond `size`, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_is_written_is_read(cache):
    assert cache.read(FAN, EXAMPLES) is None
    cache.write(FAN, EXAMPLES, ARRAYS)
    found = cache.read(FAN, EXAMPLES)
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


def test_what_was_made_for_something_else_is_not_found(cache):
    cache.write(FAN, EXAMPLES, ARRAYS)
    other = tiny.described("fan", "Spin the other fan.")
    assert cache.read(other, EXAMPLES) is None
    assert cache.read(FAN, EXAMPLES[:1]) is None
    assert cache.read(FAN, ()) is None
    assert dataclasses.replace(cache, bundle_id="sha256:other").read(FAN, EXAMPLES) is None


def test_examples_that_would_join_to_the_same_text_are_apart(cache):
    cache.write(FAN, ("a", "b"), ARRAYS)
    for examples in (("ab",), ("a, b",), ('a", "b',), ("a b",)):
        assert cache.read(FAN, examples) is None


def test_cached_rows_give_identical_logits(tmp_path):
    without = logits(added(None), "spin the fan pasta loud")
    for _ in range(2):
        assert same(logits(added(tmp_path), "spin the fan pasta loud"), without)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_kept_rows_are_the_ones_that_are_used(tmp_path):
    added(tmp_path)
    cache = RowCache(tmp_path, "sha256:tiny")
    arrays = cache.read(FAN, EXAMPLES)
    moved = arrays | {"described": np.eye(tiny.DIM, dtype=np.float32)[tiny.FREE["gate"]]}
    cache.write(FAN, EXAMPLES, moved)
    assert np.array_equal(added(tmp_path).interpreter.table.added["fan"].described, moved["described"])


def test_the_rows_of_another_bundle_are_not_used(tmp_path):
    added(tmp_path)
    added(tmp_path, id="sha256:other")
    assert len(list(tmp_path.iterdir())) == 2


def test_a_replaced_tool_finds_its_own_rows(tmp_path):
    dispatcher = added(tmp_path)
    dispatcher.replace(tiny.described("fan", "Open the gate."))
    again = added(tmp_path)
    again.replace(tiny.described("fan", "Open the gate."))
    assert dispatcher.predict("open gate") == again.predict("open gate")
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:10],
        lambda data: data[:32],
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
        lambda data: bytes([data[0] ^ 1]) + data[1:],
        lambda data: b"not rows at all" * 99,
    ],
    ids=["empty", "ten bytes", "digest alone", "truncated", "longer", "flipped", "flipped digest", "something else"],
)
def test_a_damaged_file(tmp_path, damage):
    whole = logits(added(tmp_path), "spin the fan pasta")
    file = only_file(tmp_path)
    kept = file.read_bytes()
    file.write_bytes(damage(kept))
    with pytest.warns(ToolsWarning, match=r"\.rows is damaged; the rows are made again"):
        again = added(tmp_path)
    assert same(logits(again, "spin the fan pasta"), whole)
    assert same(logits(added(tmp_path), "spin the fan pasta"), whole)  # it was written anew: no warning


def test_a_file_that_cannot_be_read(tmp_path):
    whole = logits(added(tmp_path), "spin the fan")
    file = only_file(tmp_path)
    file.unlink()
    file.mkdir()
    with pytest.warns(ToolsWarning) as caught:
        again = added(tmp_path)
    assert [str(each.message).split(" (")[0].split("/")[-1] for each in caught] == [
        f"{file.name} cannot be read",
        f"{tmp_path.name} cannot be written",
    ]
    assert same(logits(again, "spin the fan"), whole)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.filterwarnings("ignore:.* cannot be read")
def test_a_folder_that_cannot_be_made(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.warns(ToolsWarning, match=r"cannot be written \(.+\); rows are made again at the next start"):
        dispatcher = added(blocked / "rows")
    assert dispatcher.predict("spin the fan").tool == "fan"
    assert blocked.read_text() == "in the way"


def test_a_full_disk_leaves_nothing_half_written(tmp_path):
    (tmp_path / "rows").mkdir()
    with pytest.warns(ToolsWarning, match="cannot be written"), files_of_at_most(100):
        dispatcher = added(tmp_path / "rows")
    assert dispatcher.predict("spin the fan").tool == "fan"
    assert not list((tmp_path / "rows").iterdir())


def test_a_tool_that_is_refused_leaves_nothing(tmp_path):
    dispatcher = tiny.dispatcher(cache=tmp_path)
    with pytest.raises(Exception, match="no utterance"):
        dispatcher.add(FAN, ["🎉"])
    assert not list(tmp_path.iterdir())


def test_a_schema_written_in_another_order_finds_the_rows(cache):
    properties = {"b": {"type": "string", "description": "Pasta."}, "a": {"enum": ["x", "y"]}}
    cache.write(tiny.described("fan", "Fan.", **properties), (), ARRAYS)
    turned = {name: dict(reversed(each.items())) for name, each in reversed(properties.items())}
    assert json.dumps(turned) != json.dumps(properties)
    assert cache.read(tiny.described("fan", "Fan.", **turned), ()) is not None
