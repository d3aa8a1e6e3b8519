"""One formula for every head, inside the graph and outside it."""

import numpy as np
import pytest
import torch
from edgefn.export.checkpoint import HEADS_FILE
from edgefn.export.model import OUTPUT_AXES, GraphOutputs, Head, ToolModel, masked_mean
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from edgefn.bundle import read_bundle
from edgefn.manifest import Heads
from edgefn.session import Session


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 6), st.integers(1, 9), st.floats(0.1, 100), st.integers(0, 2**32 - 1))
def test_a_head_is_scale_times_cosine_plus_bias(keys, dim, scale, seed):
    draw = np.random.default_rng(seed)
    rows, bias = draw.normal(size=(keys, dim)).astype("f4"), draw.normal(size=keys).astype("f4")
    x = unit(draw.normal(size=(2, 3, dim)).astype("f4"))
    head = Head(torch.from_numpy(rows), scale)
    head.bias.data.copy_(torch.from_numpy(bias))
    with torch.no_grad():
        logits = head(torch.from_numpy(x)).numpy()
    assert logits.shape == (2, 3, keys)
    assert np.allclose(logits, scale * x @ rows.T + bias, rtol=1e-4, atol=1e-3)
    assert head.scale.item() == pytest.approx(scale, rel=1e-4)


def test_a_head_copies_its_rows():
    rows = torch.ones(2, 3)
    head = Head(rows, 1.0)
    rows.zero_()
    assert head.rows.detach().eq(1).all()


@pytest.mark.parametrize("kind", ["bert", "distilbert", "roberta"])
def test_every_output_by_the_formula(tool_models, tiny, kind):
    model = tool_models[kind]
    ids, mask = tiny.batch(model, 3, 10)
    with torch.no_grad():
        out = {name: tensor.numpy() for name, tensor in model(ids, mask)._asdict().items()}
        tokens = model.encoder(input_ids=ids, attention_mask=mask).last_hidden_state.numpy()
    assert tuple(out) == GraphOutputs._fields == tuple(OUTPUT_AXES)
    m = mask.numpy()[..., None]
    assert np.allclose(out["token_embedding"], tokens)
    assert np.allclose(out["embedding"], unit((tokens * m).sum(1) / m.sum(1)), atol=1e-5)
    for name, head, x in (
        ("tool_logits", model.tool_head, out["embedding"]),
        ("choice_logits", model.choice_head, out["embedding"]),
        ("slot_logits", model.slot_head, unit(tokens)),
    ):
        rows, bias = head.rows.detach().numpy(), head.bias.detach().numpy()
        assert np.allclose(out[name], 20.0 * x @ rows.T + bias, atol=1e-4)


def test_padding_changes_nothing(tool_models, tiny):
    model = tool_models["bert"]
    ids, mask = tiny.batch(model, 3, 12)
    with torch.no_grad():
        together = model(ids, mask)
        for row, length in enumerate(mask.sum(1).tolist()):
            alone = model(ids[row : row + 1, :length], mask[row : row + 1, :length])
            assert torch.allclose(alone.tool_logits[0], together.tool_logits[row], atol=1e-4)
            assert torch.allclose(alone.embedding[0], together.embedding[row], atol=1e-5)
            assert torch.allclose(alone.slot_logits[0], together.slot_logits[row, :length], atol=1e-4)


def test_the_masked_mean_does_not_see_padding():
    tokens = torch.tensor([[[3.0, 0.0], [0.0, 3.0], [99.0, -99.0]]])
    mean = masked_mean(tokens, torch.tensor([[1, 1, 0]]))
    assert torch.allclose(mean, torch.full((1, 2), 0.5**0.5))


def test_a_head_may_have_no_rows(tool_models, tiny):
    model = ToolModel(tool_models["bert"].encoder, Heads(tools=("only",)))
    ids, mask = tiny.batch(model, 2, 5)
    with torch.no_grad():
        out = model(ids, mask)
    assert out.choice_logits.shape == (2, 0) and out.slot_logits.shape == (2, 5, 0)
    assert out.tool_logits.shape == (2, 1)


def test_half_precision_is_near_and_the_heads_stay_float(tool_models, tiny):
    model = tool_models["bert"]
    ids, mask = tiny.batch(model, 2, 8)
    with torch.no_grad():
        exact = model(ids, mask)
        model.half_precision = True
        try:
            half = model(ids, mask)
        finally:
            model.half_precision = False
    assert all(each.dtype == torch.float32 for each in half)
    assert torch.allclose(exact.embedding, half.embedding, atol=0.02)
    assert torch.allclose(half.embedding.norm(dim=-1), torch.ones(2), atol=1e-5)


@pytest.mark.parametrize("how", ["none", "fp16", "int8"])
def test_a_trained_row_taken_out_of_the_graph_gives_the_same_logit(trained, exported, how):
    """A row added on the device is the same arithmetic: manifest, heads file and `embedding` are enough."""
    bundle = read_bundle(exported[how][0])
    tensors = load_file(trained.folder / HEADS_FILE)
    session, scale = Session(bundle.read(bundle.manifest.graph.file)), bundle.manifest.heads.scale
    ids = np.array([[2, 7, 9, 30, 12, 3]])
    logits, embedding = session.run(
        ("tool_logits", "embedding"), {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    )
    tolerance = 2e-2 if how == "fp16" else 1e-4  # half precision computes the heads in half precision, too
    assert scale == pytest.approx(float(np.exp(tensors["tool_head.log_scale"])))
    for index in range(len(bundle.manifest.heads.tools)):
        row, bias = tensors["tool_head.rows"][index], tensors["tool_head.bias"][index]
        assert abs(scale * embedding[0] @ row + bias - logits[0, index]) <= tolerance


@pytest.mark.parametrize("kind", ["bert", "distilbert", "roberta"])
def test_choice_and_slot_rows_taken_out_of_the_graph_give_the_same_logits(tool_models, graphs, tiny, kind):
    model = tool_models[kind]
    session = Session(graphs["own", kind].SerializeToString())
    feeds = tiny.feeds(*tiny.batch(model, 1, 9))
    choices, slots, tokens, embedding = session.run(
        ("choice_logits", "slot_logits", "token_embedding", "embedding"), feeds
    )
    for logits, head, x in (
        (choices[0], model.choice_head, embedding[0]),
        (slots[0], model.slot_head, unit(tokens[0])),
    ):
        row, bias = head.rows[1].detach().numpy(), head.bias[1].item()
        assert np.abs(head.scale.item() * x @ row + bias - logits[..., 1]).max() <= 1e-4
