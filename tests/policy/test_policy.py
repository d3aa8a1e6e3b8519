"""What holds for a tool, and what is said of one call."""

from __future__ import annotations

import dataclasses
import json
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.errors import PolicyError, ToolsWarning
from edgefn.policy.policy import HINTS, Policy, Verdict
from edgefn.policy.reading import policy_from
from edgefn.policy.rule import FIELDS, Rate, Rule, Terms
from edgefn.tool import Hints, Tool


def tool(name="restart", **hints):
    return Tool(name, f"Do {name}.", (), hints=Hints(**hints))


PLAIN, RESTART, WEATHER = tool("square"), tool("restart", destructive=True), tool("weather", open_world=True)
SAFE = tool("weather", read_only=True, idempotent=True)
LAST = Terms("run", 0.0, 1.0, None, None, False, 30.0, 0, 0.1, 0.0, 0, False)

# ---- terms ----


def test_without_a_word_plain_tools_run_and_dangerous_ones_do_not():
    assert Policy().terms(PLAIN) == LAST
    assert Policy().terms(RESTART) == dataclasses.replace(LAST, action="confirm", doubt=0.5, isolated=True)
    assert Policy().terms(WEATHER) == dataclasses.replace(LAST, isolated=True)


@pytest.mark.parametrize(
    ("policy", "timeout"),
    [
        (Policy(rules={"restart": Rule(timeout=1)}, hints={"destructive": Rule(timeout=2)}), 1),
        (Policy(hints={"destructive": Rule(timeout=2), "open_world": Rule(timeout=3)}, default=Rule(timeout=6)), 2),
        (Policy(hints={"open_world": Rule(timeout=3), "idempotent": Rule(timeout=5)}), 3),
        (Policy(hints={"read_only": Rule(timeout=4), "idempotent": Rule(timeout=5)}), 5),  # it is not read-only
        (Policy(rules={"other": Rule(timeout=1)}, default=Rule(timeout=6)), 6),
        (Policy(), 30),
    ],
)
def test_the_order_of_rules(policy, timeout):
    assert policy.terms(tool(destructive=True, open_world=True, idempotent=True)).timeout == timeout


def test_default_does_not_loosen_what_is_dangerous_but_a_rule_of_its_own_does():
    loose = Rule(action="run", doubt=1.0, isolated=False)
    assert Policy(default=loose).terms(RESTART) == Policy().terms(RESTART)
    assert Policy(default=loose).terms(WEATHER) == Policy().terms(WEATHER)
    assert Policy(rules={"restart": loose}).terms(RESTART) == LAST
    assert Policy(hints={"destructive": loose}).terms(RESTART) == LAST


def test_a_rule_for_another_hint_does_not_loosen_what_is_dangerous():
    loose = Policy(hints=dict.fromkeys(("open_world", "read_only", "idempotent"), Rule(action="run", doubt=1.0)))
    terms = loose.terms(tool(destructive=True, open_world=True, idempotent=True))
    assert (terms.action, terms.doubt, terms.isolated) == ("confirm", 0.5, True)


def test_default_may_be_stricter():
    strict = Policy(default=Rule(roles=("staff",), rate=Rate(1, 60), doubt=0.9))
    assert strict.terms(PLAIN).doubt == 0.9
    assert strict.terms(RESTART).doubt == 0.5
    assert strict.terms(RESTART).roles == ("staff",)
    assert strict.terms(RESTART).rate == Rate(1, 60)


def test_a_star_opens_to_everyone_what_a_later_rule_closes():
    policy = Policy(rules={"square": Rule(roles=("*",))}, default=Rule(roles=("staff",)))
    assert policy.terms(PLAIN).roles is None
    assert policy.terms(RESTART).roles == ("staff",)


def test_dry_run_of_the_policy_wins():
    policy = Policy(rules={"square": Rule(dry_run=False)}, dry_run=True)
    assert policy.terms(PLAIN).dry_run
    assert Policy(default=Rule(dry_run=True)).terms(PLAIN).dry_run


@pytest.mark.parametrize(("what", "hint"), [("retries", "idempotent"), ("cache", "read_only")])
def test_what_the_hints_do_not_allow_is_an_error_only_in_the_rule_of_the_tool(what, hint):
    rule = Rule(**{what: 3})
    with pytest.raises(PolicyError, match=rf"^rules\.restart\.{what}: .* not declared {hint}") as caught:
        Policy(rules={"restart": rule}).terms(RESTART)
    assert f"@tool({hint}=True)" in caught.value.hint
    assert getattr(Policy(rules={"restart": Rule(**{what: 0})}).terms(RESTART), what) == 0
    for policy in (Policy(default=rule), Policy(hints={"destructive": rule})):
        assert getattr(policy.terms(RESTART), what) == 0
    for policy in (Policy(rules={"weather": rule}), Policy(default=rule), Policy(hints={hint: rule})):
        assert getattr(policy.terms(SAFE), what) == 3


