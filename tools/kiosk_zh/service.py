"""The language of the screen, and help by a person."""

from typing import Annotated, Literal

from edgefn.tools.kiosk.screen import screen
from edgefn.tools.kiosk.staff import calls

from edgefn.arguments.marks import Among
from edgefn.tool import tool

# The screen's own name of a language first, then what else visitors call it.
LANGUAGES = {
    "中文": ("Chinese", "汉语", "普通话", "简体中文", "国语"),
    "英语": ("English", "英文"),
    "德语": ("German", "德文"),
    "法语": ("French", "法文"),
    "西班牙语": ("Spanish", "西班牙文", "西语"),
    "意大利语": ("Italian", "意大利文"),
    "葡萄牙语": ("Portuguese", "葡语"),
    "俄语": ("Russian", "俄文"),
    "阿拉伯语": ("Arabic", "阿拉伯文"),
    "日语": ("Japanese", "日文", "日本话"),
    "韩语": ("Korean", "韩文", "韩国话"),
    "越南语": ("Vietnamese", "越南话"),
    "泰语": ("Thai", "泰文"),
}
# Why somebody comes, as staff read it.
REASONS = {"咨询": "question", "急救": "first aid", "轮椅": "wheelchair", "保安": "security", "走失": "missing person"}
Reason = Literal["咨询", "急救", "轮椅", "保安", "走失"]
COMING: dict[str, str] = {
    "咨询": "工作人员马上就来。",
    "急救": "急救人员马上就到，请陪在他身边。有生命危险请拨打112。",
    "轮椅": "工作人员马上把轮椅推过来。",
    "保安": "保安马上就到，请保持距离，留在屏幕旁边。",
    "走失": "工作人员马上来帮您一起找，请留在屏幕旁边。",
}


@tool(idempotent=True)
def change_language(language: Annotated[str, Among(LANGUAGES)] | None = None) -> str:
    """把屏幕换成另一种语言。

    Args:
        language: 要换成什么语言；不说就列出所有语言。
    """
    if language is None:
        return f"请选择语言：{'、'.join(LANGUAGES)}。"
    screen.language = LANGUAGES[language][0]
    return f"已换成{language}。"


@tool(idempotent=True)
def call_staff(reason: Reason = "咨询") -> str:
    """叫工作人员过来帮忙。

    Args:
        reason: 需要什么帮助。
    """
    calls.add(REASONS[reason])
    return COMING[reason]
