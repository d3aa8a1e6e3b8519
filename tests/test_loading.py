"""A bundle and the tools of a device are bound loudly: what differs is an error or a warning, never silence."""

from __future__ import annotations

import dataclasses
import warnings
from datetime import datetime
from typing import Annotated

import pytest
import tiny

import edgefn
from edgefn import Abstained, Done, NeedsArgument, Registry, ToolCall, ToolsWarning, tool
from edgefn.errors import (
    BundleCorrupt,
    BundleError,
    BundleMismatch,
    BundleNotFound,
    DuplicateTool,
    EngineError,
    PolicyError,
    ProviderUnavailable,
    ToolDefinitionError,
    ToolsNotFound,
)
from edgefn.loading import bind
from edgefn.schema import Range


@tool(name="set_timer")
def timer_with_seconds(seconds: int) -> None:
    """Start a countdown timer.

    Args:
        seconds: how many seconds until it rings.
    """


@tool(name="set_timer")
def timer_described_anew(minutes: Annotated[int, Range(ge=1)], label: str = "tea", loud: bool = True) -> str:
    """Begin to count down.

    Args:
        minutes: the length.
        label: its name.
        loud: how it rings.
    """
    return f"{label}: {minutes}"


@tool
def water_plants() -> str:
    """Water the plants."""
    return "watered"


def strictly(path, tools=None, **options):
    """Load with every warning an error, as pytest is set."""
    return edgefn.load(path, tools, threads=1, **options)


# Tools in every form


def test_functions_registry_file_folder_and_tools(bundle, tmp_path):
    file = tiny.tools_file(tmp_path)
    functions, _ = tiny.functions()
    tools = [edgefn.Tool.from_function(function) for function in functions]
    for given in (functions, iter(functions), Registry(functions), tools, str(file), file, Registry.load(file)):
        dispatcher = strictly(bundle, given)
        assert dispatcher.registry.names == tiny.TOOLS
        assert isinstance(dispatcher("lamp on"), Done)


def test_no_tools_bind_nothing(bundle):
    dispatcher = strictly(bundle)
    assert dispatcher.registry.names == tiny.TOOLS
    assert all(each.function is None for each in dispatcher.registry)
    assert isinstance(dispatcher.predict("lamp on"), ToolCall)
    assert dispatcher("lamp on").reason == "select_only"
    assert dispatcher("set a timer").reason == "select_only"


def test_one_of_the_tools(bundle):
    functions, ran = tiny.functions()
    dispatcher = strictly(bundle, functions[:1])
    assert dispatcher("lamp off") == dispatcher.predict("lamp off")
    assert dispatcher("lamp off").reason == "not_registered"
    assert not ran


def test_the_given_registry_is_not_changed(bundle):
    registry = Registry([timer_with_seconds])
    dispatcher = strictly(bundle, registry, on_mismatch="select_only")
    assert registry["set_timer"].function is timer_with_seconds
    assert dispatcher.registry["set_timer"].function is None


def test_tools_that_cannot_be_loaded(bundle, tmp_path):
    with pytest.raises(ToolsNotFound) as caught:
        strictly(bundle, tmp_path / "nowhere")
    assert caught.value.hint
    with pytest.raises(DuplicateTool):
        strictly(bundle, [water_plants, water_plants])
    with pytest.raises(ToolDefinitionError):
        strictly(bundle, [lambda: None])


def test_broken_files_stay_known(bundle, tmp_path):
    folder = tmp_path / "tools"
    folder.mkdir()
    tiny.tools_file(folder)
    (folder / "broken.py").write_text("1 / 0\n")
    dispatcher = strictly(bundle, folder)
    (broken,) = dispatcher.registry.broken
    assert "ZeroDivisionError" in broken.error
    assert dispatcher("lamp on").value == "on"


# What differs


