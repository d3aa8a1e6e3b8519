"""One spelling for what people say in many: the form that every reader of this package reads.

Width, case, spaces, quotes, dashes and outer punctuation no longer matter after `normalise`; nor do the traditional
forms of the Chinese characters that readers know. Words are kept.
"""

from __future__ import annotations

import re
import unicodedata

MAX_CHARACTERS = 200
"""The longest text that a reader takes; a value is said in far less."""

_IDEOGRAPH = re.compile("[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LOOSE_SPACE = re.compile(f" (?={_IDEOGRAPH.pattern})|(?<={_IDEOGRAPH.pattern}) ")
_DIGIT_THEN_FRACTION = re.compile("(?<=[0-9\uff10-\uff19])(?=[¼-¾⅐-⅞])")

_BEFORE_NFKC = str.maketrans({"º": "°", "˚": "°", "´": "'", "\u00ad": None})
_INVISIBLE = dict.fromkeys([*range(0x200B, 0x2010), 0x2060, 0xFEFF])
_AFTER_NFKC = (
    str.maketrans("‘’‛“”„‐‑‒–—―−⁄〜", "'''\"\"\"-------/~")
    | _INVISIBLE
    | str.maketrans(
        "兩萬億負點個塊錢鐘鍾時後內週禮號這開關閉攝華氏貳參陸倆們條毛幾雙歲頭頓顆張隻週對錯沒別還與晝點鎊歐韓馬盧銀"
        "釐碼裡裏環遠遲過來從為會係噸絲電聲視燈間臺願啟動請謝聽嗎麼",
        "两万亿负点个块钱钟钟时后内周礼号这开关闭摄华氏贰叁陆俩们条毛几双岁头顿颗张只周对错没别还与昼点镑欧韩马卢银"
        "厘码里里环远迟过来从为会系吨丝电声视灯间台愿启动请谢听吗么",
    )
)
_OUTER = " \"'`.,;:!?()[]{}<>*_|-…。，、！？；：「」『』《》〈〉【】·"


def normalise(text: str) -> str:
    """Return `text` in NFKC, casefolded, with single spaces and without outer punctuation.

    Spaces beside Chinese characters go; a sign before the first word and a decimal point before a first digit stay;
    "5 p.m." loses its last point. "2½" is "2 1/2". The result is empty where nothing but punctuation was said.
    """
    if text.isascii():
        return _without_outer(" ".join(text.lower().split()))
    text = _DIGIT_THEN_FRACTION.sub(" ", text.translate(_BEFORE_NFKC))
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).translate(_AFTER_NFKC)
    return _without_outer(_LOOSE_SPACE.sub("", " ".join(text.split())))


def is_chinese(text: str) -> bool:
    """Say whether `text` holds a Chinese character."""
    return not text.isascii() and _IDEOGRAPH.search(text) is not None


def _without_outer(text: str) -> str:
    """Strip punctuation and spaces from both ends, but keep the sign and the point of "-5", "-$5" and ".5"."""
    inner = text.lstrip(_OUTER)
    head = text[: len(text) - len(inner)]
    inner = inner.rstrip(_OUTER + "~")
    if not inner or not head:
        return inner
    digit = inner[0].isdigit()
    if digit and head.endswith(".") and not head.endswith(".."):
        inner, head = "." + inner, head[:-1]
    if head.endswith("- ") and digit:
        head = head[:-1]
    attached = head.endswith("-") and not head.endswith("--")
    return "-" + inner if attached and (inner[0].isalnum() or inner[0] in ".$€£¥") else inner
