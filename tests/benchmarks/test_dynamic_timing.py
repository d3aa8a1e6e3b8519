"""What added tools cost, measured: one order for all sizes, every size asked the same, memory read early and late."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from edgefn.errors import ToolDefinitionError
from edgefn.outcome import Abstained, Ranked, ToolCall
from edgefn.tool import Tool

ROOT = Path(__file__).parents[2]
AREA = {
    "name": "area",
    "description": "Area of a triangle.",
    "parameters": {"type": "object", "properties": {"base": {"type": "integer"}}, "required": ["base"]},
}


class Device:
    """Takes tools, but none named `bad`, and calls the one that is named."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def add(self, tool: Tool) -> None:
        if tool.name == "bad":
            raise ToolDefinitionError("bad: no", hint="")
        self.names.append(tool.name)

    def remove(self, name: str) -> None:
        self.names.remove(name)

    def predict(self, text: str) -> ToolCall:
        return ToolCall(next(name for name in self.names if name in text), {}, 0.9)


@pytest.fixture(scope="module")
def bench(load_benchmark: Callable[[str], ModuleType]) -> Callable[[str], ModuleType]:
    return load_benchmark


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for folder, file, names in (
        ("bfcl", "multiple", ["f3", "later", "查询"]),
        ("bfcl", "simple_python", [f"f{at}" for at in range(12)] + ["f5"]),
        ("acebench", "zh_special_irrelevant", ["query", "later"]),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        rows = [
            {"id": name, "query": f"ask {name} of {file}", "functions": [AREA | {"name": name}], "answers": []}
            for name in names
        ]
        rows += [{"id": "long", "query": "so " * 30, "functions": [AREA | {"name": "f0"}], "answers": []}]
        rows += [
            {"id": "x", "query": "no", "functions": [AREA | {"name": "f1", "description": "another"}], "answers": []}
        ]
        text = "\n".join(json.dumps(row) for row in rows)
        (tmp_path / folder / f"{file}.jsonl").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_pool_asks_one_query_a_tool_and_has_every_other_function_once(
    bench: Callable[[str], ModuleType], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timing = bench("dynamic_timing")
    monkeypatch.setattr(timing, "UTTERANCES", 9)
    pool = timing.pool_of(data)
    asked, others = [tool.name for _, tool in pool.asked], [tool.name for tool in pool.others]
    assert len(set(asked)) == 9
    assert set(asked) <= {f"f{at}" for at in range(12)}
    assert all(len(query.split()) <= timing.SHORT for query, _ in pool.asked)
    assert len(asked + others) == len(set(asked + others)) == 12 + 3
    assert pool == timing.pool_of(data)
    assert pool != timing.pool_of(data, seed=1)


def test_the_first_tools_that_are_accepted_are_added(bench: Callable[[str], ModuleType]) -> None:
    timing, device = bench("dynamic_timing"), Device()
    tools = [Tool.select_only(name, "", {"type": "object"}) for name in ("one", "bad", "two", "three")]
    assert timing.add_up_to(device, tools, 2) == [tools[0], tools[2]]
    assert device.names == ["one", "two"]


def test_every_size_is_asked_every_query_with_its_own_tool_there(bench: Callable[[str], ModuleType]) -> None:
    timing = bench("dynamic_timing")
    tools = [Tool.select_only(name, "", {"type": "object"}) for name in ("one", "two", "three")]
    devices = {2: Device(), 3: Device()}
    for size, device in devices.items():
        device.names = ["x", "y"][: size - 1]
    seconds, calls = timing.in_turn(devices, [(f"do {tool.name}", tool) for tool in tools], 2)
    assert {size: len(each) for size, each in seconds.items()} == {2: 6, 3: 6}
    for size in devices:
        assert [call.tool for call in calls[size]] == ["one", "two", "three"]
        assert timing.numbers(3.0, 2.0, calls[size], ["one", "two", "two"]) == {
            "predict_ms": 3.0, "over_ten": 1.5, "accuracy": 0.6667, "accepted_right": 0.6667,
        }  # fmt: skip
    assert [device.names for device in devices.values()] == [["x"], ["x", "y"]]


def test_the_best_tool_counts_where_a_call_was_not_accepted(bench: Callable[[str], ModuleType]) -> None:
    timing = bench("dynamic_timing")
    unsure = Abstained("unsure", None, 0.2, (Ranked("one", 0.2),))
    assert [timing.best(call) for call in (ToolCall("area", {}, 0.9), unsure, Abstained("too_long"))] == [
        "area",
        "one",
        None,
    ]
    found = timing.numbers(1.0, 1.0, [unsure], ["one"])
    assert (found["accuracy"], found["accepted_right"]) == (1.0, 0.0)


def test_memory_is_read_early_and_late_and_nothing_stays(bench: Callable[[str], ModuleType]) -> None:
    timing, device = bench("dynamic_timing"), Device()
    tools = [Tool.select_only(name, "", {"type": "object"}) for name in ("one", "bad", "three")]
    found = timing.memory(device, tools, 20)
    assert {"resident_mb_after_2", "resident_mb_after_20", "growth_mb"} < set(found)
    assert found["refused"] == 7
    assert device.names == []
    assert timing.resident_bytes() > 1e6


def test_the_picture_is_drawn(bench: Callable[[str], ModuleType], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    bench("dynamic_timing").draw({10: 1.5, 100: 1.6}, tmp_path / "scaling.png")
    assert (tmp_path / "scaling.png").read_bytes().startswith(b"\x89PNG")


def test_the_table_has_a_line_for_every_size(bench: Callable[[str], ModuleType]) -> None:
    sizes = {"10": {"predict_ms": 1.0, "over_ten": 1.0}, "30": {"predict_ms": 1.2, "over_ten": 1.2}}
    assert bench("dynamic_timing").table(sizes).splitlines()[2:] == [
        "| tools | predict_ms | over_ten |",
        "|---|---|---|",
        "| 10 | 1.0 | 1.0 |",
        "| 30 | 1.2 | 1.2 |",
    ]