def test_changed_description_warns_and_runs(bundle):
    with pytest.warns(ToolsWarning, match="set_timer: its description changed") as caught:
        dispatcher = edgefn.load(bundle, [timer_described_anew], threads=1)
    assert [each.filename for each in caught] == [__file__]
    outcome = dispatcher("set a timer")
    assert isinstance(outcome, NeedsArgument)
    assert dispatcher.resume(outcome.pending, {"minutes": 3}).value == "tea: 3"


def test_changed_parameters_are_refused(bundle):
    with pytest.raises(BundleMismatch, match="set_timer: its parameters differ") as caught:
        strictly(bundle, [timer_with_seconds])
    assert isinstance(caught.value, BundleError)
    assert 'on_mismatch="select_only"' in caught.value.hint


def test_changed_parameters_may_be_selected_without_running(bundle):
    dispatcher = strictly(bundle, [timer_with_seconds], on_mismatch="select_only")
    outcome = dispatcher("set a timer")
    assert isinstance(outcome, Abstained)
    assert (outcome.reason, outcome.tool) == ("select_only", "set_timer")


def test_a_tool_that_is_not_in_the_bundle_is_added(bundle):
    functions, _ = tiny.functions()
    dispatcher = strictly(bundle, [*functions, water_plants])
    assert dispatcher.registry.names == (*tiny.TOOLS, "water_plants")
    assert dispatcher("plants please").value == "watered"
    assert dispatcher("lamp on").value == "on"


def test_a_bundle_that_takes_no_tools_warns_of_strangers_and_never_selects_them(tmp_path):
    path = tiny.bundle(tmp_path / "closed.bundle", makers=None)
    functions, _ = tiny.functions()
    with pytest.warns(ToolsWarning, match="water_plants: not in the bundle, which takes no added tools") as caught:
        dispatcher = edgefn.load(path, [*functions, water_plants], threads=1)
    assert [each.filename for each in caught] == [__file__]
    assert dispatcher.registry.names == (*tiny.TOOLS, "water_plants")
    assert isinstance(dispatcher("plants please"), Abstained)


def test_a_bundle_that_takes_no_tools_refuses_them_later_too(tmp_path):
    dispatcher = strictly(tiny.bundle(tmp_path / "closed.bundle", makers=None), tiny.functions()[0])
    for change in (lambda: dispatcher.add(water_plants), lambda: dispatcher.correct("plants", "lamp_on")):
        with pytest.raises(ToolDefinitionError, match="accepts no added tools") as refused:
            change()
        assert refused.value.hint
    assert dispatcher.registry.names == tiny.TOOLS


def test_rows_are_kept_where_a_folder_is_given(bundle, tmp_path):
    for _ in range(2):
        dispatcher = strictly(bundle, [water_plants], row_cache=tmp_path / "rows")
        assert dispatcher("plants please").value == "watered"
        assert len(list((tmp_path / "rows").iterdir())) == 1


@pytest.mark.parametrize("cut", [1, 2 * tiny.DIM])
def test_matrices_of_another_size(tmp_path, cut):
    data = tiny.matrices().astype("<f2").tobytes()
    path = tiny.bundle(tmp_path / "odd.bundle", {tiny.MAKERS_FILE: data[:-cut]})
    with pytest.raises(BundleCorrupt, match=r"makers\.f16: \d+ bytes do not hold the matrices") as caught:
        strictly(path)
    assert caught.value.hint


def test_matrices_that_are_missing(tmp_path):
    path = tiny.bundle(tmp_path / "odd.bundle", makers=tiny.makers(file="elsewhere.f16"))
    (path / "elsewhere.f16").unlink()
    with pytest.raises(BundleCorrupt, match=r"elsewhere\.f16"):
        strictly(path)


def test_several_strange_tools_are_one_warning():
    @tool
    def feed_cat() -> None:
        """Feed the cat."""

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        registry, strangers = bind(tiny.manifest(makers=None), [water_plants, feed_cat])
    assert not strangers
    assert registry.names == ("water_plants", "feed_cat")
    assert [str(each.message).split(":")[0] for each in caught] == ["water_plants, feed_cat"]


