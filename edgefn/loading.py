"""From a bundle on disk and the tools of a device to a dispatcher."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from edgefn.added.making import RowMaker
from edgefn.binding import OnMismatch, checked, select_only
from edgefn.bundle import Bundle, read_bundle
from edgefn.dispatcher import Dispatcher, Fallback
from edgefn.encoder import Encoder
from edgefn.errors import BundleCorrupt, ToolsWarning
from edgefn.manifest import Manifest
from edgefn.observing.observer import Observer
from edgefn.policy.policy import Policy
from edgefn.registry import Registry
from edgefn.session import Session
from edgefn.tool import Tool

if TYPE_CHECKING:
    from edgefn.audit.recorder import Recorder

Tools: TypeAlias = Registry | str | Path | Iterable[Callable[..., Any] | Tool] | None


def load(
    path: str | Path,
    tools: Tools = None,
    *,
    on_mismatch: OnMismatch = "raise",
    provider: str = "cpu",
    threads: int = 0,
    selftest: bool = False,
    now: Callable[[], datetime] = datetime.now,
    row_cache: str | Path | None = None,
    policy: Policy | Mapping[str, Any] | str | Path | None = None,
    fallback: Fallback | None = None,
    audit: Recorder | str | Path | None = None,
    observers: Sequence[Observer] = (),
    selection_cache: int = 0,
) -> Dispatcher:
    """Verify a bundle, open it, and bind it to the tools of this device.

    Args:
        path: the bundle's folder.
        tools: functions marked with `@tool`, a registry, or a path to load them from. None binds nothing:
            every tool of the bundle can be selected, none can be run. Tools that the bundle was not trained for
            are added, as `Dispatcher.add` does.
        on_mismatch: what to do when a tool's parameters differ from those it was trained with.
        provider: execution provider; see `edgefn.session.Session`.
        threads: threads inside one operator; 0 chooses.
        selftest: run the bundle's selftest first, and raise EngineError if a decision flips.
        now: tells local time, to which "tomorrow" and "at six" are relative.
        row_cache: folder in which the rows of added tools are kept for the next start; None keeps none.
        policy: what each tool may do and how it is run, as data, or the .json or .toml file that says so; None asks
            before destructive tools and ends slow ones.
        fallback: is asked, with the utterance and the outcome, about what no tool was sure of; see `Fallback`.
        audit: the log of what was done, or its file; None keeps none.
        observers: are told of every outcome.
        selection_cache: how many utterances' scores are kept; 0 keeps none.

    Raises:
        BundleError: the bundle is missing, damaged, too new, or does not fit the tools.
        PolicyError: the policy cannot be read, or asks of a tool what its hints do not allow.
        AuditError: the log cannot be opened.
        EngineError: ONNX Runtime cannot load or run it.
        ToolDefinitionError: the tools cannot be loaded.
    """
    bundle = read_bundle(path)
    registry, strangers = bind(bundle.manifest, tools, on_mismatch)
    encoder = open_encoder(bundle, provider, threads)
    dispatcher = Dispatcher(
        bundle.manifest,
        encoder,
        registry,
        now,
        open_maker(bundle, encoder, row_cache),
        policy=_policy(policy),
        fallback=fallback,
        recorder=_recorder(audit),
        observers=observers,
        selection_cache=selection_cache,
    )
    dispatcher.add_all(strangers)
    dispatcher.policy.check(dispatcher.registry)  # last: a rule may be about a tool that was just added
    if selftest:
        from edgefn.selftest import check  # only who asks for it pays for it

        check(bundle.manifest, dispatcher.encoder, bundle)
    return dispatcher


def _policy(policy: Policy | Mapping[str, Any] | str | Path | None) -> Policy | None:
    if policy is None or isinstance(policy, Policy):
        return policy
    from edgefn.policy.reading import policy_from, read_policy  # only who has it as data pays for it

    return read_policy(policy) if isinstance(policy, str | Path) else policy_from(policy)


def _recorder(audit: Recorder | str | Path | None) -> Recorder | None:
    if not isinstance(audit, str | Path):
        return audit
    from edgefn.audit.log import AuditLog  # only who keeps a log pays for it
    from edgefn.audit.recorder import Recorder

    return Recorder(AuditLog(audit))


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


def open_maker(bundle: Bundle, encoder: Encoder, row_cache: str | Path | None = None) -> RowMaker | None:
    """Return what makes rows of added tools; None where the bundle accepts none."""
    makers = bundle.manifest.makers
    if makers is None:
        return None
    dim = bundle.manifest.graph.dim
    data = bundle.read(makers.file)
    if len(data) != 2 * dim * (3 * dim + 1):
        raise BundleCorrupt(
            f"{bundle.path / makers.file}: {len(data)} bytes do not hold the matrices of dimension {dim}",
            hint="export the bundle again",
        )
    matrices = np.frombuffer(data, dtype="<f2").astype(np.float32).reshape(-1, dim)
    if row_cache is None:
        return RowMaker(encoder, makers, matrices)
    from edgefn.added.cache import RowCache  # only who keeps rows pays for it

    return RowMaker(encoder, makers, matrices, RowCache(Path(row_cache), bundle.manifest.id))


def bind(manifest: Manifest, tools: Tools, on_mismatch: OnMismatch = "raise") -> tuple[Registry, tuple[Tool, ...]]:
    """Return the tools of this device that the bundle was trained for, checked against it, and those it was not."""
    trained = {each.name: each for each in manifest.tools}
    if tools is None:
        return Registry(select_only(each) for each in trained.values()), ()
    registry = _as_registry(tools)
    strangers = tuple(tool for tool in registry if tool.name not in trained)
    if strangers and manifest.makers is None:
        warnings.warn(
            f"{', '.join(each.name for each in strangers)}: not in the bundle, which takes no added tools, "
            "so it will never be selected; train and export again",
            ToolsWarning,
            stacklevel=3,
        )
        strangers = ()
    added = {each.name for each in strangers}
    known = [tool for tool in registry if tool.name not in added]
    bound = Registry(checked(tool, trained.get(tool.name), on_mismatch) for tool in known)
    bound.broken = registry.broken
    return bound, strangers


def _as_registry(tools: Registry | str | Path | Iterable[Callable[..., Any] | Tool]) -> Registry:
    if isinstance(tools, Registry):
        return tools
    if isinstance(tools, str | Path):
        return Registry.load(tools)
    return Registry(tools)
