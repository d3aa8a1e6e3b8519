"""Answers to "Shall I go ahead?": consent, refusal, a wait, or none of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.consent import _HOLDING_BACK, _KINDS, read_consent

YES = """
yes|Yes.|YES!|yeah|yep|yup|y|sure|of course|certainly|absolutely|go ahead|yes, go ahead|Yes, please.|yeah do it|do it|
do it now|please do|please do it|ok|OK|okay|ok please|ok, go ahead|okay then|ok fine|yes yes yes|confirm|confirmed|
i confirm|yes I confirm|I'm sure|I’m sure|yes, I am sure|proceed|please proceed|continue|you may go ahead|by all means|
I agree|agreed|approved|make it so|just do it|oh yes|um, yes|yes, right away|yes - go ahead|"yes"|ｙｅｓ|
absolutely, do it right now|go for it|sure thing, thanks|execute it|let's do it|yes you may|very well, proceed
"""
YES_ZH = """
是|是的|是的。|好|好的|好的，执行吧|好的好的|好，执行|行|可以|可以的|可以，谢谢|确认|確認|确定|確定|我确定|同意|我同意|执行吧|請執行|
请执行|继续|继续吧|當然可以|当然|就这么办|那就执行吧|开始吧|嗯，可以|嗯，好的|批准|确认执行|现在执行|马上执行|对，确定|OK，执行|去吧|做吧
"""
NO = """
no|No.|nope|nah|n|no thanks|no, thank you|no way|don't|Don’t!|dont|do not|please don't|don't do it|do not do it|
don't go ahead|not ok|stop|stop it|Stop!|cancel|cancel it|cancel that|please cancel|abort|never mind|nevermind|
forget it|leave it|of course not|absolutely not|definitely not|certainly not|not now|i don't think so|i'd rather not|
no no no|no, stop|ok, stop|okay no|ok cancel|well, no|actually, cancel|sorry, no|oh no|no wait|no, wait|wait, no|
no, not yet|never|never yes|I changed my mind|do not proceed|not confirmed|reject|drop it|no really|
don't execute it|but no
"""
NO_ZH = """
不|不要|不要。|不行|不可以|不用了|不用|不必了|不是|否|没有|别|别执行|不要执行|不执行|不，谢谢|停|停下|停止|取消|取消吧|请取消|算了|算了吧|
还是算了|拒绝|我拒绝|我不要|不同意|不确认|千万别|终止|放弃|中止|好的，取消|好，算了|不不不|不，等等|别，等一下|对不起，取消|放棄|拒絕|住手|作罢
"""
WAIT = """
wait|Wait!|wait a minute|please wait|hold on|hold on a second|hang on|not yet|one moment|one moment please|
just a second|just a moment|give me a minute|later|maybe later|in a minute|let me think|let me check|
i'm not ready|not ready yet|
yes, wait|yes wait|yes but wait|ok wait|ok, hold on|okay not yet|wait, yes|yes, but not yet|pause|not sure|I'm not sure|
don't do it yet|sorry, hold on|yes no wait|slow down
"""
WAIT_ZH = """
等|等等|等一下|等一等|等会儿|稍等|请稍等|稍等一下|先别|先别执行|先不要|先等等|暂停|慢着|且慢|别急|还没|还没好|还没准备好|让我想想|
考虑一下|待会儿|过一会儿|晚点再说|好的，等一下|是的，等等|好，但是等一下|可以，先别|不确定|不知道|現在不行|暫停|慢著|再说
"""
NEITHER = """
|...|yes?|really?|really|ok?|sure?|do it?|yes? go ahead|yes but tomorrow|yes if it is quick|yes, maybe|maybe|perhaps|
i guess|yes i guess|yes i think so|i think so|yes no|yes and no|yes or no|no yes|yes, cancel|go ahead and cancel|
don't stop|I don't want to stop|never stop|
do not cancel|don't wait|please don't wait|no problem|not a problem|why not|fine|good|great|right|
true|on|off|enable|turn it on|perfect|alright|that's ok|that's fine|i'm fine|i'm good|it's ok|i want to|please|thanks|
now|then|hmm|hmm, yes|well, yes|yes, really|yes, actually|yes unless it rains|yes after lunch|yes until noon|
yes for the lamp|only the first|yesterday|okra|surely not|yes/no|yes-no|no-yes|what|why|yes, why|set a timer|
restart the computer tomorrow|stop the music|no?|wait for the bus|¿yes|yes？|x
"""
NEITHER_ZH = """
可以吗|可以？|可以吧|好吗|好不好|行不行|可不可以|要不要|是不是|确定吗|是吗|是么|好了|行了|可以了|好像|没问题|没错|对|对的|嗯|要|有|开|打开|
谢谢|现在|也许|可能|可能可以|可以，但是明天|明天可以|如果快就可以|别取消|不要停|不等|别等|不用等|别停|是，不|好，不过明天|是也不是|对不起|
不好意思|除非下雨|不得不执行|不是不行|先别取消|先不停|没有不行|不想等|等一下再执行|关掉|播放音乐|请
"""


def phrases(table: str) -> list[str]:
    return table.replace("\n", "").split("|")


TABLE = [
    *((text, "yes") for text in phrases(YES + "|" + YES_ZH)),
    *((text, "no") for text in phrases(NO + "|" + NO_ZH)),
    *((text, "wait") for text in phrases(WAIT + "|" + WAIT_ZH)),
    *((text, None) for text in phrases(NEITHER + "|" + NEITHER_ZH)),
]
HOLDING_PHRASES = [phrase for phrase, kind in _KINDS.items() if kind in _HOLDING_BACK]


@pytest.mark.parametrize(("text", "answer"), TABLE)
def test_answers(text: str, answer: str | None) -> None:
    assert read_consent(text) == answer


def test_the_table_is_long() -> None:
    assert len({text for text, _ in TABLE}) > 400


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("yes", "yes"),
        ("ok", "yes"),
        ("no", "no"),
        ("not", "no"),
        ("wait", "wait"),
        ("not yet", "wait"),
        ("filler", None),
        ("doubt", None),
    ],
)
def test_every_known_phrase_alone(kind: str, answer: str | None) -> None:
    assert {
        each: read_consent(each) for each, known in _KINDS.items() if known == kind and read_consent(each) != answer
    } == {}


def test_what_is_long_is_no_answer() -> None:
    assert read_consent("yes " * 50) == "yes"
    assert read_consent("yes " * 51) is None
    assert read_consent("no" * 10**6) is None


gaps = st.sampled_from([" ", ", ", ". ", "，", "。", "! ", " - ", ""])
words = st.sampled_from([*_KINDS, "yes", "go ahead", "ok", "执行吧", "tomorrow", "明天", "的", "打"])


@st.composite
def answers(draw: st.DrawFn, *must: st.SearchStrategy[str]) -> str:
    """Words with gaps between them, in any order; one of each of `must` among them, as a word of its own."""
    said = draw(st.lists(words, max_size=4))
    for each in must:
        said.insert(draw(st.integers(0, len(said))), f" {draw(each)} ")
    return "".join(word + draw(gaps) for word in said)


@given(answers(st.sampled_from(HOLDING_PHRASES)))
def test_what_holds_a_refusal_or_a_wait_is_never_consent(text: str) -> None:
    assert read_consent(text) != "yes"


@given(st.one_of(answers(), st.text(), st.text("不要等别停好的是行可以确认执行 ,，?")))
def test_consent_holds_nothing_but_words_of_consent(text: str) -> None:
    if read_consent(text) == "yes":
        spoken = text.casefold()
        latin = re.findall(r"[a-z0-9'-]+(?: [a-z0-9'-]+)*", spoken)
        assert not set(latin) & set(HOLDING_PHRASES)
        assert not [each for each in HOLDING_PHRASES if not each.isascii() and each in spoken]
        assert not re.search("[?？吗]|tomorrow|明天", spoken)


@given(answers(), st.sampled_from(["?", "？", " or not", " if", " but", "吗", "吗？", " unless", " x"]))
def test_a_question_or_a_condition_is_never_consent(text: str, end: str) -> None:
    assert read_consent(text + end) != "yes"