def test_strangers_are_told_apart_from_tools_that_were_trained():
    functions, _ = tiny.functions()
    registry, strangers = bind(tiny.manifest(), [*functions, water_plants])
    assert registry.names == tiny.TOOLS
    assert [each.name for each in strangers] == ["water_plants"]


def test_hints_and_defaults_are_the_devices_own(bundle):
    functions, _ = tiny.functions()
    dispatcher = strictly(bundle, [tool(destructive=True)(functions[1])], policy=tiny.HERE)
    assert dispatcher("lamp off").question


def test_a_rule_about_nothing_is_told_and_one_about_an_added_tool_is_not(bundle):
    functions, _ = tiny.functions()
    with pytest.warns(ToolsWarning, match="lamp_onn") as caught:
        edgefn.load(bundle, functions, threads=1, policy=edgefn.Policy(deny={"*": ("lamp_onn",)}))
    assert len(caught) == 1
    rules = {"water_plants": edgefn.Rule(timeout=3)}
    dispatcher = strictly(bundle, [*functions, water_plants], policy=edgefn.Policy(rules=rules))
    assert dispatcher.policy.terms(dispatcher.registry["water_plants"]).timeout == 3


def test_a_policy_in_a_file(bundle, tmp_path):
    functions, _ = tiny.functions()
    path = tmp_path / "policy.toml"
    path.write_text('[deny]\n"*" = ["lamp_on"]\n')
    assert strictly(bundle, functions, policy=path)("lamp on").reason == "denied"
    assert strictly(bundle, functions, policy={"deny": {"*": ["lamp_on"]}})("lamp on").reason == "denied"
    for wrong in (5, ["lamp_on"], {"dney": {}}):
        with pytest.raises(PolicyError):
            strictly(bundle, functions, policy=wrong)
    path.write_text("[dney]\n")
    with pytest.raises(PolicyError):
        strictly(bundle, functions, policy=str(path))


# What is wrong with a bundle


def test_no_bundle(tmp_path):
    with pytest.raises(BundleNotFound) as caught:
        strictly(tmp_path / "none.bundle")
    assert caught.value.hint


@pytest.mark.parametrize(
    "graph",
    [b"", b"garbage" * 99, tiny.graph()[:400], tiny.graph(opset=99)],
    ids=["empty", "garbage", "truncated", "opset from the future"],
)
def test_graph_that_is_broken_inside_an_otherwise_valid_bundle(tmp_path, graph):
    path = tiny.bundle(tmp_path / "broken.bundle", {"onnx/model.onnx": graph})
    with pytest.raises(EngineError, match="while loading the graph") as caught:
        strictly(path)
    assert caught.value.exit_code == 6
    assert caught.value.hint


def test_graph_that_wants_more_inputs(tmp_path):
    path = tiny.bundle(tmp_path / "more.bundle", {"onnx/model.onnx": tiny.graph(extra_input=True)})
    with pytest.raises(EngineError, match="while running the graph"):
        strictly(path).predict("lamp on")


def test_tokenizer_that_is_broken_inside_an_otherwise_valid_bundle(tmp_path):
    path = tiny.bundle(tmp_path / "broken.bundle", {"tokenizer.json": b"{}"})
    with pytest.raises(BundleCorrupt, match=r"tokenizer\.json cannot be read") as caught:
        strictly(path)
    assert caught.value.hint


def test_bundle_without_a_tokenizer(tmp_path):
    from edgefn.bundle import write_bundle

    write_bundle(tmp_path / "t.bundle", tiny.manifest(), {"onnx/model.onnx": tiny.graph()})
    with pytest.raises(BundleCorrupt, match=r"tokenizer\.json"):
        strictly(tmp_path / "t.bundle")


