"""Departures from the station in front of the museum, and reminders for visitors whose time is short."""

from datetime import datetime, time, timedelta
from typing import Annotated, Literal, NamedTuple

from edgefn.tools.kiosk.tours import Reminder, reminders
from edgefn.tools.kiosk.travel import next_departures

from edgefn.arguments.marks import Among, Synonyms
from edgefn.tool import tool

# What a vehicle is called, and in the timetable.
VEHICLES = {"公交": "bus", "电车": "tram", "火车": "train", "轮渡": "ferry"}
Transport = Literal["公交", "电车", "火车", "轮渡"]
# What visitors say for a vehicle beside its name.
SAID = {
    "公交": ("公交车", "巴士", "大巴"),
    "电车": ("有轨电车",),
    "火车": ("列车",),
    "轮渡": ("渡轮", "渡船", "船", "摆渡船"),
}
NAMES = {english: name for name, english in VEHICLES.items()}


class Stop(NamedTuple):
    """A stop of the timetable."""

    english: str
    """Its name in the timetable."""
    also: tuple[str, ...] = ()
    """What visitors call it beside its name."""


STOPS = {
    "市政厅": Stop("Town Hall", ("市政府",)),
    "老城": Stop("Old Town", ("老城区", "古城")),
    "中央车站": Stop("Central Station", ("火车总站", "中央火车站", "总站")),
    "集市广场": Stop("Market Square", ("市中心", "集市")),
    "大学": Stop("University", ("大学城",)),
    "动物园": Stop("Zoo"),
    "大教堂": Stop("Cathedral", ("教堂",)),
    "市医院": Stop("City Hospital", ("医院",)),
    "体育场": Stop("Stadium", ("体育馆", "球场")),
    "歌剧院": Stop("Opera", ("剧院",)),
    "会展中心": Stop("Trade Fair", ("展览中心",)),
    "机场": Stop("Airport", ("飞机场",)),
    "湖边": Stop("Lakeside", ("湖区",)),
    "城堡山": Stop("Castle Hill", ("城堡",)),
    "布莱顿": Stop("Brighton"),
    "海滩": Stop("Beach", ("海边", "沙滩")),
    "海豹岛": Stop("Seal Island"),
    "灯塔": Stop("Lighthouse"),
}


def now() -> datetime:
    """The clock of the kiosk; tests put another one here."""
    return datetime.now()


@tool(read_only=True, idempotent=True)
def next_departure(
    destination: Annotated[str, Among({name: each.also for name, each in STOPS.items()})] | None = None,
    transport: Annotated[Transport, Synonyms(SAID)] | None = None,
    after: time | None = None,
) -> str:
    """查博物馆门口下一班公交、电车、火车或者轮渡。

    Args:
        destination: 要去的地方；不说就是所有方向。
        transport: 坐什么车；不说就是所有车。
        after: 最早几点出发；不说就从现在算起。
    """
    stop = None if destination is None else STOPS[destination].english
    departures = next_departures(stop, VEHICLES.get(transport or ""), after)
    if not departures:
        return f"没有直达{destination}的{transport}，请到服务台咨询。"
    towards = f"去{destination}" if destination else ""
    return "；".join(
        f"{leaves:%H:%M} {line.number.split()[1]}{NAMES[line.transport]}{towards}" for leaves, line in departures
    )


@tool
def remind_me(after: timedelta, about: str = "时间到了") -> str:
    """过一段时间提醒游客，比如停车快到时间了，或者朋友在等。

    Args:
        after: 过多久提醒您？
        about: 提醒您什么事。
    """
    reminder = Reminder(now() + after, about)
    reminders.append(reminder)
    return f"请拿好呼叫器，{reminder.due:%H:%M}响：{about}。"
