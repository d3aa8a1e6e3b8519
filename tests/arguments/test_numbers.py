"""Numbers in words and digits, checked against libraries that write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.arguments.numbers import leading_number, read_number

BILLION = 10**9


def _in_words(number: int | str) -> str:
    num2words = pytest.importorskip("num2words")
    return num2words.num2words(Decimal(number) if isinstance(number, str) else number, lang="en")


def _in_chinese(number: int | float, form: str) -> str:
    cn2an = pytest.importorskip("cn2an")
    return cn2an.an2cn(number, form)


@given(st.one_of(st.integers(0, BILLION), st.integers(0, 2000)))
def test_english_integers_read_back(number: int) -> None:
    words = _in_words(number)
    plainer = words.replace("-", " ").replace(",", "")
    for said in (words, plainer, plainer.replace(" and ", " "), words.upper() + ".", "minus " + words):
        assert read_number(said) == (-number if said.startswith("minus") else number), said


@given(st.integers(0, 10_000), st.integers(1, 9999))
def test_english_decimals_read_back(whole: int, places: int) -> None:
    written = f"{whole}.{places:04}".rstrip("0")
    assert read_number(_in_words(written)) == float(written)


@given(st.one_of(st.integers(0, BILLION), st.integers(0, 2000)), st.sampled_from(["low", "up"]))
def test_chinese_integers_read_back(number: int, form: str) -> None:
    said = _in_chinese(number, form)
    assert read_number(said) == number
    assert read_number("负" + said + "个") == -number


@given(st.integers(0, 10**6), st.integers(1, 9999))
def test_chinese_decimals_read_back(whole: int, places: int) -> None:
    written = f"{whole}.{places:04}".rstrip("0")
    assert read_number(_in_chinese(float(written), "low")) == float(written)


@given(st.integers(-(10**15), 10**15), st.integers(0, 9999))
def test_digits_read_back_with_any_separator(whole: int, places: int) -> None:
    for written in (f"{whole}", f"{whole:,}", f"{whole:,}".replace(",", " "), f"{whole:,}".replace(",", "\u00a0")):
        assert read_number(written) == whole
    assert read_number(f"{whole:,}.{places:04}") == float(f"{whole}.{places:04}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a hundred", 100),
        ("fifteen hundred and six", 1506),
        ("3 million 200 thousand", 3_200_000),
        ("2.5k", 2500),
        ("one and a half million", 1_500_000),
        ("two million and a half", 2_500_000),
        ("three quarters of a million", 750_000),
        ("half a dozen", 6),
        ("two and a half dozen", 30),
        ("a couple of thousand", 2000),
        ("three and three quarters", 3.75),
        ("one hundred and two thirds", 100 + 2 / 3),
        ("a third", 1 / 3),
        ("three point fourteen", 3.14),
        ("minus point five", -0.5),
        ("2½", 2.5),
        ("两百五", 250),
        ("两百零五", 205),
        ("一万二千三", 12_300),
        ("一亿二", 120_000_000),
        ("四亿五千三百二十三万三千九百四十二", 453_233_942),
        ("百万", 1_000_000),
        ("3万5", 35_000),
        ("12万5千", 125_000),
        ("一点二亿", 120_000_000),
        ("二又三分之一", 2 + 1 / 3),
        ("十个半", 10.5),
        ("两打", 24),
        ("二零二六", 2026),
        ("一萬兩千", 12_000),
    ],
)
def test_short_forms(text: str, value: float) -> None:
    assert read_number(text) == pytest.approx(value, rel=1e-15)
    assert isinstance(read_number(text), type(value))


@pytest.mark.parametrize(
    "text",
    [
        *("", "?", "a", "and", "point", "minus", "third", "twenty third", "two hundredth", "a few", "once", "hundreds"),
        *("one two three", "nineteen eighty", "hundred hundred", "thousand million five", "two two hundred"),
        *("two thousand million", "five thousand six thousand", "two hundred and", "zero five", "five apples"),
        *("24.12.2026", "5%", "五苹果", "一千零一夜", "几个", "十几", "百", "万", "个", "第三", "三个月", "十十"),
        *("一百零五十", "百分之三十", "三分之", "零分之一", "five" * 2500, "五" * 10_000, "9" * 201),
    ],
)
def test_what_is_not_a_number_is_none(text: str) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("five or six", "five to ten", "5-10", "five-ten", "5 ~ 6", "between five and ten", "from 5 to 10"),
        *("三到五", "三或四", "三四个", "十五六", "二十三四", "七八百", "一两个", "三五个", "3、4个", "三还是四"),
    ],
)
def test_two_numbers_are_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="two numbers"):
        read_number(text)


ENGLISH = "a and of point minus zero one twenty hundred thousand million dozen couple half third thirds quarter"
CHINESE = "零 五 两 十 百 万 亿 点 半 个 分之 又 打 负 1,000 1.5 1/2 2k - ,"


@given(st.lists(st.sampled_from(f"{ENGLISH} {CHINESE}".split()), max_size=9), st.sampled_from([" ", ""]))
def test_nonsense_is_refused_without_another_exception(words: list[str], gap: str) -> None:
    try:
        value = read_number(gap.join(words))
    except ValueError:
        return
    assert value is None or isinstance(value, int | float)


@given(st.text(st.characters(), max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_number(text)
        leading_number(text)
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("one and a half hours", (1.5, "hours")),
        ("half an hour", (0.5, "an hour")),
        ("a couple of minutes", (2, "minutes")),
        ("ten to nine", (10, "to nine")),
        ("seven thirty", (7, "thirty")),
        ("1h30", (1, "h30")),
        ("一个半小时", (1.5, "小时")),
        ("三个月", (3, "个月")),
        ("三点一刻", (3, "点一刻")),
        ("two hundred and", (200, "and")),
        ("an hour", None),
        ("", None),
    ],
)
def test_a_number_is_taken_from_the_start(text: str, found: tuple[float, str] | None) -> None:
    assert leading_number(text) == found