def test_terms_follow_the_hints_when_a_tool_is_replaced():
    policy = Policy()
    assert policy.terms(tool(destructive=True)).action == "confirm"
    assert policy.terms(tool()).action == "run"
    assert policy.terms(tool(destructive=True)).action == "confirm"


def test_kept_terms_are_bounded_and_shared():
    policy = Policy()
    assert policy.terms(RESTART) is policy.terms(tool(destructive=True))
    for index in range(10_000):
        policy.terms(tool(f"t{index}"))
    assert len(policy._kept) <= 4096


def test_many_threads_get_the_same_terms():
    policy, tools = Policy(), [tool(f"t{index}", destructive=index % 2 == 0) for index in range(5000)]
    found = []

    def ask():
        found.append([policy.terms(each).action for each in tools])

    threads = [Thread(target=ask) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == [["confirm", "run"] * 2500] * 4


# ---- judge ----

STAFF = Rule(roles=("staff", "owner"))


@pytest.mark.parametrize(
    ("policy", "role", "probability", "expected"),
    [
        (Policy(), None, 0.0, Verdict("run", "")),
        (Policy(deny={"*": ("square",)}), "staff", 1.0, Verdict("deny", "on the deny list of everyone")),
        (Policy(deny={"*": ("square",)}), None, 1.0, Verdict("deny", "on the deny list of everyone")),
        (Policy(deny={"visitor": ("square",)}), "visitor", 1.0, Verdict("deny", "on the deny list of visitor")),
        (Policy(deny={"visitor": ("square",)}), "staff", 1.0, Verdict("run", "")),
        (Policy(deny={"visitor": ("square",)}), None, 1.0, Verdict("run", "")),
        (Policy(deny={"visitor": ("restart",)}), "visitor", 1.0, Verdict("run", "")),
        (Policy(default=STAFF), "owner", 1.0, Verdict("run", "")),
        (Policy(default=STAFF), "visitor", 1.0, Verdict("deny", "role visitor is not one of staff, owner")),
        (Policy(default=STAFF), "Staff", 1.0, Verdict("deny", "role Staff is not one of staff, owner")),
        (Policy(default=STAFF), None, 1.0, Verdict("deny", "nobody in particular is not one of staff, owner")),
        (Policy(default=Rule(roles=())), "staff", 1.0, Verdict("deny", "no role may call it")),
        (Policy(default=Rule(action="deny")), "staff", 1.0, Verdict("deny", "the policy denies it")),
        (Policy(default=Rule(threshold=0.9)), None, 0.71, Verdict("unsure", "P 0.71 is below 0.90")),
        (Policy(default=Rule(threshold=0.9)), None, 0.8999, Verdict("unsure", "P 0.8999 is below 0.9")),
        (Policy(default=Rule(threshold=0.9)), None, 0.9, Verdict("run", "")),
        (Policy(), None, float("nan"), Verdict("unsure", "P nan is below 0.00")),
        (Policy(dry_run=True), None, 1.0, Verdict("dry_run", "this is a dry run")),
        (Policy(default=Rule(action="confirm")), None, 1.0, Verdict("confirm", "a person must agree first")),
    ],
)
def test_verdicts(policy, role, probability, expected):
    assert policy.judge(PLAIN, policy.terms(PLAIN), role, probability) == expected


def test_the_first_that_is_the_case_is_said():
    everything = Rule(action="deny", roles=("staff",), threshold=0.9, dry_run=True)
    less = [{}, {"roles": None}, {"action": "confirm"}, {"threshold": 0.0}, {"dry_run": False}, {"action": "run"}]
    said, rule, deny = [], everything, {"visitor": ("square",)}
    for change in less:
        rule = dataclasses.replace(rule, **change)
        for policy in (Policy({"square": rule}, deny=deny), Policy({"square": rule})):
            verdict = policy.judge(PLAIN, policy.terms(PLAIN), "visitor", 0.5)
            said.append(verdict.reason or verdict.action)
    on_the_list = "on the deny list of visitor"
    assert said[::2] == [on_the_list] * 6
    assert said[1::2] == [
        "role visitor is not one of staff",
        "the policy denies it",
        "P 0.50 is below 0.90",
        "this is a dry run",
        "a person must agree first",
        "run",
    ]


# ---- what a policy refuses ----


@pytest.mark.parametrize(
    ("said", "begins"),
    [
        ({"rules": {"x": {"timeout": 3}}}, "rules.x is"),
        ({"rules": {"a.b": 3}}, 'rules."a.b" is'),
        ({"rules": {3: Rule()}}, "a key of rules is 3"),
        ({"rules": [Rule()]}, "rules is"),
        ({"hints": {"destructve": Rule()}}, "hints.destructve: "),
        ({"hints": {"destructive": None}}, "hints.destructive is None"),
        ({"default": None}, "default is None"),
        ({"default": {"timeout": 3}}, "default is"),
        ({"deny": {"visitor": "restart"}}, "deny.visitor is 'restart'"),
        ({"deny": {"visitor": ["restart", None]}}, "deny.visitor[1] is None"),
        ({"deny": {"*": {"restart"}}}, "deny.* is"),
        ({"deny": {None: ("restart",)}}, "a key of deny is None"),
        ({"deny": ("restart",)}, "deny is"),
        ({"explicit": 1}, "explicit is 1"),
        ({"dry_run": None}, "dry_run is None"),
    ],
)
def test_what_does_not_fit_is_named(said, begins):
    with pytest.raises(PolicyError) as caught:
        Policy(**said)
    assert caught.value.message.startswith(begins)
    assert caught.value.hint


def test_an_unknown_hint_gets_the_nearest():
    with pytest.raises(PolicyError) as caught:
        Policy(hints={"destructve": Rule()})
    assert "did you mean 'destructive'?" in caught.value.hint
    assert all(each in caught.value.hint for each in HINTS)


def test_a_policy_does_not_change():
    rules, deny = {"restart": Rule(action="deny")}, {"visitor": ["restart"]}
    policy = Policy(rules=rules, deny=deny)
    rules.clear()
    deny["visitor"].clear()
    assert policy.rules == {"restart": Rule(action="deny")}
    assert policy.deny == {"visitor": ("restart",)}
    with pytest.raises(TypeError):
        policy.rules["restart"] = Rule()
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.dry_run = True


def test_a_changed_copy_keeps_no_terms_of_the_old():
    policy = Policy()
    policy.terms(PLAIN)
    changed = dataclasses.replace(policy, default=Rule(action="deny"), deny={"*": ("square",)})
    assert changed.terms(PLAIN).action == "deny"
    assert changed.judge(PLAIN, changed.terms(PLAIN), None, 1.0).reason == "on the deny list of everyone"


# ---- check ----


def test_check_is_silent_where_all_is_well():
    Policy(rules={"restart": Rule()}, deny={"*": ("square",)}).check(iter([PLAIN, RESTART]))


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (Policy(rules={"restrat": Rule()}), r"^rules of .* no tool 'restrat', .* did you mean 'restart'\?$"),
        (Policy(deny={"visitor": ("reboot_all",)}), r"^deny\.visitor of .* 'reboot_all', .* added later"),
    ],
)
def test_check_warns_of_a_name_that_guards_nothing(policy, message):
    with pytest.warns(ToolsWarning, match=message):
        policy.check([PLAIN, RESTART])


