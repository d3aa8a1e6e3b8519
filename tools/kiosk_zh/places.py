"""Where things are in the museum, and when they are open."""

from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from edgefn.tools.kiosk.places import hours_on

from edgefn.arguments.marks import Among, Synonyms
from edgefn.tool import tool

# Each day, and as the table of opening hours knows it.
DAYS = {
    "今天": "today",
    "明天": "tomorrow",
    "周一": "monday",
    "周二": "tuesday",
    "周三": "wednesday",
    "周四": "thursday",
    "周五": "friday",
    "周六": "saturday",
    "周日": "sunday",
    "节假日": "holiday",
}
# What visitors say for a day beside its name.
SAID = {
    "今天": ("今日", "今儿", "今晚", "今天晚上", "今天下午", "现在"),
    "明天": ("明儿", "明早", "明天早上", "明天下午"),
    "节假日": ("假期", "国庆", "国庆节", "春节", "元旦", "圣诞节", "法定假日"),
    "周日": ("周天", "星期日", "星期天", "礼拜日", "礼拜天"),
} | {f"周{day}": (f"星期{day}", f"礼拜{day}") for day in "一二三四五六"}
Day = Literal["今天", "明天", "周一", "周二", "周三", "周四", "周五", "周六", "周日", "节假日"]


class Place(NamedTuple):
    """Something that visitors look for."""

    where: str
    """The way to it, as the screen shows it."""
    also: tuple[str, ...] = ()
    """What visitors call it beside its name."""


PLACES = {
    "洗手间": Place("每层楼电梯旁边", ("厕所", "卫生间", "公厕", "男厕", "女厕")),
    "母婴室": Place("一楼存包处后面", ("哺乳室", "育婴室")),
    "咖啡厅": Place("二楼画廊尽头", ("咖啡馆", "咖啡店", "餐厅", "食堂")),
    "纪念品商店": Place("一楼入口左边", ("商店", "礼品店", "小卖部", "书店", "文创店")),
    "售票处": Place("一楼正对入口", ("售票窗口", "票务中心", "买票的地方")),
    "服务台": Place("一楼大厅中间", ("咨询台", "问讯处", "前台")),
    "存包处": Place("一楼入口右边", ("寄存处", "储物柜", "衣帽间", "寄存柜")),
    "电梯": Place("每层楼两头", ("直梯", "升降梯")),
    "楼梯": Place("大厅中间", ("步梯",)),
    "出口": Place("一楼，朝港口方向", ("大门", "正门", "门口", "入口")),
    "医务室": Place("一楼服务台后面", ("急救室", "医务站")),
    "图书室": Place("三楼十四号房", ("阅览室", "图书馆")),
    "船舶厅": Place("一楼直走", ("轮船馆", "船模", "船模展厅")),
    "画廊": Place("二楼五到九号厅", ("油画厅", "绘画馆", "美术馆", "油画")),
    "鲸鱼骨架": Place("三楼十号厅", ("鲸鱼", "鲸鱼馆", "鲸鱼标本")),
    "水族馆": Place("一楼楼梯下面", ("海洋馆", "鱼缸")),
    "瓷器馆": Place("二楼三号厅", ("瓷器", "瓷器展")),
    "儿童乐园": Place("二楼四号厅", ("游乐区", "儿童区", "手工坊")),
    "报告厅": Place("一楼楼梯右边", ("演讲厅", "放映厅", "影院")),
    "观景台": Place("三楼，穿过十一号厅", ("天台", "露台", "屋顶平台")),
    "饮水机": Place("一楼和三楼洗手间旁边", ("开水间", "饮水处", "直饮水")),
    "取款机": Place("一楼纪念品商店里", ("自动取款机", "提款机", "ATM")),
    "充电处": Place("二楼咖啡厅里", ("充电桩", "充电宝", "充电站", "插座")),
    "休息区": Place("每个展厅里和楼梯旁边", ("长椅", "椅子", "座位")),
    "吸烟区": Place("正门外左边", ("吸烟室", "抽烟的地方")),
    "码头": Place("港口边，出门走两分钟", ("轮渡码头", "渡口")),
    "车站": Place("正门对面广场", ("公交站", "电车站", "火车站")),
    "停车场": Place("楼后面，靠东门", ("车库", "地下车库", "停车的地方")),
}


class Hours(NamedTuple):
    """A part of the museum that has opening hours."""

    english: str
    """Its name in the table of opening hours."""
    also: tuple[str, ...] = ()
    """What visitors call it beside its name."""


HOURS = {
    "博物馆": Hours("Museum", ("馆里", "展馆", "展览", "你们馆")),
    "咖啡厅": Hours("Café", ("咖啡馆", "咖啡店", "餐厅")),
    "纪念品商店": Hours("Museum shop", ("商店", "礼品店", "文创店")),
    "图书室": Hours("Library", ("阅览室", "图书馆")),
    "画廊": Hours("Painting gallery", ("油画厅", "绘画馆")),
    "水族馆": Hours("Aquarium", ("海洋馆",)),
    "儿童乐园": Hours("Children's workshop", ("游乐区", "儿童区", "手工坊")),
    "观景台": Hours("Roof terrace", ("天台", "露台")),
    "售票处": Hours("Ticket desk", ("售票窗口", "票务中心")),
    "服务台": Hours("Information desk", ("咨询台", "前台")),
    "存包处": Hours("Cloakroom", ("寄存处", "衣帽间")),
    "停车场": Hours("Car park", ("车库", "地下车库")),
}


def now() -> datetime:
    """The clock on the wall of the museum; tests put another one here."""
    return datetime.now()


@tool(read_only=True, idempotent=True)
def find_place(place: Annotated[str, Among({name: each.also for name, each in PLACES.items()})] | None = None) -> str:
    """告诉游客馆里的展厅和设施在哪里，怎么走。

    Args:
        place: 游客要找的地方；不说就介绍全馆。
    """
    if place is None:
        return "一楼：商店、存包处、船舶厅、水族馆。二楼：画廊、咖啡厅、儿童乐园。三楼：鲸鱼骨架、图书室、观景台。"
    return f"{place}：{PLACES[place].where}。"


@tool(read_only=True, idempotent=True)
def opening_hours(
    place: Annotated[str, Among({name: each.also for name, each in HOURS.items()})] = "博物馆",
    day: Annotated[Day, Synonyms(SAID)] = "今天",
) -> str:
    """告诉游客博物馆或者馆里某个地方几点开门、几点关门。

    Args:
        place: 馆里的哪个地方。
        day: 哪一天。
    """
    hours = hours_on(HOURS[place].english, DAYS[day], now())
    if hours is None:
        return f"{place}{day}不开放。"
    return f"{place}{day}开放时间：{hours[0]}点到{hours[1]}点。"
