"""Tickets for the museum: what they cost, and buying them."""

from typing import Annotated, Literal

from edgefn.tools.kiosk.tickets import MAX_TICKETS, PRICES

from edgefn.arguments.marks import Synonyms
from edgefn.schema import Range
from edgefn.tool import tool

# What a visitor is called, and in the table of prices.
VISITORS = {"成人": "adult", "儿童": "child", "学生": "student", "老人": "senior", "家庭": "family"}
# What visitors say for themselves beside the name of the ticket.
SAID = {
    "成人": ("大人", "成年人"),
    "儿童": ("小孩", "小孩子", "孩子", "小朋友", "宝宝", "娃"),
    "学生": ("大学生", "中学生", "小学生", "研究生"),
    "老人": ("老年人", "老人家", "退休", "退休的"),
    "家庭": ("一家人", "全家", "亲子", "一家三口", "一家四口"),
}
Visitor = Literal["成人", "儿童", "学生", "老人", "家庭"]


@tool(read_only=True, idempotent=True)
def ticket_prices(visitor: Annotated[Visitor, Synonyms(SAID)] | None = None) -> str:
    """告诉游客门票多少钱，谁可以优惠。

    Args:
        visitor: 哪种票；不说就介绍全部票价。
    """
    shown = VISITORS if visitor is None else (visitor,)
    return "，".join(f"{name}票{_price(name)}" for name in shown) + "。"


@tool
def buy_ticket(
    count: Annotated[int, Range(ge=1, le=MAX_TICKETS)] = 1, visitor: Annotated[Visitor, Synonyms(SAID)] = "成人"
) -> str:
    """卖博物馆门票：显示总价，请游客刷卡。

    Args:
        count: 要几张票。
        visitor: 哪种票。
    """
    total = PRICES[VISITORS[visitor]] * count
    if not total:
        return f"{count}张{visitor}票，免费。正在出票。"
    return f"{count}张{visitor}票，一共{total}欧元。请刷卡。"


def _price(visitor: str) -> str:
    price = PRICES[VISITORS[visitor]]
    return f"{price}欧元" if price else "免费"
