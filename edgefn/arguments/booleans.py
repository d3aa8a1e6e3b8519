"""Yes and no, on and off, as said."""

from __future__ import annotations

import re

from edgefn.arguments.normal import MAX_CHARACTERS, normalise

_YES = (
    "yes|yeah|yea|yep|yup|ya|y|sure|ok|okay|k|of course|please do|do it|do that|do so|go ahead|go for it|true|correct|"
    "right|that's right|that's correct|that's it|thats right|"
    "thats correct|thats it|that is right|that is correct|it is|i do|i am|i would|i will|"
    "i want to|i think so|why not|fine|that's fine|alright|all right|absolutely|definitely|certainly|exactly|indeed|"
    "affirmative|by all means|sounds good|good|great|perfect|uh huh|mhm|uh-huh|"
    "on|enable|enabled|enable it|turn on|turn it on|switch on|switch it on|activate|active|"
    "是|是的|是啊|是呀|对|对的|对啊|对呀|好|好的|好啊|好呀|好吧|行|行啊|可以|可以的|要|要的|需要|嗯|嗯嗯|没错|没问题|"
    "当然|当然可以|当然要|确认|确定|同意|愿意|想|正确|真|有|必须|必须的|"
    "开|开着|打开|开启|启用|启动"
)
_NO = (
    "no|nope|nah|n|no thanks|no thank you|no way|not now|not yet|not really|not at all|never|false|wrong|incorrect|"
    "it isn't|it is not|it's not|i'm not|i am not|i don't|i do not|i wouldn't|i won't|i don't want to|"
    "i don't think so|i think not|"
    "off|disable|disabled|disable it|turn off|turn it off|switch off|switch it off|deactivate|inactive|"
    "否|没|不用|不必|不了|算了|错|错了|错误|假|"
    "关|关着|关闭|关掉|关上|禁用|停用"
)
_NOT = ("not", "don't", "dont", "do not", "please don't", "please do not", "不", "别", "不是", "没有")
_UNDECIDED = ("not sure", "i'm not sure", "i am not sure", "不确定", "不一定")
_FILLERS = (
    "please|thanks|thank you|then|well|oh|just|and|or|but|both|really|very much|that|it|"
    "吧|啊|呀|哦|呢|啦|了|请|谢谢|谢谢你|那|那就|就|又|也|或|还是|和"
)
_MEANING: dict[str, str] = {
    **dict.fromkeys(_FILLERS.split("|"), "filler"),
    **dict.fromkeys(_YES.split("|"), "yes"),
    **dict.fromkeys(_NO.split("|"), "no"),
    **dict.fromkeys(_NOT, "not"),
    **dict.fromkeys(_UNDECIDED, "undecided"),
}
_QUESTION = re.compile(r"(.)[不没]\1")  # 要不要, 是不是
_BETWEEN = "[ ,.;!、。]*"
_PHRASE = re.compile(
    "("
    + "|".join(
        re.escape(phrase) + (r"(?![a-z0-9'-])" if phrase.isascii() else "")
        for phrase in sorted(_MEANING, key=len, reverse=True)
    )
    + ")"
    + _BETWEEN
)


def read_boolean(text: str) -> bool | None:
    """Read `text` as consent or refusal, on or off, English or Chinese; None if any of it says something else.

    A negation turns what it stands before: "not right", 不可以. One before a refusal ("don't turn it off") is not read.
    ValueError if it says both ("yes and no").
    """
    spoken = normalise(text) if len(text) <= MAX_CHARACTERS else ""
    meanings = _meanings(spoken)
    if meanings is None or "undecided" in meanings or _QUESTION.search(spoken):
        return None
    said = set()
    for meaning, before in zip(meanings, ["filler", *meanings], strict=False):
        if before == "not" and meaning in ("no", "not"):
            return None
        if meaning != "filler" and not (before == "not" and meaning == "yes"):
            said.add(meaning == "yes")
    if len(said) == 2:
        return _both(meanings, spoken)
    return said.pop() if said else None


def _both(meanings: list[str], spoken: str) -> bool:
    """Take "of course not" as a refusal; anything else that says both is an error."""
    if meanings[-1] == "not" and "no" not in meanings and meanings[:-1].count("yes") == 1 and not _joined(spoken):
        return False
    raise ValueError(f"{spoken!r} says both yes and no")


def _joined(spoken: str) -> bool:
    return re.search(r"\b(?:and|or)\b|[,或和]|还是", spoken) is not None


def _meanings(spoken: str) -> list[str] | None:
    """Cut normalised `spoken` into phrases, the longest first; None if some of it is no phrase that is known."""
    meanings = []
    at = 0
    while at < len(spoken):
        match = _PHRASE.match(spoken, at)
        if match is None:
            return None
        meanings.append(_MEANING[match[1]])
        at = match.end()
    return meanings
