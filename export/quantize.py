"""Make a float graph smaller and faster: dynamic int8, or half precision."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

import onnx
from onnx import ModelProto
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.float16 import convert_float_to_float16

from edgefn.errors import ExportError

from .quiet import quiet

Quantization: TypeAlias = Literal["int8", "fp16", "none"]

FILES: dict[Quantization, str] = {
    "int8": "onnx/model_quantized.onnx",
    "fp16": "onnx/model_fp16.onnx",
    "none": "onnx/model.onnx",
}
"""Path of the graph inside a bundle: the names transformers.js and optimum look for."""


def quantize(graph: ModelProto, how: Quantization, folder: Path) -> ModelProto:
    """Return `graph` in the asked precision; temporary files go to `folder`. Raises ExportError.

    The heads' products stay float in int8: they cost nothing, and their rows decide.
    """
    try:
        match how:
            case "int8":
                return _int8(graph, folder)
            case "fp16":
                return convert_float_to_float16(graph, keep_io_types=True)
            case "none":
                return graph
    except (RuntimeError, ValueError, KeyError, TypeError) as exc:
        raise ExportError(f"the graph could not be quantized to {how}: {exc}", hint="try --quantize none") from exc


def _int8(graph: ModelProto, folder: Path) -> ModelProto:
    source, target = folder / "float.onnx", folder / "int8.onnx"
    onnx.save(graph, source)
    heads = [node.name for node in graph.graph.node if _belongs_to_a_head(node.name)]
    with quiet():  # it advises a pre-processing step that the fusion already did
        quantize_dynamic(
            source,
            target,
            per_channel=True,
            weight_type=QuantType.QInt8,
            # The quantizer first makes a MatMul of every Gemm, and gives it this name.
            nodes_to_exclude=[*heads, *(f"{name}_MatMul" for name in heads)],
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},  # fused operators carry no shapes
        )
    return onnx.load(target)


_HEADS = ("tool_head", "choice_head", "slot_head", "/classifier/classifier", "/pre_classifier")
"""What the names of a head's nodes hold: ours, and those of Hugging Face's classifiers."""


def _belongs_to_a_head(node: str) -> bool:
    return any(part in node for part in _HEADS)
