"""Policies from files and plain data."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.errors import PolicyError
from edgefn.policy.policy import Policy
from edgefn.policy.reading import policy_from, read_policy
from edgefn.policy.rule import FIELDS, Rate, Rule

TOML = """
explicit = false

[rules.restart]
roles = ["staff"]
timeout = 5
rate = { calls = 1, seconds = 60 }

[rules."lights.on"]
threshold = 0.5

[hints.read_only]
cache = 60

[default]
retries = 2

[deny]
visitor = ["restart", "delete_all"]
"""
POLICY = Policy(
    rules={
        "restart": Rule(roles=("staff",), timeout=5.0, rate=Rate(1, 60.0)),
        "lights.on": Rule(threshold=0.5),
    },
    hints={"read_only": Rule(cache=60.0)},
    default=Rule(retries=2),
    deny={"visitor": ("restart", "delete_all")},
    explicit=False,
)


@pytest.mark.parametrize(
    ("name", "text"), [("p.toml", TOML), ("P.TOML", TOML), ("p.json", json.dumps(POLICY.to_json()))]
)
def test_both_forms_of_file(tmp_path, name, text):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    assert read_policy(file) == read_policy(str(file)) == POLICY


def test_nothing_is_a_policy_too(tmp_path):
    (tmp_path / "p.toml").write_bytes(b"")
    assert read_policy(tmp_path / "p.toml") == policy_from({}) == Policy()


@pytest.mark.parametrize(
    ("data", "begins", "hint"),
    [
        ([], "the policy is []", "a table"),
        (None, "the policy is None", "a table"),
        ({"rule": {}}, "rule: there is no key 'rule'", "did you mean 'rules'? the keys are rules, hints"),
        ({3: {}}, "3: there is no key 3", "rules"),
        ({"_kept": {}}, "_kept: there is no key", "rules"),
        ({"rules": []}, "rules is []", "a table"),
        ({"rules": None}, "rules is None", "a table"),
        ({"rules": {"restart": 3}}, "rules.restart is 3", "a table"),
        (
            {"rules": {"restart": {"timout": 3}}},
            "rules.restart.timout: ",
            "mean 'timeout'? the keys are action",
        ),
        ({"rules": {"restart": {"timeout": -1}}}, "rules.restart.timeout is -1", "from 0"),
        ({"rules": {"restart": {"timeout": float("nan")}}}, "rules.restart.timeout is nan", "from 0"),
        ({"rules": {"restart": {"timeout": None}}}, "rules.restart.timeout is null", "leave timeout out"),
        ({"rules": {"restart": {"retries": True}}}, "rules.restart.retries is True", "a whole number"),
        ({"rules": {"a.b": {"action": "ask"}}}, 'rules."a.b".action is', '"confirm"'),
        ({"rules": {"restart": {"roles": "staff"}}}, "rules.restart.roles is 'staff'", "a list"),
        ({"rules": {"restart": {"roles": ["staff", 3]}}}, "rules.restart.roles[1] is 3", "a name"),
        ({"rules": {"restart": {"rate": 3}}}, "rules.restart.rate is 3", "a table"),
        ({"rules": {"restart": {"rate": {"calls": 3}}}}, "rules.restart.rate.seconds is missing", "calls = 3"),
        ({"rules": {"restart": {"rate": {"calls": 0, "seconds": 1}}}}, "rules.restart.rate.calls is 0", "from 1"),
        ({"rules": {"restart": {"rate": {"calls": 1, "secs": 1}}}}, "rules.restart.rate.secs: ", "calls, seconds"),
        ({"hints": {"readonly": {}}}, "hints.readonly: there is no hint", "did you mean 'read_only'?"),
        ({"hints": {"read_only": {"cache": "60"}}}, "hints.read_only.cache is '60'", "a number"),
        ({"default": {"threshold": 1.5}}, "default.threshold is 1.5", "from 0 to 1"),
        ({"default": []}, "default is []", "a table"),
        ({"deny": {"visitor": "restart"}}, "deny.visitor is 'restart'", "a list"),
        ({"explicit": "no"}, "explicit is 'no'", "true or false"),
        ({"dry_run": 1}, "dry_run is 1", "true or false"),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(data, begins, hint):
    with pytest.raises(PolicyError) as caught:
        policy_from(data)
    assert caught.value.message.startswith(begins)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("p.toml", b"[rules.restart]\ntimeout = nan", "rules.restart.timeout is nan"),
        ("p.toml", b"[rules.restart]\ntimeout = 2020-01-01", "rules.restart.timeout is"),
        ("p.toml", b"[rules", "is not TOML"),
        ("p.toml", b"[default]\n[default]", "is not TOML"),
        ("p.toml", b"x = '\xff'", "is not UTF-8"),
        ("p.toml", b"x = " + b"[" * 100_000, ""),
        ("p.json", b"", "is empty"),
        ("p.json", b"{", "is not JSON"),
        ("p.json", b'{"dry_run": NaN}', "NaN"),
        ("p.json", b'{"default": {"timeout": 1e999}}', "default.timeout is inf"),
        ("p.json", b'{"dry_run": true, "dry_run": false}', "stands twice"),
        ("p.json", b'"\xff"', "is not UTF-8"),
        ("p.json", b"[" * 100_000, "nested too deeply"),
        ("p.json", b"[1]", "the policy is [1]"),
        ("p.yaml", b"{}", "this is no policy file"),
        ("policy", b"{}", "this is no policy file"),
    ],
)
def test_a_broken_file_is_one_clear_error(tmp_path, name, content, says):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(PolicyError) as caught:
        read_policy(file)
    assert caught.value.message.startswith(str(file))
    assert says in caught.value.message
    assert caught.value.hint


def test_a_file_that_is_not_there(tmp_path):
    (tmp_path / "folder.json").mkdir()
    for path in (tmp_path / "none.toml", tmp_path / "folder.json", "a\0b.json"):
        with pytest.raises(PolicyError, match="cannot be read"):
            read_policy(path)


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["run", "*"])
data = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*FIELDS, "rules", "hints", "default", "deny", "calls", "seconds", "destructive"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(data | st.fixed_dictionaries({"rules": st.dictionaries(st.text(max_size=3), data)}))
def test_anything_is_a_policy_or_a_policy_error(data):
    try:
        policy = policy_from(data)
    except PolicyError as exc:
        assert exc.hint
    else:
        assert policy_from(policy.to_json()) == policy
