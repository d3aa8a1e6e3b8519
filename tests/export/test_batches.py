"""Rows as token ids, padded batches, and scores in the order of the rows."""

from dataclasses import replace

import pytest
import torch
from edgefn.export.base import load_tokenizer
from edgefn.export.batches import Collator, Example, Examples, Opinion, infer, softened, tokenize, unlabelled
from edgefn.export.keys import UNLABELLED

from edgefn.manifest import Heads
from edgefn.rows import Row

ROWS = [
    Row("turn lamp on", "switch_lamp"),
    Row("please set five minutes here tonight", "set_timer"),
    Row("jazz", "play_music"),
    Row("why whales sleep", None),
]


@pytest.fixture(scope="module", params=["bert", "roberta"])
def tokenizer(request, bases):
    return load_tokenizer(str(bases[request.param]))


def test_rows_become_ids_with_special_tokens_and_their_row_of_the_head(tokenizer, tiny):
    examples, left_out = tokenize(ROWS, tokenizer, tiny.HEADS, tiny.tools, 128)
    assert left_out == 0
    assert examples.labels().tolist() == [tiny.HEADS.tools.index(row.tool) for row in ROWS]
    for row, example in zip(ROWS, examples.examples, strict=True):
        assert example.input_ids == tokenizer(row.text)["input_ids"]
        assert len(example.input_ids) == len(row.text.split()) + 2
        assert (example.input_ids[0], example.input_ids[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)


def test_longer_rows_are_left_out_never_cut(tokenizer, tiny):
    examples, left_out = tokenize(ROWS, tokenizer, tiny.HEADS, tiny.tools, 5)
    assert left_out == 1
    assert [len(each.input_ids) for each in examples.examples] == [5, 3, 5]
    assert len(examples) == 3


CALLS = [
    Row("please set twenty five minutes", "set_timer", {"minutes": 25}, ((11, 22, "minutes"),)),
    Row("turn lamp on", "switch_lamp", {"state": True}),
    Row("turn lamp", "switch_lamp"),
    Row("set ten minutes", "set_timer", {"minutes": 10}),  # nobody said which words
    Row("why whales sleep", None),
]
NOTHING = UNLABELLED


def test_every_word_and_every_choice_gets_a_label(tokenizer, tiny):
    examples, _ = tokenize(CALLS, tokenizer, tiny.HEADS, tiny.tools, 128)
    assert [each.words for each in examples.examples] == [(1, 2, 3, 4, 5), (1, 2, 3), (1, 2), (1, 2, 3), (1, 2, 3)]
    assert [each.slots for each in examples.examples[:4]] == [(0, 0, 1, 2, 0), (0, 0, 0), (0, 0), (0, 0, 0)]
    assert examples.examples[4].slots == (NOTHING,) * 3  # without a tool, words have no labels to choose from
    # One softmax, of "state": only switch_lamp has it.
    assert [each.choices for each in examples.examples] == [(NOTHING,), (2,), (0,), (NOTHING,), (NOTHING,)]


def test_heads_without_slots_and_choices(tokenizer, tiny):
    heads = Heads(tools=tiny.HEADS.tools)
    examples, _ = tokenize(CALLS, tokenizer, heads, tiny.tools, 128)
    assert {(each.words, each.slots, each.choices) for each in examples.examples} == {((), (), ())}
    batch = Collator(0)([examples[at] for at in range(len(CALLS))])
    assert batch["words"].shape == batch["slots"].shape == batch["choices"].shape == (5, 0)


def test_texts_that_nobody_labelled(tokenizer, tiny):
    texts = ["set ten minutes", "please turn lamp on here tonight", ""]
    examples = unlabelled(texts, tokenizer, tiny.HEADS, 6)
    assert [each.label for each in examples.examples] == [NOTHING, NOTHING]  # the second is too long
    assert [each.words for each in examples.examples] == [(1, 2, 3), ()]
    assert [each.slots for each in examples.examples] == [(NOTHING,) * 3, ()]
    assert {each.choices for each in examples.examples} == {(NOTHING,)}


def test_a_batch_is_padded_to_its_longest_on_the_right(tokenizer, tiny):
    examples, _ = tokenize(ROWS, tokenizer, tiny.HEADS, tiny.tools, 128)
    batch = Collator(tokenizer.pad_token_id)([examples[at] for at in range(len(ROWS))])
    assert batch["input_ids"].shape == batch["attention_mask"].shape == (4, 8)
    assert batch["input_ids"].dtype == batch["attention_mask"].dtype == torch.int64
    assert batch["labels"].tolist() == examples.labels().tolist()
    for ids, mask, example in zip(batch["input_ids"], batch["attention_mask"], examples.examples, strict=True):
        length = len(example.input_ids)
        assert ids[:length].tolist() == example.input_ids and mask[:length].eq(1).all()
        assert ids[length:].eq(tokenizer.pad_token_id).all() and mask[length:].eq(0).all()


def test_words_are_padded_with_what_no_loss_counts(tokenizer, tiny):
    examples, _ = tokenize(CALLS, tokenizer, tiny.HEADS, tiny.tools, 128)
    batch = Collator(tokenizer.pad_token_id)([examples[at] for at in range(len(CALLS))])
    assert batch["words"].shape == batch["slots"].shape == (5, 5)
    assert batch["words"].dtype == batch["slots"].dtype == batch["choices"].dtype == torch.int64
    for words, slots, example in zip(batch["words"], batch["slots"], examples.examples, strict=True):
        count = len(example.words)
        assert words[:count].tolist() == list(example.words) and words[count:].eq(0).all()
        assert slots[:count].tolist() == list(example.slots) and slots[count:].eq(UNLABELLED).all()
    assert batch["choices"].tolist() == [[UNLABELLED], [2], [0], [UNLABELLED], [UNLABELLED]]
    assert "soft" not in batch and "soft_slots" not in batch


def test_opinions_are_padded_too(tokenizer, tiny):
    examples, _ = tokenize(CALLS[:3], tokenizer, tiny.HEADS, tiny.tools, 128)
    opinions = [Opinion(torch.full((4,), 0.25), torch.full((len(each.words), 3), 1 / 3)) for each in examples.examples]
    soft = softened(examples, opinions)
    batch = Collator(0)([soft[at] for at in range(3)])
    assert batch["soft"].shape == (3, 4) and batch["soft_slots"].shape == (3, 5, 3)
    assert torch.allclose(batch["soft_slots"].sum(-1), (batch["slots"] != UNLABELLED).float())
    assert [each.soft for each in examples.examples] == [None] * 3  # the rows themselves are as they were
    assert "soft" not in Collator(0)([soft[0], examples[1]])  # only where all were asked


def test_scores_come_in_the_order_of_the_rows(tool_models, tiny):
    model = tool_models["bert"]
    lengths = [7, 3, 11, 3, 5] * 30  # more than one batch
    draw = torch.Generator().manual_seed(0)
    examples = Examples([Example(torch.randint(5, 40, (length,), generator=draw).tolist(), 0) for length in lengths])
    examples = Examples([replace(each, words=tuple(range(1, len(each.input_ids) - 1))) for each in examples.examples])
    found = infer(model, examples, Collator(0))
    assert found.tools.shape == (150, 4) and found.embedding.shape == (150, 32) and found.choices.shape == (150, 3)
    assert [each.shape for each in found.slots] == [(length - 2, 3) for length in lengths]
    for at in (0, 1, 2, 77, 149):
        ids = torch.tensor([examples.examples[at].input_ids])
        with torch.no_grad():
            alone = model(ids, torch.ones_like(ids))
        assert torch.allclose(alone.tool_logits[0], found.tools[at], atol=1e-4)
        assert torch.allclose(alone.choice_logits[0], found.choices[at], atol=1e-4)
        assert torch.allclose(alone.slot_logits[0, 1:-1], found.slots[at], atol=1e-4)
        assert torch.allclose(alone.embedding[0], found.embedding[at], atol=1e-5)


def test_inference_leaves_the_mode_and_the_gradients_as_they_were(tool_models):
    model = tool_models["bert"]
    examples = Examples([Example([5, 6, 7], 0)])
    for training in (True, False):
        model.train(training)
        logits = infer(model, examples, Collator(0)).tools
        assert model.training is training and not logits.requires_grad
    first = infer(model.train(), examples, Collator(0)).tools
    second = infer(model.eval(), examples, Collator(0)).tools
    assert torch.equal(first, second)  # no dropout in either


def test_no_rows_give_no_scores(tool_models, tiny, bases):
    found = infer(tool_models["bert"], Examples([]), Collator(0))
    assert found.tools.shape == (0, 4) and found.embedding.shape == (0, 32)
    assert found.choices.shape == (0, 3) and found.slots == ()
