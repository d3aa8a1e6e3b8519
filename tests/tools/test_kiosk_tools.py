"""What the kiosks' functions answer."""

import importlib
import json
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import Any

import pytest

from edgefn.errors import ArgumentError
from edgefn.tool import Hints, Tool

WEDNESDAY = datetime(2026, 11, 18, 10, 30)


def module(name: str) -> ModuleType:
    return importlib.import_module(f"edgefn.tools.{name}")


# As a visitor waits for it; in the tests the printer takes no time.
SHEET_SECONDS = module("kiosk.places").SHEET_SECONDS


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("kiosk.places", "kiosk.travel", "kiosk.tours", "kiosk_zh.places", "kiosk_zh.travel"):
        monkeypatch.setattr(module(name), "now", lambda: WEDNESDAY)
    monkeypatch.setattr(module("kiosk.places"), "SHEET_SECONDS", 0)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    module("kiosk.tours").reminders.clear()
    module("kiosk.places").print_queue.clear()
    module("kiosk.staff").calls.clear()
    module("kiosk.device").restarts.clear()
    module("kiosk_zh.device").restarts.clear()
    module("kiosk.screen").start_over()


def call(where: str, tool: str, **said: Any) -> Any:
    """Call as the dispatcher does: JSON values, checked against the schema."""
    function = getattr(module(where), tool)
    return function(**Tool.from_function(function).bind(said))


# ---- places and hours


def test_a_place_is_where_it_is() -> None:
    assert call("kiosk.places", "find_place", place="Toilets") == "Toilets: on every floor, next to the lifts."


def test_without_a_place_every_floor_is_named() -> None:
    answer = call("kiosk.places", "find_place")
    assert all(floor in answer for floor in ("Ground floor", "First floor", "Second floor"))


@pytest.mark.parametrize(
    ("place", "day", "answer"),
    [
        ("Library", "today", "Library: open today from 13:00 to 17:00."),
        ("Library", "tomorrow", "Library: open tomorrow from 13:00 to 20:00."),
        ("Library", "saturday", "Library: closed Saturday."),
        ("Museum", "holiday", "Museum: open on public holidays from 12:00 to 17:00."),
    ],
)
def test_hours_of_a_day(place: str, day: str, answer: str) -> None:
    assert call("kiosk.places", "opening_hours", place=place, day=day) == answer


def test_hours_cover_a_week_everywhere() -> None:
    for name, hours in module("kiosk.places").HOURS.items():
        assert len(hours.week) == 7, name


def test_the_default_place_has_hours() -> None:
    assert call("kiosk.places", "opening_hours").startswith("Museum: open today")


# ---- the paper map


@pytest.mark.parametrize(
    ("copies", "answer"),
    [
        (1, "Printing 1 map of the ground floor. Please take them below the screen."),
        (3, "Printing 3 maps of the ground floor. Please take them below the screen."),
        (-2, "Printing 1 map of the ground floor. Please take them below the screen."),
        (400, "Printing 5 maps of the ground floor. Please take them below the screen."),
    ],
)
def test_maps_are_printed_five_at_most(copies: int, answer: str) -> None:
    assert call("kiosk.places", "print_map", copies=copies, floor="ground") == answer
    assert module("kiosk.places").print_queue == ["the ground floor"] * int(answer.split()[1])


def test_every_sheet_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module("kiosk.places"), "SHEET_SECONDS", 0.02)
    before = monotonic()
    call("kiosk.places", "print_map", copies=3)
    assert monotonic() - before >= 3 * 0.02


def test_the_time_limit_lies_between_one_map_and_five() -> None:
    places = module("kiosk.places")
    path = Path(places.__file__ or "").with_name("policy.json")
    limit = json.loads(path.read_text(encoding="utf-8"))["rules"]["print_map"]["timeout"]
    assert SHEET_SECONDS < limit < places.MAX_COPIES * SHEET_SECONDS


def test_the_printer_is_outside_the_kiosk() -> None:
    assert Tool.from_function(module("kiosk.places").print_map).hints == Hints(open_world=True)


# ---- travel


def test_departures_to_a_stop_say_that_stop() -> None:
    answer = call("kiosk.travel", "next_departure", destination="Old Town", after="15:00")
    assert answer.startswith("15:02 Tram 4 to Old Town, stop A; 15:12")


def test_no_line_of_that_kind_goes_there() -> None:
    answer = call("kiosk.travel", "next_departure", destination="Zoo", transport="ferry")
    assert answer == "No direct ferry to Zoo. Please ask at the information desk."


def test_after_the_last_departure_comes_the_first_of_the_next_day() -> None:
    answer = call("kiosk.travel", "next_departure", transport="ferry", after="23:00")
    assert answer.startswith("08:15 Ferry F2")


def test_other_names_are_of_stops_that_exist() -> None:
    travel = module("kiosk.travel")
    assert set(travel.ALSO) <= set(travel.stops())


# ---- tickets, tours, reminders


@pytest.mark.parametrize("count", [0, 21])
def test_too_few_or_too_many_tickets_are_refused(count: int) -> None:
    for where in ("kiosk.tickets", "kiosk_zh.tickets"):
        with pytest.raises(ArgumentError):
            call(where, "buy_ticket", count=count)


def test_the_next_tour_is_booked_when_no_time_is_said() -> None:
    answer = call("kiosk.tours", "book_tour", tour="Whale tour", people=4)
    assert answer == "Whale tour, 12:00: 4 places booked. The guide waits at the information desk."


