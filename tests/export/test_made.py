"""Ordinary training beside made rows."""

import dataclasses
import random

import pytest
import torch
from edgefn.export.base import load_encoder, load_tokenizer
from edgefn.export.batches import Collator, tokenize
from edgefn.export.checkpoint import load_checkpoint
from edgefn.export.keys import UNLABELLED
from edgefn.export.losses import LabelsOf
from edgefn.export.made import MadeRows
from edgefn.export.makers import make, tokens_of
from edgefn.export.model import HEADS_FILE
from edgefn.export.train import GENERAL, train
from edgefn.export.train import save_checkpoint as save
from safetensors.torch import load_file
from torch.nn import functional as F

from edgefn.rows import Row

ROWS = (
    Row("set five minutes now", "set_timer", {"minutes": 5}, ((4, 8, "minutes"),)),
    Row("start ten minutes", "set_timer", {"minutes": 10}, ((6, 9, "minutes"),)),
    Row("turn lamp on", "switch_lamp", {"state": True}),
    Row("turn light off", "switch_lamp", {"state": False}),
    Row("play jazz", "play_music"),
    Row("why whales sleep", None),
)


class Always(random.Random):
    """Draws tools as ever; whether there are examples is not left to chance."""

    def __init__(self, drawn):
        super().__init__(0)
        self.drawn = drawn

    def random(self):
        return self.drawn


@pytest.fixture
def model(bases, tiny):
    torch.manual_seed(2)
    made = tiny.ToolModel(load_encoder(str(bases["bert"])), tiny.HEADS)
    with torch.no_grad():
        made.makers.bias.normal_()
    return made.eval()


@pytest.fixture(scope="module")
def tokenizer(bases):
    return load_tokenizer(str(bases["bert"]))


@pytest.fixture
def batch(tokenizer, tiny):
    examples, _ = tokenize(ROWS, tokenizer, tiny.HEADS, tiny.tools, 128)
    return Collator(0)([examples[at] for at in range(len(ROWS))])


@pytest.fixture
def rows_of(tokenizer, tiny):
    def made(count=3, draw=None):
        tokens = {name: tokens_of(tool, tokenizer, 160) for name, tool in tiny.tools.items()}
        found = MadeRows.of(tiny.HEADS.tools, tiny.HEADS.slots, tiny.tools, tokens, 0, count)
        found.draw = draw or found.draw
        return found

    return made


@pytest.fixture
def labels_of(tiny):
    return LabelsOf(tiny.HEADS, tiny.tools)


def run(model, batch):
    return model(batch["input_ids"], batch["attention_mask"])


def test_every_tool_is_found_with_its_columns(rows_of, tiny):
    made = rows_of()
    assert set(made.tokens) == {0, 1, 2}  # "none of these" has no description
    assert made.slots == {0: {}, 1: {"minutes": (1, 2)}, 2: {}}  # no words fill a state


def test_the_loss_is_a_number_and_teaches_makers_and_encoder(model, batch, rows_of, labels_of):
    loss = rows_of().loss(model, run(model, batch), batch, labels_of)
    assert loss.isfinite() and loss > 0
    loss.backward()
    for name in ("begin", "inside", "bias"):
        gradient = model.makers.get_parameter(name).grad
        assert gradient.isfinite().all() and gradient.abs().max() > 0, name
    taught = [each.grad for name, each in model.encoder.named_parameters() if "pooler" not in name]
    assert all(each is not None and each.isfinite().all() for each in taught)
    assert sum(each.abs().sum() for each in taught) > 0


@pytest.mark.parametrize("labels", [[3] * 6, [UNLABELLED] * 6])
def test_without_a_tool_there_is_nothing_to_learn(model, batch, rows_of, labels_of, labels):
    batch["labels"] = torch.tensor(labels)
    loss = rows_of().loss(model, run(model, batch), batch, labels_of)
    assert loss == 0
    loss.backward()


def test_labels_that_nobody_gave_are_passed_over(model, batch, rows_of, labels_of):
    batch["labels"][4] = UNLABELLED
    batch["slots"][4] = UNLABELLED
    assert rows_of().loss(model, run(model, batch), batch, labels_of).isfinite()


def test_no_more_tools_than_asked_are_drawn(model, batch, rows_of, labels_of):
    out = run(model, batch)
    made_of_one = rows_of(1, Always(0.9))
    chosen = [made_of_one.draw.sample([0, 1, 2], 1)[0]]
    made = make(model, [made_of_one.tokens[each] for each in chosen], 0)
    logits = made_of_one._tool_logits(model, out, batch["labels"], chosen, made)
    kept = [column for column in range(4) if column not in chosen]
    assert torch.equal(logits[:, kept], out.tool_logits[:, kept])
    assert not torch.allclose(logits[:, chosen], out.tool_logits[:, chosen])


