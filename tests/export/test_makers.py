"""Rows made in training are the rows that a device makes, and score the same there."""

import copy

import numpy as np
import pytest
import torch
from edgefn.export.added import half, makers_of, matrices_of
from edgefn.export.base import load_encoder, load_tokenizer
from edgefn.export.checkpoint import save_checkpoint
from edgefn.export.general import choice_logits, slot_logits
from edgefn.export.makers import TEXT_TOKENS, inherit, make, tokens_of
from edgefn.export.model import HEADS_FILE
from edgefn.export.to_onnx import to_onnx
from edgefn.export.train import GENERAL
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from edgefn.added.making import RowMaker
from edgefn.added.table import Table
from edgefn.added.toolrows import NEVER
from edgefn.arguments.naming import place_of
from edgefn.describing import tokens_at
from edgefn.encoder import DESCRIPTION_TOKENS, Encoder
from edgefn.errors import CheckpointError
from edgefn.manifest import Heads
from edgefn.session import Session
from edgefn.tool import Tool

TEXTS = ("please turn lamp on now", "play rock songs again", "who taxes kings", "set five minutes for chess", "jazz")


def optional(name, description, **properties):
    """A tool that needs nothing: of what it needs, the device expects that it is said."""
    return Tool.select_only(name, description, {"type": "object", "properties": properties})


MANY = {f"songs_{at}": {"type": "string", "description": "Play jazz or rock " * 4} for at in range(30)}
TOOLS = (
    optional(
        "playSongs",
        "Play songs, loud.",
        kind={"type": "string", "enum": ["rock", "jazz", "old_kings"], "description": "Songs."},
        again={"type": "boolean"},
        about={"type": "string", "description": "What for me."},
        whole={"type": "object", "description": "Never filled."},
    ),
    optional("turn.lamp", "", spots={"type": "array", "items": {"type": "string"}}, number={"type": "integer"}),
    optional("stop", "Sleep."),
    optional("many", "Play many songs.", **MANY),
)


@pytest.fixture(scope="module")
def model(bases, tiny):
    """A model whose makers are far from where they start, in numbers that a bundle can hold."""
    torch.manual_seed(5)
    made = tiny.ToolModel(load_encoder(str(bases["bert"]), attn_implementation="eager"), GENERAL)
    with torch.no_grad():
        for each in made.makers.parameters():
            each.copy_((each + 0.2 * torch.randn_like(each)).half().float())
        for head in (made.tool_head, made.slot_head):
            head.bias.normal_()
        for head, scale in ((made.tool_head, 1.9), (made.slot_head, 2.3), (made.choice_head, 2.7)):
            head.log_scale.fill_(scale)
    return made.eval()


@pytest.fixture(scope="module")
def tokenizer(bases):
    return load_tokenizer(str(bases["bert"]))


@pytest.fixture(scope="module")
def encoder(model, tokenizer, tmp_path_factory):
    graph = to_onnx(model, tmp_path_factory.mktemp("makers")).SerializeToString()
    return Encoder(tokenizer.backend_tokenizer.to_str().encode(), Session(graph), 128)


@pytest.fixture(scope="module")
def maker(model, encoder):
    matrices = np.frombuffer(matrices_of(model), "<f2").astype(np.float32).reshape(-1, 32)
    return RowMaker(encoder, makers_of(model), matrices)


@pytest.fixture(scope="module")
def made(model, tokenizer):
    with torch.no_grad():
        return make(model, [tokens_of(each, tokenizer, DESCRIPTION_TOKENS) for each in TOOLS], 0)


@pytest.fixture(scope="module")
def rows(maker):
    return [maker.rows(each) for each in TOOLS]


@pytest.fixture(scope="module")
def passes(model, encoder, tokenizer):
    """Utterances on both paths: encoded, the device's scores, and PyTorch's outputs."""

    def run(text):
        encoded = encoder.encode(text)
        ids = torch.tensor([encoded.ids])
        with torch.no_grad():
            return encoded, encoder.run(encoded, embeddings=True), model(ids, torch.ones_like(ids))

    return [run(text) for text in TEXTS]


# Parity


def test_the_row_of_a_tool_is_the_devices(made, rows, tiny):
    assert tiny.apart(made.tools, np.stack([each.described for each in rows])) <= 1e-4
    assert tiny.apart(made.tools[0], made.tools[2]) > 0.01


