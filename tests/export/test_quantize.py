"""Smaller graphs that still load, with the heads left in float."""

from collections import Counter

import numpy as np
import onnx
import pytest
from edgefn.export.quantize import FILES, quantize
from edgefn.export.to_onnx import to_onnx

from edgefn.errors import ExportError
from edgefn.manifest import Heads
from edgefn.session import Session

ALL = [("own", kind) for kind in ("bert", "distilbert", "roberta")]
ALL += [("foreign", kind) for kind in ("bert", "distilbert", "roberta", "xlm-roberta")]
EVERY = pytest.mark.parametrize("name", ALL, ids="-".join)
QUANTIZED = {"MatMulInteger", "QAttention", "DynamicQuantizeMatMul", "QLinearMatMul"}
OUTPUTS = ("tool_logits", "choice_logits", "slot_logits", "token_embedding", "embedding")


@pytest.fixture(scope="module")
def quantized(graphs, tmp_path_factory):
    made = {}

    def one(name, how):
        if (name, how) not in made:
            graph = onnx.ModelProto.FromString(graphs[name].SerializeToString())  # quantizers change their input
            made[name, how] = quantize(graph, how, tmp_path_factory.mktemp("quantized"))
        return made[name, how]

    return one


def run(graph, batch=1):
    draw = np.random.default_rng(0)
    ids = draw.integers(5, 60, (batch, 11))
    feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    return dict(zip(OUTPUTS, Session(graph.SerializeToString()).run(OUTPUTS, feeds), strict=True))


def cosine(a, b):
    return (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


def test_files_are_called_what_other_programs_look_for():
    assert FILES == {
        "int8": "onnx/model_quantized.onnx", "fp16": "onnx/model_fp16.onnx", "none": "onnx/model.onnx"
    }  # fmt: skip


@EVERY
@pytest.mark.parametrize("how", ["int8", "fp16"])
def test_a_quantized_graph_is_smaller_loads_and_is_near(graphs, quantized, name, how):
    small = quantized(name, how)
    assert small.ByteSize() < 0.75 * graphs[name].ByteSize()
    before, after = run(graphs[name]), run(small)
    assert {output: array.shape for output, array in after.items()} == {
        output: array.shape for output, array in before.items()
    }
    assert cosine(before["embedding"], after["embedding"]).min() > 0.98


@EVERY
def test_int8_quantizes_the_encoder_and_not_the_heads(graphs, quantized, name):
    nodes = quantized(name, "int8").graph.node
    operators = Counter(node.op_type for node in nodes)
    assert sum(operators[each] for each in QUANTIZED) >= 8, (
        operators
    )  # two layers: attention, output, two of feed-forward
    parts = (
        ("tool_head", "choice_head", "slot_head") if name[0] == "own" else ("/classifier/classifier", "pre_classifier")
    )
    of_heads = [node for node in nodes if any(part in node.name for part in parts)]
    assert not [node.name for node in of_heads if node.op_type in QUANTIZED or "Quantize" in node.op_type]
    products = [node for node in of_heads if node.op_type in ("MatMul", "Gemm", "FusedMatMul")]
    assert len(products) >= (3 if name[0] == "own" else 1), Counter(node.op_type for node in of_heads)
    initializers = {each.name: each.data_type for each in quantized(name, "int8").graph.initializer}
    kinds = {initializers[each] for node in products for each in node.input if each in initializers}
    assert kinds == {onnx.TensorProto.FLOAT}


def test_int8_weights_are_signed_and_per_channel(quantized):
    graph = quantized(("own", "bert"), "int8").graph
    initializers = {each.name: each for each in graph.initializer}
    nodes = [node for node in graph.node if node.op_type in QUANTIZED]
    weights = [initializers[node.input[1]] for node in nodes]
    assert len(weights) >= 8
    assert {each.data_type for each in weights} == {onnx.TensorProto.INT8}
    for weight in weights:
        scale = initializers[weight.name.removesuffix("_quantized") + "_scale"]
        assert list(scale.dims) == [weight.dims[1]]


@EVERY
def test_half_precision_takes_and_gives_what_the_float_graph_does(graphs, quantized, name):
    small = quantized(name, "fp16")
    for side in ("input", "output"):
        before, after = getattr(graphs[name].graph, side), getattr(small.graph, side)
        assert [(each.name, each.type.tensor_type.elem_type) for each in after] == [
            (each.name, each.type.tensor_type.elem_type) for each in before
        ]
    assert all(array.dtype == np.float32 for array in run(small, batch=2).values())
    assert onnx.TensorProto.FLOAT16 in {each.data_type for each in small.graph.initializer}
    before, after = run(graphs[name]), run(small)
    for output in OUTPUTS:
        assert not before[output].size or np.abs(before[output] - after[output]).max() < 0.1, output


def test_none_changes_nothing(graphs, tmp_path):
    graph = graphs["own", "bert"]
    before = graph.SerializeToString()
    assert quantize(graph, "none", tmp_path).SerializeToString() == before


def test_int8_works_without_choices_and_slots(tiny, tool_models, tmp_path):
    model = tiny.ToolModel(tool_models["bert"].encoder, Heads(tools=("stop", None))).eval()
    for how in ("int8", "fp16"):
        out = run(quantize(to_onnx(model, tmp_path), how, tmp_path), batch=2)
        assert out["tool_logits"].shape == (2, 2)
        assert out["choice_logits"].shape == (2, 0) and out["slot_logits"].shape == (2, 11, 0)


@pytest.mark.parametrize("how", ["int8", "fp16"])
def test_a_graph_that_cannot_be_quantized_is_one_error(graphs, tmp_path, monkeypatch, how):
    def refuse(*args, **kwargs):
        raise ValueError("no shape")

    monkeypatch.setattr("edgefn.export.quantize.quantize_dynamic", refuse)
    monkeypatch.setattr("edgefn.export.quantize.convert_float_to_float16", refuse)
    with pytest.raises(ExportError, match=f"could not be quantized to {how}: no shape") as raised:
        quantize(graphs["own", "bert"], how, tmp_path)
    assert "--quantize none" in raised.value.hint
