"""Put a bundle together: manifest, graph, tokenizer, selftest and model card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import onnx
from onnx import ModelProto

from edgefn import __version__
from edgefn.encoder import Encoder
from edgefn.interpreter import Interpreter
from edgefn.manifest import FORMAT, Calibration, Graph, Heads, Makers, Manifest, Source
from edgefn.rows import Row
from edgefn.selftest import FILE as SELFTEST_FILE
from edgefn.selftest import SelftestRow, decide, rows_to

from .added import matrices_of
from .card import model_card
from .checkpoint import Checkpoint
from .model import ToolModel
from .quantize import FILES, Quantization
from .to_onnx import MINIMUM_ONNXRUNTIME

_SELFTEST_PER_TOOL = 2
_SELFTEST_MOST = 64


@dataclass(frozen=True)
class Parts:
    """Everything export found out, ready to be packed."""

    checkpoint: Checkpoint
    """What was exported."""
    heads: Heads
    """Rows of the heads, scale filled in."""
    graph: bytes
    """The serialized graph."""
    quantization: Quantization
    """How it was quantized."""
    opset: int
    """Its opset."""
    max_tokens: int
    """Longest utterance in tokens."""
    calibration: Calibration
    """Fitted on the rows below."""
    rows: Sequence[Row]
    """The calibration rows."""
    measured: dict[str, Any]
    """Numbers for the manifest."""
    serial: int
    """The manifest's serial."""
    makers: Makers | None
    """How rows of added tools are made, calibrated; None where none can be added."""


def heads_of(checkpoint: Checkpoint) -> Heads:
    """Return the keys of a checkpoint's heads with the trained scale."""
    model = checkpoint.model
    keys = model.keys
    scale = model.tool_head.scale.item() if isinstance(model, ToolModel) else 1.0
    return Heads(keys.tools, keys.choices, keys.slots, scale, keys.accepts_added_rows)


def pack(parts: Parts, encoder: Encoder) -> tuple[Manifest, dict[str, bytes]]:
    """Return the manifest, its files and id still open, and the files it describes."""
    checkpoint = parts.checkpoint
    manifest = Manifest(
        format=FORMAT,
        serial=parts.serial,
        edgefn=__version__,
        tools=checkpoint.tools,
        heads=parts.heads,
        graph=Graph(
            file=FILES[parts.quantization],
            quantization=parts.quantization,
            max_tokens=parts.max_tokens,
            dim=int(checkpoint.model.config.hidden_size),
            opset=parts.opset,
            minimum_onnxruntime=MINIMUM_ONNXRUNTIME,
        ),
        calibration=parts.calibration,
        makers=parts.makers,
        source=Source(checkpoint.sha256, checkpoint.base, checkpoint.data),
        measured=parts.measured,
    )
    selftest = selftest_rows(Interpreter.of(manifest, encoder), parts.rows)
    files = {
        manifest.graph.file: parts.graph,
        "tokenizer.json": checkpoint.tokenizer.backend_tokenizer.to_str().encode(),
        SELFTEST_FILE: rows_to(selftest),
        "README.md": model_card(manifest).encode(),
    }
    if parts.makers is not None and isinstance(checkpoint.model, ToolModel):
        files[parts.makers.file] = matrices_of(checkpoint.model)
    return manifest, files


def selftest_rows(interpreter: Interpreter, rows: Sequence[Row]) -> list[SelftestRow]:
    """Return, for each tool and for abstaining, the rows that are furthest from flipping."""
    decided = sorted((decide(interpreter, row.text) for row in rows), key=lambda each: -each.margin)
    taken: dict[str | None, int] = {}
    chosen = []
    for row in decided:
        if taken.get(row.tool, 0) < _SELFTEST_PER_TOOL:
            taken[row.tool] = taken.get(row.tool, 0) + 1
            chosen.append(row)
    return chosen[:_SELFTEST_MOST]


def stamp(graph: ModelProto, heads: Heads) -> bytes:
    """Serialize a graph with a note of what it is; the truth stays in the manifest, quantizers drop notes."""
    onnx.helper.set_model_props(
        graph, {"edgefn.format": str(FORMAT), "edgefn.tools": json.dumps(heads.tools, ensure_ascii=False)}
    )
    return bytes(graph.SerializeToString())


def opset_of(graph: ModelProto) -> int:
    """Return the opset of the default domain."""
    return next(int(each.version) for each in graph.opset_import if each.domain in ("", "ai.onnx"))
