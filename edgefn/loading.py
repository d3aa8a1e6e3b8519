"""From a bundle on disk and the tools of a device to a dispatcher."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from edgefn.bundle import Bundle, read_bundle
from edgefn.dispatcher import Dispatcher
from edgefn.encoder import Encoder
from edgefn.errors import BundleCorrupt, BundleMismatch
from edgefn.manifest import Manifest, TrainedTool
from edgefn.registry import Registry
from edgefn.session import Session
from edgefn.tool import Tool, fingerprint_parameters

Tools: TypeAlias = Registry | str | Path | Iterable[Callable[..., Any] | Tool] | None
OnMismatch: TypeAlias = Literal["raise", "select_only"]


class ToolsWarning(UserWarning):
    """The tools of this device and those of the bundle differ in a way that is not fatal."""


def load(
    path: str | Path,
    tools: Tools = None,
    *,
    on_mismatch: OnMismatch = "raise",
    provider: str = "cpu",
    threads: int = 0,
    selftest: bool = False,
    now: Callable[[], datetime] = datetime.now,
) -> Dispatcher:
    """Verify a bundle, open it, and bind it to the tools of this device.

    Args:
        path: the bundle's folder.
        tools: functions marked with `@tool`, a registry, or a path to load them from. None binds nothing:
            every tool of the bundle can be selected, none can be run.
        on_mismatch: what to do when a tool's parameters differ from those it was trained with.
        provider: execution provider; see `edgefn.session.Session`.
        threads: threads inside one operator; 0 chooses.
        selftest: run the bundle's selftest first, and raise EngineError if a decision flips.
        now: tells local time, to which "tomorrow" and "at six" are relative.

    Raises:
        BundleError: the bundle is missing, damaged, too new, or does not fit the tools.
        EngineError: ONNX Runtime cannot load or run it.
        ToolDefinitionError: the tools cannot be loaded.
    """
    bundle = read_bundle(path)
    registry = bind(bundle.manifest, tools, on_mismatch)
    dispatcher = Dispatcher(bundle.manifest, open_encoder(bundle, provider, threads), registry, now)
    if selftest:
        from edgefn.selftest import check  # only who asks for it pays for it

        check(bundle.manifest, dispatcher.encoder, bundle)
    return dispatcher


def open_encoder(bundle: Bundle, provider: str = "cpu", threads: int = 0) -> Encoder:
    """Build the engine from the very bytes that were verified."""
    graph = bundle.manifest.graph
    session = Session(bundle.read(graph.file), provider=provider, threads=threads)
    heads = bundle.manifest.heads
    for output, keys in (("tool_logits", heads.tools), ("choice_logits", heads.choices), ("slot_logits", heads.slots)):
        if session.outputs.get(output, (None,))[-1] != len(keys):
            raise BundleCorrupt(
                f"{bundle.path / graph.file}: its {output} do not have the manifest's {len(keys)} rows",
                hint="export the bundle again",
            )
    return Encoder(bundle.read("tokenizer.json"), session, graph.max_tokens)


def bind(manifest: Manifest, tools: Tools, on_mismatch: OnMismatch = "raise") -> Registry:
    """Return the tools of this device, checked against those the bundle was trained for."""
    trained = {each.name: each for each in manifest.tools}
    if tools is None:
        return Registry(_select_only(each) for each in trained.values())
    registry = _as_registry(tools)
    unknown = [name for name in registry.names if name not in trained]
    if unknown:
        warnings.warn(
            f"{', '.join(unknown)}: not in the bundle, so it will never be selected; train and export again",
            ToolsWarning,
            stacklevel=3,
        )
    bound = Registry(_checked(tool, trained.get(tool.name), on_mismatch) for tool in registry)
    bound.broken = registry.broken
    return bound


def _checked(tool: Tool, trained: TrainedTool | None, on_mismatch: OnMismatch) -> Tool:
    if trained is None or tool.fingerprint == trained.fingerprint:
        return tool
    if not trained.callable:  # known from data or from a foreign classifier's label: there is nothing to differ from
        return tool
    if tool.parameters_fingerprint == fingerprint_parameters(trained.parameters):
        warnings.warn(f"{tool.name}: its description changed since the bundle was trained", ToolsWarning, stacklevel=6)
        return tool
    if on_mismatch == "select_only":
        return _select_only(trained)
    raise BundleMismatch(
        f"{tool.name}: its parameters differ from those the bundle was trained with",
        hint='train and export again, or load(..., on_mismatch="select_only") to select it without running it',
    )


def _select_only(trained: TrainedTool) -> Tool:
    return Tool.select_only(trained.name, trained.description, trained.parameters)


def _as_registry(tools: Registry | str | Path | Iterable[Callable[..., Any] | Tool]) -> Registry:
    if isinstance(tools, Registry):
        return tools
    if isinstance(tools, str | Path):
        return Registry.load(tools)
    return Registry(tools)
