"""One spelling for what people say in many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.arguments.normal import is_chinese, normalise


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("  Twenty   MINUTES. ", "twenty minutes"),
        ("“Five!”", "five"),
        ("１２　％", "12 %"),
        ("2½", "2 1/2"),
        ("−5", "-5"),
        ("- 5", "-5"),
        ("-.5", "-.5"),
        ("...5", "5"),
        ("-$5", "-$5"),
        ("20 ℃", "20 °c"),
        ("下午 3 點 15 分。", "下午3点15分"),
        ("don’t", "don't"),
        ("", ""),
        (" ?! ", ""),
    ],
)
def test_spellings_meet(text: str, spoken: str) -> None:
    assert normalise(text) == spoken


@given(st.text(st.characters(), max_size=60))
def test_any_text_has_a_normal_form_without_outer_spaces(text: str) -> None:
    spoken = normalise(text)
    assert spoken == spoken.strip()
    assert "  " not in spoken


@given(st.text("aé五半½.-$ ,5", max_size=12))
def test_normal_text_stays(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_lone_surrogates_and_long_texts_pass() -> None:
    assert normalise("\ud800 five") == "\ud800 five"
    assert len(normalise("." * 50_000 + "a" + "." * 50_000)) == 1


@pytest.mark.parametrize(
    ("text", "chinese"), [("五", True), ("5 个", True), ("〇", True), ("five", False), ("é", False)]
)
def test_chinese_is_told_by_its_characters(text: str, chinese: bool) -> None:
    assert is_chinese(text) is chinese
