"""Functions that run imported tools."""

from __future__ import annotations

import functools

import pytest

from edgefn.errors import ToolDefinitionError
from edgefn.importing import from_openai, read_tools
from edgefn.importing.building import legal_name
from edgefn.tool import Hints, tool

BOTH = {"city": {"type": "string"}, "days": {"type": "integer"}}
FORECAST = {"name": "forecast", "description": "Tell.", "parameters": {"properties": BOTH, "required": ["city"]}}


def forecast(city, days=1):
    return f"{city} {days}"


class Weather:
    def __call__(self, *, city, **rest):
        return f"{city} {rest}"

    def later(self, city, days=2):
        return f"{city} {days}"


@pytest.mark.parametrize(
    ("bind", "answer"),
    [
        ({"forecast": forecast}, "Ulm 3"),
        ({"forecast": forecast}.get, "Ulm 3"),
        ({"forecast": Weather()}, "Ulm {'days': 3}"),
        ({"forecast": Weather().later}, "Ulm 3"),
        ({"forecast": lambda **known: sorted(known)}, ["city", "days"]),
        ({"forecast": functools.partial(forecast, days=9)}, "Ulm 3"),
    ],
)
def test_a_bound_tool_runs_with_json_values(bind, answer):
    (made,) = from_openai([FORECAST], bind)
    assert made.function(**made.bind({"city": "Ulm", "days": 3})) == answer
    (alone,) = from_openai([FORECAST])
    assert (made.schema, made.fingerprint) == (alone.schema, alone.fingerprint)
    assert alone.function is None


def test_a_tool_without_a_function_stays_select_only():
    made = from_openai([FORECAST, {"name": "stop"}], {"forecast": forecast})
    assert [each.function for each in made] == [forecast, None]
    assert from_openai([FORECAST], lambda name: None)[0].function is None


def test_a_mark_on_the_function_says_what_it_does():
    marked = tool(destructive=True)(lambda **known: None)
    assert from_openai([FORECAST], {"forecast": marked})[0].hints == Hints(destructive=True)


async def later(**known):
    pass


def stream(**known):
    yield


class Later:
    async def __call__(self, **known):
        pass


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda city: None, "takes no 'days'"),
        (lambda city, days=1, /: None, "takes no 'city'"),
        (lambda *every: None, "takes no 'city'"),
        (lambda city, days: None, "cannot do without 'days'"),
        (lambda city, days=1, *, key: None, "cannot do without 'key'"),
        (lambda here, /, **known: None, "cannot do without 'here'"),
        (later, "async or a generator"),
        (functools.partial(later), "async or a generator"),
        (Later(), "async or a generator"),
        (stream, "async or a generator"),
        (dict.fromkeys, "takes no 'city'"),
        (type, "no signature"),
        ("print", "is bound to 'print'"),
    ],
)
def test_a_function_that_some_call_does_not_fit(function, said):
    with pytest.raises(ToolDefinitionError) as caught:
        from_openai([FORECAST], {"forecast": function})
    assert caught.value.message.startswith("/0: forecast")
    assert said in caught.value.message
    assert caught.value.hint


def test_a_binding_that_binds_nothing():
    with pytest.raises(ToolDefinitionError, match="bind has 'forcast'") as caught:
        from_openai([FORECAST], {"forcast": forecast})
    assert caught.value.hint == "the tools: forecast"
    with pytest.raises(ToolDefinitionError, match="bind is 5"):
        from_openai([FORECAST], 5)
    # what is broken is listed; its function may be there all the same
    found = read_tools([{"name": "b", "parameters": 5}, FORECAST], {"b": forecast}, strict=False)
    assert [each.name for each in found.tools] == ["forecast"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("getUser", "getUser"),
        ("Get /users/{id}", "Get_users_id"),
        ("2fa", "_2fa"),
        ("a" * 70, "a" * 64),
        ("-a.b-", "a.b"),
        ("天气", ""),
        ("", ""),
    ],
)
def test_a_legal_name(text, name):
    assert legal_name(text) == name