def test_slot_rows_are_the_devices(model, made, rows, tiny):
    with torch.no_grad():
        begin, inside = (each.numpy() for each in model.makers.slots(made.parameters))
    assert tiny.apart(begin, inside) > 0.01
    for each, places in zip(rows, made.parameter_of, strict=True):
        names = [name for tag, name, _ in each.heads.slots if tag == "B"]
        assert names == list(places)
        at = list(places.values())
        assert tiny.apart(each.slots, np.stack([begin[at], inside[at]], 1).reshape(-1, 32)) <= 1e-4 if at else True
    assert [len(each.slots) for each in rows] == [6, 4, 0, 60]


def test_choice_rows_are_the_devices(model, made, rows, tiny):
    with torch.no_grad():
        values = model.makers.values(made.values).numpy()
        unsaid = F.normalize(model.makers.unsaid, dim=0).numpy()
    for each, places in zip(rows, made.value_of, strict=True):
        for row, (name, _, value) in zip(each.choices, each.heads.choices, strict=True):
            assert tiny.apart(row, unsaid if value is None else values[places[name, value]]) <= 1e-4
    keys = [value for _, _, value in rows[0].heads.choices]
    assert keys == [None, "false", "true", None, "jazz", "old_kings", "rock"]


def test_tool_logits_are_the_devices(model, made, rows, passes, tiny):
    table = Table((None,), model.tool_head.scale.item(), makers_of(model).tool_bias, 0.0).with_tools(rows)
    for _, scores, out in passes:
        with torch.no_grad():
            own = model.tool_head.scale * F.linear(out.embedding, made.tools) + model.makers.bias[0]
            both = torch.cat([model.tool_head(out.embedding)[:, -1:], own], 1)[0]
        assert tiny.apart(table.logits(scores), both) <= 1e-4


def test_slot_logits_are_the_devices(model, made, rows, passes, tiny):
    compared = 0
    for each, places in zip(rows, made.parameter_of, strict=True):
        for encoded, scores, out in passes if places else ():
            words, device = each.scores(encoded, scores)
            at = [word.token for word in words]
            with torch.no_grad():
                begin, inside = model.makers.slots(made.parameters[list(places.values())])
                tokens = F.normalize(out.token_embedding[0, at], dim=-1)
                logits = slot_logits(model, tokens, begin, inside).numpy()
            order = [0, *(column for slot in range(len(places)) for column in (1 + slot, 1 + slot + len(places)))]
            possible = device.slot_logits[at] > NEVER / 2
            assert tiny.apart(device.slot_logits[at][possible], logits[:, order][possible]) <= 1e-4
            compared += possible.sum()
    assert compared > 1000


def test_choice_logits_are_the_devices(model, made, rows, passes, tiny):
    for encoded, scores, out in passes:
        _, device = rows[0].scores(encoded, scores)
        keys = rows[0].heads.choices
        for name in ("again", "kind"):
            at = [row for row, key in enumerate(keys) if key[0] == name]
            texts = [keys[row][2] for row in at[1:]]
            named = torch.tensor([0.0] + [float(place_of(text, encoded.text) is not None) for text in texts])
            with torch.no_grad():
                values = made.values[[made.value_of[0][name, text] for text in texts]]
                logits = choice_logits(model, out.embedding[0], values, named)
            assert tiny.apart(device.choice_logits[at], logits) <= 1e-4


def test_a_value_that_is_named_has_a_bonus(model, rows, passes):
    """Without it, what was compared above could all be unnamed."""
    assert any(place_of("rock", encoded.text) for encoded, _, _ in passes)
    assert abs(model.makers.bias[5].item()) > 0.01


def test_a_bundle_holds_half_precision(model):
    assert half(model).shape == (3 * 32 + 1, 32) and half(model).dtype == np.float32
    with torch.no_grad():
        other = copy.deepcopy(model)
        other.makers.begin.add_(1e-5)
    assert np.abs(half(other)[:32] - other.makers.begin.detach().numpy()).max() > 0
    assert np.frombuffer(matrices_of(other), "<f2").astype(np.float32).tolist() == half(other).ravel().tolist()


# Texts as tokens


def test_a_place_is_the_tokens_that_touch_it():
    offsets = [(0, 0), (0, 4), (4, 5), (6, 9), (0, 0)]
    assert tokens_at(offsets, (0, 4)) == (1, 2)
    assert tokens_at(offsets, (3, 7)) == (1, 4)
    assert tokens_at(offsets, (9, 12)) is None


