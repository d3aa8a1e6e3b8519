"""The float graph is PyTorch's to 1e-4, has the agreed outputs, and is fused."""

from collections import Counter

import numpy as np
import onnx
import pytest
import torch
from edgefn.export.model import OUTPUT_AXES
from edgefn.export.to_onnx import OPSET, PARITY_TOKENS, PARITY_TOLERANCE, check_parity, max_positions, to_onnx

from edgefn.errors import ExportError, ParityError
from edgefn.session import Session

ALL = [("own", kind) for kind in ("bert", "distilbert", "roberta")]
ALL += [("foreign", kind) for kind in ("bert", "distilbert", "roberta", "xlm-roberta")]
EVERY = pytest.mark.parametrize("name", ALL, ids="-".join)


@pytest.fixture(scope="module")
def models(tool_models, foreign_models):
    made = {("own", kind): model for kind, model in tool_models.items()}
    return made | {("foreign", kind): model for kind, model in foreign_models.items()}


@EVERY
@pytest.mark.parametrize("batch", [1, 3])
def test_the_graph_is_pytorchs_at_every_length(models, graphs, tiny, name, batch):
    model, session = models[name], Session(graphs[name].SerializeToString())
    for tokens in (1, 7, 64, 512):
        ids, mask = tiny.batch(model, batch, tokens, seed=tokens)
        with torch.no_grad():
            expected = model(ids, mask)._asdict()
        got = dict(zip(OUTPUT_AXES, session.run(tuple(OUTPUT_AXES), tiny.feeds(ids, mask)), strict=True))
        real = mask.numpy().astype(bool)
        for output, array in got.items():
            wanted = expected[output].numpy()
            if OUTPUT_AXES[output].get(1) == "tokens":  # what stands at a padded place is never read
                wanted, array = wanted[real], array[real]
            assert array.shape == wanted.shape
            assert not array.size or np.abs(array - wanted).max() <= 1e-4, (output, tokens)


@EVERY
def test_the_own_check_agrees(models, graphs, name):
    model = models[name]
    worst = check_parity(model, graphs[name].SerializeToString(), max_positions(model.config))
    assert 0 <= worst <= PARITY_TOLERANCE == 1e-4
    assert PARITY_TOKENS == (1, 7, 64, 512)


@EVERY
def test_names_order_shapes_and_dynamic_axes(models, graphs, name):
    graph, keys = graphs[name].graph, models[name].keys

    def shape(value):
        return [each.dim_param or each.dim_value for each in value.type.tensor_type.shape.dim]

    assert [(each.name, shape(each)) for each in graph.input] == [
        ("input_ids", ["batch", "tokens"]),
        ("attention_mask", ["batch", "tokens"]),
    ]
    assert all(each.type.tensor_type.elem_type == onnx.TensorProto.INT64 for each in graph.input)
    assert [each.name for each in graph.output] == [
        "tool_logits", "choice_logits", "slot_logits", "token_embedding", "embedding"
    ]  # fmt: skip
    assert all(each.type.tensor_type.elem_type == onnx.TensorProto.FLOAT for each in graph.output)
    tools, choices, slots, tokens, embedding = (shape(each) for each in graph.output)
    for each, axes in zip((tools, choices, slots, tokens, embedding), OUTPUT_AXES.values(), strict=True):
        assert {at: each[at] for at in axes} == axes and len(each) == len(axes) + 1
    ids = np.full((2, 5), 7)
    out = Session(graphs[name].SerializeToString()).run(
        tuple(OUTPUT_AXES), {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    )
    assert [each.shape for each in out] == [
        (2, len(keys.tools)), (2, len(keys.choices)), (2, 5, len(keys.slots)), (2, 5, 32), (2, 32)
    ]  # fmt: skip


def test_the_graph_is_of_the_agreed_opset(graphs):
    for graph in graphs.values():
        onnx.checker.check_model(graph)
        assert {each.version for each in graph.opset_import if each.domain in ("", "ai.onnx")} == {OPSET}


@EVERY
def test_attention_layer_norm_and_gelu_are_fused(graphs, name):
    operators = Counter(node.op_type for node in graphs[name].graph.node)
    assert operators["SkipLayerNormalization"] + operators["LayerNormalization"] >= 4, operators
    assert operators["BiasGelu"] == 2 and operators["Erf"] == 0, operators
    if name[1] != "distilbert":  # the optimiser knows its layers, not the way its attention is written today
        assert operators["Attention"] == 2 and operators["Softmax"] == 0, operators


@pytest.mark.parametrize("part", ["tool_head.rows", "encoder.embeddings.LayerNorm.bias"])
def test_weights_that_changed_after_export_are_found(tool_models, graphs, part):
    model, graph = tool_models["bert"], graphs["own", "bert"].SerializeToString()
    weight = model.get_parameter(part).data
    weight.flatten()[3] += 0.05
    try:
        with pytest.raises(ParityError, match="differs from PyTorch") as raised:
            check_parity(model, graph, 512)
        assert raised.value.hint
    finally:
        weight.flatten()[3] -= 0.05


def test_scores_that_are_not_finite_are_found(tool_models, tmp_path):
    model = tool_models["bert"]
    kept = model.tool_head.bias.data.clone()
    model.tool_head.bias.data.fill_(float("nan"))
    try:
        with pytest.raises(ParityError):
            check_parity(model, to_onnx(model, tmp_path).SerializeToString(), 64)
    finally:
        model.tool_head.bias.data.copy_(kept)


def test_positions_count_from_the_padding_id_in_the_roberta_family(models):
    limits = {name: max_positions(model.config) for name, model in models.items()}
    assert {kind: limit for (_, kind), limit in limits.items()} == {
        "bert": 520, "distilbert": 520, "roberta": 518, "xlm-roberta": 518
    }  # fmt: skip


def test_the_longest_text_that_is_promised_can_be_run(models, graphs):
    for name, model in models.items():
        ids = np.full((1, max_positions(model.config)), 7)
        out = Session(graphs[name].SerializeToString()).run(
            ("embedding",), {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        )
        assert np.isfinite(out[0]).all(), name


def test_a_graph_that_cannot_be_exported_is_one_error(tool_models, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise RuntimeError("unsupported operator")

    monkeypatch.setattr("edgefn.export.to_onnx.export", refuse)
    with pytest.raises(ExportError, match="could not export the graph: unsupported operator") as raised:
        to_onnx(tool_models["bert"], tmp_path)
    assert "BERT" in raised.value.hint