def test_check_finds_what_the_hints_do_not_allow():
    with pytest.raises(PolicyError, match="retries"):
        Policy(rules={"restart": Rule(retries=1)}).check([PLAIN, RESTART])


# ---- for any rules ----

numbers = st.floats(0, 3600)
some_roles = st.lists(st.sampled_from(["staff", "visitor", "*"]), max_size=3).map(tuple)
some_rules = st.builds(
    Rule,
    action=st.sampled_from([None, "run", "confirm", "deny"]),
    threshold=st.none() | st.floats(0, 1),
    doubt=st.none() | st.floats(0, 1),
    roles=st.none() | some_roles,
    rate=st.none() | st.builds(Rate, st.integers(1, 100), st.floats(0.001, 1000)),
    dry_run=st.none() | st.booleans(),
    timeout=st.none() | numbers,
    retries=st.none() | st.integers(0, 10),
    backoff=st.none() | numbers,
    cache=st.none() | numbers,
    concurrency=st.none() | st.integers(0, 100),
    isolated=st.none() | st.booleans(),
)
some_tools = st.builds(
    Tool,
    st.sampled_from(["restart", "square", "lights.on"]),
    st.just("Do it."),
    st.just(()),
    hints=st.builds(Hints, st.booleans(), st.booleans(), st.booleans(), st.booleans()),
)
tool_names = st.sampled_from(["restart", "square", "lights.on", "gone"])
some_policies = st.builds(
    Policy,
    rules=st.dictionaries(tool_names, some_rules, max_size=3),
    hints=st.dictionaries(st.sampled_from(HINTS), some_rules),
    default=some_rules,
    deny=st.dictionaries(st.sampled_from(["*", "staff", "visitor"]), st.lists(tool_names).map(tuple)),
    explicit=st.booleans(),
    dry_run=st.booleans(),
)
anyone = st.sampled_from([None, "staff", "visitor", "stranger"])