def test_damaged_bundle_never_reaches_the_engine(bundle):
    data = bytearray((bundle / "onnx/model.onnx").read_bytes())
    data[100] ^= 1
    (bundle / "onnx/model.onnx").write_bytes(data)
    with pytest.raises(BundleCorrupt, match=r"onnx/model\.onnx"):
        strictly(bundle)


def test_the_engine_runs_the_bytes_that_were_verified(bundle):
    dispatcher = strictly(bundle)
    (bundle / "onnx/model.onnx").unlink()
    assert isinstance(dispatcher.predict("lamp on"), ToolCall)


# Engine and selftest


def test_provider_and_threads(bundle):
    assert strictly(bundle).encoder.threads == 1
    assert edgefn.load(bundle, threads=2).encoder.threads == 2
    with pytest.raises(ProviderUnavailable) as caught:
        strictly(bundle, provider="coreml")
    assert caught.value.exit_code == 6


def test_selftest(bundle, tmp_path):
    assert isinstance(strictly(bundle, selftest=True).predict("lamp on"), ToolCall)
    swapped = tiny.selftest().replace(b'"tool": "lamp_on"', b'"tool": "lamp_off"')
    path = tiny.bundle(tmp_path / "flips.bundle", {"selftest.jsonl": swapped})
    with pytest.raises(EngineError, match=r"2 selftest decisions flip .* 'turn the lamp on'") as caught:
        strictly(path, selftest=True)
    assert "--quantize none" in caught.value.hint
    assert isinstance(strictly(path).predict("lamp on"), ToolCall)


def test_the_selftest_is_of_the_tools_the_bundle_knows_not_of_this_devices(bundle):
    """A tool that is not here, or may only be selected, is no flip."""
    functions, _ = tiny.functions()
    assert isinstance(strictly(bundle, functions[:1], selftest=True).predict("lamp on"), ToolCall)
    assert strictly(bundle, [timer_with_seconds], on_mismatch="select_only", selftest=True)


def test_trained_tools_that_are_no_tools(tmp_path):
    (first, *rest) = tiny.manifest().tools
    odd = dataclasses.replace(first, parameters={"properties": 5})
    path = tiny.bundle(tmp_path / "odd.bundle", tools=(odd, *rest))
    with pytest.raises(ToolDefinitionError, match="no schema of arguments") as caught:
        strictly(path)
    assert caught.value.hint


def test_a_tool_known_by_its_name_alone_may_be_any_function(tmp_path):
    unknown = {"parameters": {}, "fingerprint": "sha256:0", "callable": False}
    known = tuple(dataclasses.replace(each, **unknown) for each in tiny.manifest().tools)
    path = tiny.bundle(tmp_path / "foreign.bundle", tools=known)
    dispatcher = edgefn.load(path, tools=tiny.functions()[0])
    assert dispatcher("lamp on").value == "on"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tools": (*tiny.TOOLS, "fourth", None)}, "tool_logits do not have the manifest's 5 rows"),
        ({"choices": tiny.HEADS.choices[1:]}, "choice_logits do not have the manifest's 2 rows"),
        ({"choices": ()}, "choice_logits do not have the manifest's 0 rows"),
        ({"slots": (*tiny.HEADS.slots, ("B", "more", "string"))}, "slot_logits do not have the manifest's 6 rows"),
    ],
    ids=["tools", "choices", "no choices", "slots"],
)
def test_a_graph_with_other_rows_than_the_manifest(tmp_path, change, message):
    heads = dataclasses.replace(tiny.HEADS, **change)
    with pytest.raises(BundleCorrupt, match=message) as caught:
        edgefn.load(tiny.bundle(tmp_path / "odd.bundle", heads=heads))
    assert caught.value.hint


def test_the_clock_is_the_callers(bundle):
    moment = datetime(2026, 11, 18, 10, 30)
    assert strictly(bundle, now=lambda: moment).now() == moment
