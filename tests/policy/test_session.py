"""Who speaks."""

from __future__ import annotations

import pytest

from edgefn.errors import PolicyError
from edgefn.policy.session import Session


def test_nobody_in_particular():
    assert Session() == Session(role=None, language=None)
    assert Session("staff", "zh").role == "staff"


@pytest.mark.parametrize("said", [{"role": ["visitor"]}, {"role": 3}, {"language": True}])
def test_a_role_that_could_pass_every_list_is_refused(said):
    with pytest.raises(PolicyError, match="expected is a string"):
        Session(**said)