def without_what_the_hints_forbid(policy, each):
    """Return the policy with a rule for the tool that its hints allow."""
    own = policy.rules.get(each.name, Rule())
    own = dataclasses.replace(
        own,
        retries=own.retries if each.hints.idempotent else None,
        cache=own.cache if each.hints.read_only else None,
    )
    return dataclasses.replace(policy, rules={**policy.rules, each.name: own})


def first(rules, name):
    return next((value for rule in rules if (value := getattr(rule, name)) is not None), None)


@given(some_policies, some_tools)
def test_terms_are_what_the_first_rule_says(policy, each):
    policy = without_what_the_hints_forbid(policy, each)
    built_in = {"destructive": Rule(action="confirm", doubt=0.5, isolated=True), "open_world": Rule(isolated=True)}
    rules = [policy.rules[each.name]]
    for hint in ("destructive", "open_world", "read_only", "idempotent"):
        if getattr(each.hints, hint):
            rules += [policy.hints.get(hint, Rule()), built_in.get(hint, Rule())]
    rules.append(policy.default)
    terms = policy.terms(each)
    for name in FIELDS:
        said = first(rules, name)
        expected = getattr(LAST, name) if said is None else said
        if (name == "retries" and not each.hints.idempotent) or (name == "cache" and not each.hints.read_only):
            expected = 0
        if name == "roles" and said is not None and "*" in said:
            expected = None
        if name == "dry_run" and policy.dry_run:
            expected = True
        assert getattr(terms, name) == expected, name


@given(some_policies, some_tools, anyone, st.floats(0, 1), st.sampled_from(["*", "role", "roles", "action"]))
def test_deny_always_wins(policy, each, role, probability, how):
    policy = without_what_the_hints_forbid(policy, each)
    own = policy.rules[each.name]
    deny = dict(policy.deny)
    if how in ("*", "role"):
        deny[role if how == "role" and role else "*"] = ("other", each.name)
    else:
        closed = {"roles": ("owner",)} if how == "roles" else {"action": "deny"}
        own = dataclasses.replace(own, **closed)
    policy = dataclasses.replace(policy, deny=deny, rules={**policy.rules, each.name: own})
    verdict = policy.judge(each, policy.terms(each), role, probability)
    assert verdict.action == "deny"
    assert verdict.reason


@given(some_policies, some_tools, anyone, st.floats(0, 1))
def test_a_destructive_tool_runs_unasked_only_where_its_rule_or_that_of_its_hint_says_so(policy, each, role, p):
    each = dataclasses.replace(each, hints=dataclasses.replace(each.hints, destructive=True))
    policy = without_what_the_hints_forbid(policy, each)
    verdict = policy.judge(each, policy.terms(each), role, p)
    if verdict.action == "run":
        assert first([policy.rules[each.name], policy.hints.get("destructive", Rule())], "action") == "run"


@given(some_policies, some_tools, some_rules)
def test_no_default_touches_what_the_built_in_rules_say(policy, each, default):
    policy = without_what_the_hints_forbid(policy, each)
    terms, other = policy.terms(each), dataclasses.replace(policy, default=default).terms(each)
    guarded = ("action", "doubt", "isolated") if each.hints.destructive else ("isolated",)
    if each.hints.destructive or each.hints.open_world:
        assert [getattr(terms, name) for name in guarded] == [getattr(other, name) for name in guarded]


def test_half_of_the_doubt():
    terms = Policy().terms(RESTART)
    for threshold, least in ((0.0, 0.5), (0.6, 0.8), (0.98, 0.99), (1.0, 1.0)):
        assert terms.least(threshold) == pytest.approx(least)
        assert Policy().judge(RESTART, terms, None, least - 1e-9, threshold).action == "unsure"
        assert Policy().judge(RESTART, terms, None, least + 1e-9, threshold).action == "confirm"
    assert Policy().terms(PLAIN).least(0.98) == 0.0  # the bundle's own threshold is asked before
    assert Policy(default=Rule(threshold=0.9)).terms(RESTART).least(0.5) == 0.9


@given(some_policies, some_tools, anyone, st.floats(0, 1))
def test_what_runs_was_allowed_sure_and_not_a_dry_run(policy, each, role, probability):
    policy = without_what_the_hints_forbid(policy, each)
    terms = policy.terms(each)
    if policy.judge(each, terms, role, probability).action in ("run", "confirm"):
        assert each.name not in policy.deny.get("*", ())
        assert role is None or each.name not in policy.deny.get(role, ())
        assert terms.roles is None or role in terms.roles
        assert probability >= terms.threshold
        assert not terms.dry_run
        assert not policy.dry_run
        assert terms.action != "deny"


@given(some_policies)
def test_a_policy_survives_json(policy):
    assert policy_from(json.loads(json.dumps(policy.to_json()))) == policy
