"""The answer to "Shall I go ahead?", before something that cannot be undone.

The method is that of `edgefn.arguments.booleans`: phrase tables, cut longest first after `normalise`. What differs is
what counts: here it needs words of consent, and one word that is none of them is enough to ask again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from edgefn.arguments.normal import MAX_CHARACTERS, normalise

_YES = (
    "yes|yeah|yea|yep|yup|ya|y|aye|yes i do|yes i am|yes you may|yes you can|sure|sure thing|of course|certainly|"
    "definitely|absolutely|affirmative|by all means|go ahead|you may go ahead|you can go ahead|go for it|proceed|"
    "you may proceed|you can proceed|continue|do it|do that|do so|please do|please do it|please do that|"
    "please do so|make it so|let's do it|let's do that|confirm|confirm it|confirm that|confirmed|i confirm|"
    "i confirm it|i confirm that|agree|agreed|i agree|i consent|i accept|accept|accepted|approve|approved|"
    "i approve|i'm sure|i am sure|yes i'm sure|i'm positive|execute|execute it|run it|"
    "是|是的|是啊|是呀|确认|我确认|确定|我确定|可以|可以的|可以啊|可以呀|当然|当然可以|同意|我同意|批准|我批准|"
    "允许|我允许|准许|执行|执行吧|请执行|就执行吧|做吧|去做吧|去吧|来吧|干吧|开始吧|继续|继续吧|照做|照办|就这么办|"
    "就这么办吧|就这么做|就这么做吧|就这样做|就这样做吧|确认执行|确定执行|可以执行|可以继续|可以开始|同意执行"
)
_OK = "ok|okay|okey|okey dokey|好|好的|好啊|好呀|好吧|行|行啊|行吧"
"""Consent alone, and nothing but a breath before a refusal: "ok, stop"."""
_NO = (
    "no|nope|nah|n|no thanks|no thank you|no way|no don't|not now|not right now|not today|not really|not at all|"
    "of course not|certainly not|definitely not|absolutely not|never ever|no never|no go|stop|stop it|stop that|"
    "stop right there|cancel|cancel it|cancel that|abort|abort it|quit|exit|undo|never mind|nevermind|forget it|"
    "forget that|forget about it|leave it|leave it alone|leave it be|drop it|skip it|scrap it|scrap that|refuse|"
    "i refuse|refused|decline|declined|i decline|deny|denied|reject|rejected|negative|i don't think so|"
    "i think not|i don't want that|i don't want it|i do not want that|i do not want it|i don't agree|"
    "i do not agree|i disagree|i'd rather not|i would rather not|rather not|better not|please no|"
    "i changed my mind|i've changed my mind|i have changed my mind|changed my mind|that's wrong|that is wrong|"
    "wrong|don't you dare|no stop|no cancel|keep it as it is|"
    "否|不用了|不必了|不了|不要了|不是的|不行|不行的|不好|不可以|不可以的|不同意|我不同意|不确认|我不要|我不想|"
    "不想要|不干|不做|不执行|不要执行|别执行|停|停下|停下来|停止|快停|快停下|住手|打住|取消|取消吧|取消掉|取消它|"
    "我要取消|算了|算了吧|中止|终止|放弃|放弃吧|拒绝|我拒绝|撤销|撤回|退出|作罢|免了|绝对不行|绝不|当然不|当然不行|"
    "当然不可以|当然不要|我改主意了|改主意了|我反悔了|错了|不对|别做|别动|别这样|别这么做|不要这样|不要这么做|"
    "不要动|不要吧|别吧|还是算了|还是算了吧|还是不要了|还是不要|还是别了|还是不了"
)
_NOT = (
    "not|don't|dont|don t|do not|please don't|please dont|please do not|never|i don't want to|i do not want to|"
    "不|不要|别|不用|不必|没|没有|不是|不能|不许|不准|不想|千万别|千万不要"
)
"""A refusal alone; it turns the consent that it stands before, and what else it stands before is not read."""
_NOT_YET = "先别|先不要|先不|暂时不要|暂时不|暂时别|还不要|现在不要|现在别"
"""The same, of a wait."""
_WAIT = (
    "wait|wait a minute|wait a moment|wait a second|wait a sec|wait a bit|wait up|wait for me|waiting|"
    "please wait|hold on|hold on a minute|hold on a moment|hold on a second|hold on a sec|hold it|hold|hang on|"
    "hang on a minute|hang on a second|hang on a sec|not yet|not just yet|not quite yet|don't do it yet|"
    "do not do it yet|don't go ahead yet|one moment|one minute|one second|one sec|a moment|a minute|a second|"
    "just a moment|just a minute|just a second|just a sec|just a bit|a moment please|give me a minute|"
    "give me a moment|give me a second|give me a sec|in a minute|in a moment|in a second|in a bit|later|"
    "maybe later|not until later|ask me later|another time|pause|stand by|standby|bear with me|slow down|"
    "not so fast|let me think|let me think about it|let me check|let me see|i need to think|i need a moment|"
    "i need a minute|i'm thinking|i am thinking|i'm not ready|i am not ready|not ready|not ready yet|"
    "i'm not ready yet|not sure|i'm not sure|i am not sure|not sure yet|i'm not sure yet|i don't know|"
    "i do not know|i don't know yet|"
    "等|等等|等一下|等下|等一等|等会|等会儿|等一会|等一会儿|等我一下|等我一会儿|等等我|等一等吧|等一下吧|等等吧|"
    "等着|稍等|稍等一下|稍等片刻|稍等会儿|请等等|请等一下|请稍等|请稍候|稍候|稍后|稍后再说|先等等|先等一下|"
    "先等等吧|先别动|先别执行|先别急|先不要执行|先不了|先停一下|先停|停一下|暂停|暂停一下|暂缓|慢着|慢点|慢一点|"
    "且慢|别急|不急|不着急|别着急|还没|还没有|还没好|还没准备好|还不行|还不能|还不可以|现在不行|待会|待会儿|"
    "待会再说|一会儿|一会|一会儿再说|过一会儿|过会儿|回头再说|以后再说|以后|晚点|晚点再说|晚一点|改天|下次|再等等|"
    "再等一下|再说吧|再说|让我想想|我想想|我再想想|再想想|想一下|想想|我想一下|考虑一下|我考虑一下|让我考虑一下|"
    "让我看看|我看看|不确定|我不确定|不知道|我不知道|不一定|还没想好|没想好|我还没想好"
)
_FILLERS = (
    "please|thanks|thank you|then|just|and|oh|ah|um|uh|er|now|right now|right away|immediately|at once|good|great|"
    "fine|perfect|right|correct|alright|all right|very well|"
    "请|谢谢|谢谢你|那|那就|就|啊|呀|哦|嗯|现在|马上|立刻|立即|对|对的"
)
"""What is said around an answer; alone it is none."""
_DOUBTS = (
    "well|actually|sorry|hmm|hm|maybe|perhaps|but|really|so|i think|i guess|i said|yet|both|"
    "不好意思|对不起|抱歉|可能|也许|但是|但|不过|其实|还是|我说|呃|那个"
)
"""What may stand around a refusal, and never around consent."""
_KINDS: dict[str, str] = {
    phrase: kind
    for kind, phrases in (
        ("filler", _FILLERS),
        ("doubt", _DOUBTS),
        ("ok", _OK),
        ("yes", _YES),
        ("not", _NOT),
        ("not yet", _NOT_YET),
        ("no", _NO),
        ("wait", _WAIT),
    )
    for phrase in phrases.split("|")
}


_COUNTS_AS = {"not": "no", "not yet": "wait"}
_HOLDING_BACK = frozenset(["no", "wait", *_COUNTS_AS])
_LONGEST = max(map(len, _KINDS))
_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789'-")
_GAP = re.compile("(?: - |[ ,.;!、。])*")
_SIMPLIFIED = str.maketrans(
    "確認執繼續當準許絕暫緩著慮現動終棄銷讓給樣辦實說幹應變",
    "确认执继续当准许绝暂缓着虑现动终弃销让给样办实说干应变",
)
"""Traditional characters of the phrases that `normalise` leaves as they are."""
_QUESTION = re.compile(r"[?？¿؟﹖⁇⁈⁉‽]|([^不没])[不没]\1")  # 行不行


def read_consent(text: str) -> Literal["yes", "no", "wait"] | None:
    """Read the answer to "Shall I go ahead?", English or Chinese; None where it is not surely one, so ask again.

    It is "yes" only where every word is one of consent, or said around it, and nothing negates, waits, doubts or asks.
    Ready words such as "right" and "fine" are no consent alone. "yes and no" is None. "no, wait" is "no": neither runs
    anything, and what was refused leaves nothing that a later "yes" could run by mistake. "yes, wait" is "wait".
    """
    spoken = normalise(text).translate(_SIMPLIFIED) if len(text) <= MAX_CHARACTERS else ""
    kinds = _said(spoken)
    if kinds is None or not kinds:
        return None
    if "no" in kinds and "yes" not in kinds:
        return None if _QUESTION.search(text) else "no"
    if "wait" in kinds:
        return "wait"
    if "no" in kinds or "doubt" in kinds or _QUESTION.search(text) or _holds_back(spoken):
        return None
    return "yes" if kinds & {"yes", "ok"} else None


def _said(spoken: str) -> set[str] | None:
    """Return the kinds of phrases in `spoken`; None if some of it is no phrase, or a negation that cannot be read."""
    phrases = _phrases(spoken)
    if phrases is None:
        return None
    kinds, turned = set[str](), ""
    for phrase, gap in phrases:
        kind = _KINDS[phrase]
        if turned and kind in _HOLDING_BACK and phrase != turned:
            return None  # "don't stop", 别取消
        if not (turned and kind in ("yes", "ok")):  # "don't do it" is no consent
            kinds.add(_COUNTS_AS.get(kind, kind))
        turned = phrase if kind in _COUNTS_AS and not gap.strip() else ""
    return kinds


def _phrases(spoken: str) -> list[tuple[str, str]] | None:
    """Cut normalised `spoken` into phrases, the longest first, each with the gap after it; None if it is more."""
    found = []
    at = 0
    while at < len(spoken):
        phrase = next(_phrases_at(spoken, at), None)
        if phrase is None:
            return None
        gap = _GAP.match(spoken, at + len(phrase))
        found.append((phrase, gap[0] if gap else ""))
        at += sum(map(len, found[-1]))
    return found


def _phrases_at(spoken: str, at: int) -> Iterator[str]:
    """Yield the phrases that stand at `at`, the longest first; Latin ones are whole words."""
    if at and spoken[at - 1] in _LATIN and spoken[at] in _LATIN:
        return
    for end in range(min(at + _LONGEST, len(spoken)), at, -1):
        phrase = spoken[at:end]
        if phrase in _KINDS and not (phrase[-1] in _LATIN and spoken[end : end + 1] in _LATIN):
            yield phrase


def _holds_back(spoken: str) -> bool:
    """Say whether a refusal or a wait stands anywhere in `spoken`, also across two phrases."""
    standing = (phrase for at in range(len(spoken)) for phrase in _phrases_at(spoken, at))
    return any(_KINDS[phrase] in _HOLDING_BACK for phrase in standing)
