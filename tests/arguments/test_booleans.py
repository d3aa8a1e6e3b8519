"""Consent and refusal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.arguments.booleans import read_boolean

YES = [
    "yes",
    "Yes, please!",
    "sure",
    "of course",
    "on",
    "that's right",
    "yes it is",
    "turn it on",
    "好的，谢谢",
    "可以",
    "打開",
]
NO = ["no", "no thanks", "don't", "not now", "not right", "of course not", "absolutely not", "off", "no it isn't"]
NO_ZH = ["不", "不用了谢谢", "不可以", "没有", "别", "关掉", "關閉", "别开", "不是"]
NEITHER = ["", "please", "maybe", "not sure", "don't stop", "don't turn it off", "no problem", "right now", "nothing"]
NEITHER_ZH = ["也许", "对不起", "没关系", "别的", "要不要", "是不是", "不关", "不确定"]


@pytest.mark.parametrize("text", YES)
def test_consent(text: str) -> None:
    assert read_boolean(text) is True


@pytest.mark.parametrize("text", NO + NO_ZH)
def test_refusal(text: str) -> None:
    assert read_boolean(text) is False


@pytest.mark.parametrize("text", [*NEITHER, *NEITHER_ZH, "yes " * 100])
def test_anything_else_is_none(text: str) -> None:
    assert read_boolean(text) is None


@pytest.mark.parametrize("text", ["yes and no", "yes or no", "no, yes", "on and off", "是，不"])
def test_both_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="both yes and no"):
        read_boolean(text)


@given(
    st.lists(st.sampled_from([*YES, *NO, *NO_ZH, "not", "and", "请", "x"]), max_size=6),
    st.sampled_from(["", " ", ", "]),
)
def test_any_mixture_is_read_or_refused(words: list[str], gap: str) -> None:
    try:
        assert read_boolean(gap.join(words)) in (True, False, None)
    except ValueError as error:
        assert "both" in str(error)