def test_without_examples_a_row_is_its_description(model, batch, rows_of):
    made_rows, out = rows_of(draw=Always(0.9)), run(model, batch)
    made = make(model, [made_rows.tokens[each] for each in (1, 2)], 0)
    logits = made_rows._tool_logits(model, out, batch["labels"], [1, 2], made)
    expected = model.tool_head.scale * F.linear(out.embedding, made.tools) + model.makers.bias[0]
    assert torch.allclose(logits[:, [1, 2]], expected, atol=1e-5)


def test_no_utterance_is_an_example_for_itself(model, batch, rows_of):
    """Its own logit is that of a row made without it; those of the others are of a row made with it."""
    made_rows, out = rows_of(draw=Always(0.1)), run(model, batch)
    made = make(model, [made_rows.tokens[each] for each in (1, 0)], 0)
    scale, bias = model.tool_head.scale, model.makers.bias[0]

    def logits(embedding):
        changed = out._replace(embedding=embedding)
        return made_rows._tool_logits(model, changed, batch["labels"], [1, 0], made).detach()

    embedding = out.embedding.detach()
    before = logits(embedding)
    with_second = F.normalize(made.tools[0] + embedding[1], dim=0)
    assert torch.allclose(before[0, 1], scale * embedding[0] @ with_second + bias, atol=1e-4)
    assert torch.allclose(before[4, 0], scale * embedding[4] @ made.tools[1] + bias, atol=1e-4)  # the only one
    changed = embedding.clone()
    changed[0] = F.normalize(torch.randn(32), dim=0)
    after = logits(changed)
    assert torch.allclose(after[0, 1], scale * changed[0] @ with_second + bias, atol=1e-4)
    # It is an example for the others of its tool, and for utterances of other tools.
    assert (after[1:, 1] - before[1:, 1]).abs().min() > 1e-4
    assert torch.allclose(after[1:, [0, 2, 3]], before[1:, [0, 2, 3]], atol=1e-5)


def test_what_is_drawn_is_torchs_to_decide(model, batch, rows_of, labels_of):
    """Its state is kept with an interrupted training."""
    out = run(model, batch)

    def losses(made_rows, seed):
        torch.manual_seed(seed)
        return [float(made_rows.loss(model, out, batch, labels_of).detach()) for _ in range(6)]

    used = rows_of(1)
    first = losses(used, 1)
    assert losses(used, 1) == first == losses(rows_of(1), 1) != losses(used, 2)


def test_slots_of_made_rows_are_learned(model, batch, rows_of, labels_of):
    made_rows = rows_of()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        out = run(model, batch)
        made = make(model, [made_rows.tokens[1]], 0)
        loss = made_rows._slot_loss(model, out, batch, labels_of, [1], made)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]


def test_a_tool_without_slots_has_no_slot_loss(model, batch, rows_of, labels_of):
    made_rows = rows_of()
    made = make(model, [made_rows.tokens[0]], 0)
    assert made_rows._slot_loss(model, run(model, batch), batch, labels_of, [0], made) == 0


# Whole trainings


@pytest.fixture
def quick(settings):
    return dataclasses.replace(settings, epochs=1)


def test_made_rows_can_be_turned_off(quick, tmp_path):
    """Nothing else teaches the makers."""
    with_made, without = (
        load_checkpoint(train(None, tmp_path / str(tools), dataclasses.replace(quick, made_tools=tools)).folder).model
        for tools in (2, 0)
    )
    assert not without.makers.bias.any() and torch.equal(without.makers.begin, torch.eye(32))
    assert with_made.makers.bias[0] != 0 and torch.isfinite(with_made.makers.bias).all()


def test_a_general_checkpoint_as_the_base_hands_its_makers_on(model, tokenizer, quick, tiny, tmp_path):
    general = tiny.ToolModel(model.encoder, GENERAL)
    with torch.no_grad():
        for each in general.makers.parameters():
            each.normal_()
    (tmp_path / "general").mkdir()
    save(tmp_path / "general", general, tokenizer, (), "bert", {})
    made = train(
        None, tmp_path / "made", dataclasses.replace(quick, base=str(tmp_path / "general"), made_tools=0, tune="heads")
    )
    before, after = (load_file(folder / HEADS_FILE) for folder in (tmp_path / "general", made.folder))
    assert all(torch.equal(after[name], each) for name, each in before.items() if name.startswith("makers."))
    assert load_checkpoint(made.folder).base == str(tmp_path / "general")
