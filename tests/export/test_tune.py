"""Which parameters learn, how fast, and what is left afterwards."""

import pytest
import torch
from edgefn.export.base import load_encoder
from edgefn.export.tune import merge, parameter_groups, prepare, trained_parameters

HEADS = {
    f"{head}.{part}" for head in ("tool_head", "choice_head", "slot_head") for part in ("rows", "bias", "log_scale")
}
HEADS |= {f"makers.{name}" for name in ("begin", "inside", "value", "unsaid", "bias")}
KINDS = pytest.mark.parametrize("kind", ["bert", "distilbert", "roberta"])
WAYS = ("full", "heads", "bitfit", "lora")


@pytest.fixture
def fresh(bases, tiny):
    return lambda kind: tiny.ToolModel(load_encoder(str(bases[kind])), tiny.HEADS)


def learning(model):
    return {name for name, each in model.named_parameters() if each.requires_grad}


@KINDS
@pytest.mark.parametrize("how", WAYS)
def test_what_learns(fresh, kind, how):
    model = fresh(kind)
    everything = {name for name, _ in model.named_parameters() if "pooler" not in name}
    prepare(model, how)
    learns = learning(model)
    assert learns >= HEADS
    inside = learns - HEADS
    match how:
        case "full":
            assert learns == everything
        case "heads":
            assert inside == set()
        case "bitfit":
            assert inside == {name for name in everything - HEADS if name.endswith("bias")} and inside
        case "lora":
            assert inside and all("lora_" in name for name in inside)
            adapted = {name for name in inside if "lora_A" in name}
            assert len(adapted) == 2 * 6  # six linear layers in each of two blocks
    assert trained_parameters(model) == sum(model.get_parameter(name).numel() for name in learns)


@KINDS
@pytest.mark.parametrize("how", WAYS)
def test_a_plain_encoder_is_left(fresh, tiny, kind, how):
    model, plain = fresh(kind), fresh(kind)
    kept = model.encoder.state_dict().keys()
    prepare(model, how)
    for name in learning(model):  # as if it had learned
        torch.nn.init.normal_(model.get_parameter(name), std=0.02) if "lora_" in name else None
    ids, mask = tiny.batch(plain, 2, 7)
    model.eval()
    with torch.no_grad():
        before = model(ids, mask).token_embedding
        merge(model)
        after = model(ids, mask).token_embedding
        untouched = plain.eval()(ids, mask).token_embedding
    assert model.encoder.state_dict().keys() == kept == plain.encoder.state_dict().keys()
    assert type(model.encoder) is type(plain.encoder)
    assert torch.allclose(before, after, atol=1e-4)
    assert torch.allclose(after, untouched, atol=1e-5) is (how != "lora")


def test_merging_twice_does_no_harm(fresh):
    model = fresh("bert")
    prepare(model, "lora")
    merge(model)
    merge(model)
    assert not [name for name in model.state_dict() if "lora" in name or "base_layer" in name]


@KINDS
@pytest.mark.parametrize("how", WAYS)
def test_every_learning_parameter_is_in_one_group(fresh, kind, how):
    model = fresh(kind)
    prepare(model, how)
    groups = parameter_groups(model, 1e-4, 1e-3, 0.9, 0.01)
    grouped = [id(each) for group in groups for each in group["params"]]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {id(each) for each in model.parameters() if each.requires_grad}


def rates(model, decay=0.5):
    groups = parameter_groups(model, 1.0, 7.0, decay, 0.01)
    names = {id(each): name for name, each in model.named_parameters()}
    return {names[id(each)]: (group["lr"], group["weight_decay"]) for group in groups for each in group["params"]}


@KINDS
def test_rates_fall_with_every_layer_from_the_heads(fresh, kind):
    found = rates(fresh(kind))
    for name, (rate, _) in found.items():
        if "pooler" in name:
            continue
        if name in HEADS:
            assert rate == 7.0
        elif ".layer.1." in name:
            assert rate == 1.0
        elif ".layer.0." in name:
            assert rate == 0.5
        else:
            assert "embeddings" in name and rate == 0.25


@KINDS
def test_vectors_embeddings_and_heads_do_not_decay(fresh, kind):
    model = fresh(kind)
    for name, (_, decay) in rates(model).items():
        matrix = model.get_parameter(name).ndim == 2 and name not in HEADS and "embeddings" not in name
        assert decay == (0.01 if matrix else 0.0), name


def test_additions_learn_at_the_rate_of_their_layer(fresh):
    model = fresh("bert")
    prepare(model, "lora")
    found = {name: rate for name, (rate, _) in rates(model).items() if "lora_" in name}
    assert {rate for name, rate in found.items() if ".layer.1." in name} == {1.0}
    assert {rate for name, rate in found.items() if ".layer.0." in name} == {0.5}