def test_after_the_last_tour_the_first_one_is_booked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module("kiosk.tours"), "now", lambda: WEDNESDAY.replace(hour=22))
    assert call("kiosk.tours", "book_tour", tour="Ship tour").startswith("Ship tour, 10:30: 1 place booked")


def test_a_tour_at_another_time_is_not_booked() -> None:
    assert call("kiosk.tours", "book_tour", tour="Night tour", at="12:00") == "The Night tour starts at 20:00."


def test_a_tour_has_to_be_named_and_has_room_for_twelve() -> None:
    for said in ({}, {"tour": "Whale tour", "people": 13}):
        with pytest.raises(ArgumentError):
            call("kiosk.tours", "book_tour", **said)


def test_a_reminder_is_due_after_the_delay() -> None:
    answer = call("kiosk.tours", "remind_me", after="PT20M", about="car")
    assert answer == "Please take a pager. It rings at 10:50: car."
    (reminder,) = module("kiosk.tours").reminders
    assert reminder.due == WEDNESDAY + timedelta(minutes=20)


def test_a_reminder_needs_its_delay() -> None:
    for where in ("kiosk.tours", "kiosk_zh.travel"):
        with pytest.raises(ArgumentError) as caught:
            call(where, "remind_me", about="car")
        assert caught.value.parameter == "after"


def test_tours_start_in_the_opening_hours_but_the_night_tour() -> None:
    for name, tour in module("kiosk.tours").TOURS.items():
        assert tour.starts == tuple(sorted(tour.starts)), name
        assert name == "Night tour" or all(time(10) <= start < time(18) for start in tour.starts)


# ---- screen


def test_every_language_can_be_shown() -> None:
    screen = module("kiosk.screen")
    for name, (shown, *_) in screen.LANGUAGES.items():
        assert call("kiosk.screen", "change_language", language=name) == f"Language: {shown}."
        assert screen.screen.language == name


# ---- the computer


def test_the_kiosk_restarts_when_it_is_told_to() -> None:
    assert call("kiosk.device", "restart_kiosk") == "The kiosk restarts now."
    assert call("kiosk.device", "restart_kiosk", when="tonight") == "The kiosk restarts tonight at three."
    assert module("kiosk.device").restarts == ["now", "tonight"]


def test_the_chinese_kiosk_restarts_itself_alone() -> None:
    assert call("kiosk_zh.device", "restart_kiosk") == "这台机器现在重启。"
    assert call("kiosk_zh.device", "restart_kiosk", when="今晚") == "这台机器今天夜里三点重启。"
    assert module("kiosk_zh.device").restarts == ["现在", "今晚"]
    assert module("kiosk.device").restarts == []


@pytest.mark.parametrize(("where", "when"), [("kiosk.device", "tomorrow"), ("kiosk_zh.device", "now")])
def test_a_restart_at_another_time_is_refused(where: str, when: str) -> None:
    with pytest.raises(ArgumentError):
        call(where, "restart_kiosk", when=when)
    assert module(where).restarts == []


@pytest.mark.parametrize("where", ["kiosk.device", "kiosk_zh.device"])
def test_a_restart_is_destructive(where: str) -> None:
    assert Tool.from_function(module(where).restart_kiosk).hints == Hints(destructive=True)


# ---- Chinese


def test_the_chinese_kiosk_says_the_same_hours() -> None:
    places = module("kiosk_zh.places")
    assert call("kiosk_zh.places", "opening_hours", place="图书室") == "图书室今天开放时间：13点到17点。"
    assert call("kiosk_zh.places", "opening_hours", place="图书室", day="周六") == "图书室周六不开放。"
    assert {hours.english for hours in places.HOURS.values()} <= set(module("kiosk.places").HOURS)


def test_the_chinese_kiosk_knows_the_same_prices_and_stops() -> None:
    tickets, travel = module("kiosk_zh.tickets"), module("kiosk_zh.travel")
    assert set(tickets.VISITORS.values()) == set(module("kiosk.tickets").PRICES)
    assert {stop.english for stop in travel.STOPS.values()} <= set(module("kiosk.travel").stops())
    assert call("kiosk_zh.tickets", "ticket_prices", visitor="儿童") == "儿童票免费。"
    assert call("kiosk_zh.tickets", "buy_ticket", count=3, visitor="学生") == "3张学生票，一共21.00欧元。请刷卡。"


def test_the_chinese_kiosk_finds_departures() -> None:
    answer = call("kiosk_zh.travel", "next_departure", destination="海豹岛", transport="轮渡", after="15:00")
    assert answer.startswith("15:15 F2轮渡去海豹岛")
    answer = call("kiosk_zh.travel", "next_departure", destination="海豹岛", transport="火车")
    assert answer == "没有直达海豹岛的火车，请到服务台咨询。"


def test_the_chinese_kiosk_reminds_and_calls_as_the_other_one() -> None:
    assert call("kiosk_zh.travel", "remind_me", after="PT30M", about="挪车") == "请拿好呼叫器，11:00响：挪车。"
    assert [each.about for each in module("kiosk.tours").reminders] == ["挪车"]
    call("kiosk_zh.service", "call_staff", reason="轮椅")
    assert module("kiosk.staff").calls == {"wheelchair"}
    assert call("kiosk_zh.service", "change_language", language="日语") == "已换成日语。"
    assert module("kiosk.screen").screen.language == "Japanese"


def test_questions_are_asked_in_the_language_of_the_kiosk() -> None:
    english = Tool.from_function(module("kiosk.tours").remind_me).question_for("after")
    chinese = Tool.from_function(module("kiosk_zh.travel").remind_me).question_for("after")
    assert english == "How long until the reminder?"
    assert chinese == "过多久提醒您？"
