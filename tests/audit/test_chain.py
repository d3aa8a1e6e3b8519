"""A line's form and hash as another program would check them."""

from __future__ import annotations

import hashlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.audit.chain import RESERVED, START, Chain, Head, members, seal, unseal
from edgefn.errors import AuditBroken, AuditError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.text().filter(lambda key: key not in RESERVED), VALUES, max_size=4)


def test_a_line_can_be_checked_by_another_program():
    text = members("result", {"tool": "lamp", "way": "Öffnen 打开"}, opens=True)
    line, digest = seal(17, "2026-11-21T10:00:00.123456+00:00", text, START.hash)
    body, _, rest = line.partition(b',"hash":"')
    assert line.isascii() and line.endswith(b"\n")
    assert rest == f'{digest}"}}\n'.encode()
    assert hashlib.sha256(body).hexdigest() == digest
    assert list(json.loads(line)) == ["n", "time", "event", "tool", "way", "opens", "prev", "hash"]


@given(FIELDS, st.text(min_size=1), st.booleans(), st.none() | st.integers(0, 10**12))
def test_whatever_was_written_is_read(fields, event, opens, closes):
    line, digest = seal(1, "now", members(event, fields, opens, closes), START.hash)
    assert line.count(b"\n") == 1
    read = unseal(line)
    for key, value in {"n": 1, "time": "now", "event": event, "prev": START.hash, "hash": digest}.items():
        assert read.pop(key) == value
    assert read.pop("opens", False) is opens
    assert read.pop("closes", None) == closes
    assert read == fields
    chain = Chain()
    if event != "rotated":
        chain.follow(line, "log", 1)
        assert chain.head == Head(1, digest)


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_keys_of_the_log_are_refused(name):
    with pytest.raises(AuditError, match=name) as caught:
        members("result", {name: 1})
    assert caught.value.hint


def deep() -> list:
    found: list = []
    for _ in range(100_000):
        found = [found]
    return found


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, object(), {1, 2}, b"x", {(1, 2): 3}, pytest.param(10**5000, id="huge")]
)
def test_what_has_no_json_form_is_refused(value):
    with pytest.raises(AuditError, match="no JSON form"):
        members("result", {"value": value})


def test_what_holds_itself_or_is_too_deep_is_refused():
    loop: list = []
    loop.append(loop)
    for value in (loop, deep()):
        with pytest.raises(AuditError, match="no JSON form"):
            members("result", {"value": value})


@pytest.mark.parametrize(("event", "fields"), [("", {}), (None, {}), ("x", {1: 2}), ("x", {None: 2})])
def test_events_and_names_are_strings(event, fields):
    with pytest.raises(AuditError):
        members(event, fields)


def test_what_closes_is_a_number():
    for wrong in ("3", 3.0, True):
        with pytest.raises(AuditError, match="not the number of a line"):
            members("x", {}, closes=wrong)


@given(st.integers(0, 10**17), st.binary(min_size=32, max_size=32))
def test_a_head_has_a_text_form(number, digest):
    head = Head(number, digest.hex())
    assert Head.parse(f" {head}\n") == head


@pytest.mark.parametrize("text", ["", "1", "1:", f"-1:{'0' * 64}", f"1:{'0' * 63}", f"1:{'A' * 64}", f"1:{'0' * 65}"])
def test_what_is_no_head_is_refused(text):
    with pytest.raises(AuditError, match="not a head"):
        Head.parse(text)


def test_a_made_up_line_is_no_line():
    """Its hash fits, its members have other kinds than ours."""
    for number, text in ((1, '"event":5'), (1, '"event":"rotated","open":[5]'), ("true", '"event":"x"')):
        line, _ = seal(number, "now", text, START.hash)
        with pytest.raises(AuditBroken, match="line 7: it is no line of an audit log"):
            Chain().follow(line, "log", 7)
