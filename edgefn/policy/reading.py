"""A policy from a file or from plain data, strictly: what is not understood is refused, never skipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from edgefn import jsonform
from edgefn.checking import shown
from edgefn.errors import PolicyError
from edgefn.policy.policy import Policy, joined, near
from edgefn.policy.rule import FIELDS, Rate, Rule, unexpected

_KEYS: Final = tuple(field.name for field in fields(Policy) if field.init)
_RATE: Final = ("calls", "seconds")


def read_policy(path: str | Path) -> Policy:
    """Read a policy from a .json or .toml file.

    Raises:
        PolicyError: the file cannot be read or is neither, or it holds something else than a policy; the message names
            the file and the path of the value in it.
    """
    file = Path(path)
    parse = {".json": jsonform.parse, ".toml": _parse_toml}.get(file.suffix.lower())
    if parse is None:
        raise PolicyError(f"{file}: this is no policy file", hint="give a file that ends in .json or .toml")
    try:
        data = parse(file.read_bytes())
    except jsonform.Malformed as exc:
        raise PolicyError(f"{file}: {exc}", hint=f"write it as {file.suffix[1:].upper()} in UTF-8") from exc
    except (OSError, ValueError) as exc:
        raise PolicyError(f"{file} cannot be read: {exc}", hint="check the path and who may read it") from exc
    with _under(f"{file}: "):
        return policy_from(data)


def policy_from(data: Mapping[str, Any]) -> Policy:
    """Build a policy from plain data, as it stands in a file; lists become tuples.

    Raises:
        PolicyError: a key is unknown, a value is of another type or out of range; the message begins with its path,
            `rules.restart.timeout`.
    """
    given: dict[str, Any] = _table("", data, _KEYS)
    for where in ("rules", "hints"):
        if where in given:
            rules = _table(where, given[where])
            given[where] = {name: _rule(joined(where, name), each) for name, each in rules.items()}
    if "default" in given:
        given["default"] = _rule("default", given["default"])
    return Policy(**given)


def _rule(where: str, data: object) -> Rule:
    given = _table(where, data, FIELDS)
    for name, value in given.items():
        if value is None:
            raise PolicyError(f"{where}.{name} is null", hint=f"leave {name} out: the next rule then says it")
    if "rate" in given:
        given["rate"] = _rate(f"{where}.rate", given["rate"])
    with _under(f"{where}."):
        return Rule(**given)


def _rate(where: str, data: object) -> Rate:
    given = _table(where, data, _RATE)
    for name in _RATE:
        if name not in given:
            raise PolicyError(f"{where}.{name} is missing", hint="a rate is { calls = 3, seconds = 60 }")
    with _under(f"{where}."):
        return Rate(**given)


def _table(where: str, data: object, allowed: Sequence[str] = ()) -> dict[str, Any]:
    """Return a copy of a table; PolicyError for anything else, and for a key that is not allowed (empty: any is)."""
    if not isinstance(data, Mapping):
        raise unexpected(where or "the policy", data, "a table")
    for key in data:
        if allowed and key not in allowed:
            at = joined(where, key) if where else str(key)
            hint = f"{near(key, allowed)}the keys are {', '.join(allowed)}"
            raise PolicyError(f"{at}: there is no key {shown(key)}", hint=hint)
    return dict(data)


def _parse_toml(data: bytes) -> Any:
    import tomllib  # only who has such a file pays for it

    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as exc:
        raise jsonform.Malformed(f"is not UTF-8 text (byte {exc.start})") from exc
    except RecursionError as exc:
        raise jsonform.Malformed("is nested too deeply") from exc
    except ValueError as exc:
        raise jsonform.Malformed(f"is not TOML: {exc}") from exc


@contextmanager
def _under(where: str) -> Iterator[None]:
    """Put a path before the message of every PolicyError inside the block."""
    try:
        yield
    except PolicyError as exc:
        raise PolicyError(where + exc.message, hint=exc.hint) from exc