def test_many_parameters_take_several_texts(tokenizer):
    tokens = tokens_of(TOOLS[3], tokenizer, TEXT_TOKENS)
    assert len(tokens.ids) > 1 and max(map(len, tokens.ids)) <= TEXT_TOKENS
    assert {text for _, text, _ in tokens.parameters} == set(range(len(tokens.ids)))


def test_what_lies_beyond_the_limit_is_left_out(tokenizer):
    tokens = tokens_of(TOOLS[0], tokenizer, 12)
    assert [len(each) for each in tokens.ids] == [12]
    assert 0 < len(tokens.parameters) < 3 and all(after <= 12 for _, _, (_, after) in tokens.parameters)
    assert tokens_of(TOOLS[0], tokenizer, 1).head == (0, 1)


def test_tools_in_one_pass_do_not_disturb_each_other(model, made, tokenizer, tiny):
    with torch.no_grad():
        alone = make(model, [tokens_of(TOOLS[1], tokenizer, DESCRIPTION_TOKENS)], 0)
        nothing = make(model, [tokens_of(TOOLS[2], tokenizer, DESCRIPTION_TOKENS)], 0)
    assert tiny.apart(alone.tools[0], made.tools[1]) <= 1e-5
    at = list(made.parameter_of[1].values())
    assert tiny.apart(alone.parameters, made.parameters[at]) <= 1e-5
    assert nothing.parameters.shape == nothing.values.shape == (0, 32)


def test_texts_are_read_where_the_model_is(model, tokenizer):
    """A model on a GPU gets its tokens there."""
    elsewhere = copy.deepcopy(model).to("meta")
    elsewhere.tokens = lambda ids, mask: (ids * mask)[..., None].expand(-1, -1, 32).float()  # it has no autocast
    assert make(elsewhere, [tokens_of(TOOLS[2], tokenizer, 64)], 0).tools.device.type == "meta"


# What a base brings along


@pytest.fixture
def checkpoint(model, tokenizer, tmp_path):
    folder = tmp_path / "general"
    folder.mkdir()
    save_checkpoint(folder, copy.deepcopy(model), tokenizer, (), "bert", {})
    return folder


@pytest.mark.parametrize("slots", [(), (("O", "", ""), ("B", "a", "string"), ("I", "a", "string"))])
def test_what_all_tools_share_is_inherited(model, checkpoint, tiny, slots):
    heir = tiny.ToolModel(load_encoder(str(checkpoint)), Heads(tools=("a", None), slots=slots))
    rows = heir.tool_head.rows.detach().clone()
    inherit(heir, str(checkpoint))
    for name, each in heir.makers.named_parameters():
        assert torch.equal(each, model.makers.get_parameter(name))
    for head in ("tool_head", "choice_head", "slot_head"):
        assert torch.equal(getattr(heir, head).log_scale, getattr(model, head).log_scale)
    assert torch.equal(heir.tool_head.rows, rows)
    if slots:
        assert torch.equal(heir.slot_head.rows[0], model.slot_head.rows[0])
        assert heir.slot_head.bias[0] == model.slot_head.bias[0] and not heir.slot_head.bias[1:].any()


def test_a_plain_base_brings_nothing(bases, tiny):
    heir = tiny.ToolModel(load_encoder(str(bases["bert"])), GENERAL)
    before = {name: each.clone() for name, each in heir.state_dict().items()}
    for base in (str(bases["bert"]), "all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"):
        inherit(heir, base)
    assert all(torch.equal(each, before[name]) for name, each in heir.state_dict().items())
    assert torch.equal(heir.makers.begin, torch.eye(32)) and not heir.makers.bias.any()


def test_a_checkpoint_from_before_makers_brings_its_scales(checkpoint, tiny):
    old = {name: each for name, each in load_file(checkpoint / HEADS_FILE).items() if not name.startswith("makers.")}
    save_file(old, checkpoint / HEADS_FILE)
    heir = tiny.ToolModel(load_encoder(str(checkpoint)), GENERAL)
    inherit(heir, str(checkpoint))
    assert torch.equal(heir.makers.begin, torch.eye(32))
    assert heir.slot_head.log_scale.item() == pytest.approx(2.3)


def test_a_base_that_is_damaged_is_refused(checkpoint, tiny):
    (checkpoint / HEADS_FILE).write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="cannot be read") as raised:
        inherit(tiny.ToolModel(load_encoder(str(checkpoint)), GENERAL), str(checkpoint))
    assert raised.value.hint
