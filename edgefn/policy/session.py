"""Who speaks to the dispatcher."""

from __future__ import annotations

from dataclasses import dataclass

from edgefn.checking import shown
from edgefn.errors import PolicyError


@dataclass(frozen=True, slots=True)
class Session:
    """Who speaks to the dispatcher. (Not the session of the engine.)"""

    role: str | None = None
    """Name of a role of the policy, as it is written there; None for nobody in particular."""
    language: str | None = None
    """ "en" or "zh"; None: that of the utterance."""

    def __post_init__(self) -> None:
        """Refuse what is no name: a role that is never found in a list would pass every deny list."""
        for name, value in (("role", self.role), ("language", self.language)):
            if value is not None and not isinstance(value, str):
                raise PolicyError(f"{name} is {shown(value)}, but what is expected is a string", hint="or leave it out")
