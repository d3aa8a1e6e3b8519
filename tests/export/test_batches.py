"""Rows as token ids, padded batches, and scores in the order of the rows."""

import pytest
import torch
from edgefn.export.base import load_tokenizer
from edgefn.export.batches import Collator, Example, Examples, infer, tokenize

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
    examples, left_out = tokenize(ROWS, tokenizer, tiny.HEADS, 128)
    assert left_out == 0
    assert examples.labels().tolist() == [tiny.HEADS.tools.index(row.tool) for row in ROWS]
    for row, example in zip(ROWS, examples.examples, strict=True):
        assert example.input_ids == tokenizer(row.text)["input_ids"]
        assert len(example.input_ids) == len(row.text.split()) + 2
        assert (example.input_ids[0], example.input_ids[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)


def test_longer_rows_are_left_out_never_cut(tokenizer, tiny):
    examples, left_out = tokenize(ROWS, tokenizer, tiny.HEADS, 5)
    assert left_out == 1
    assert [len(each.input_ids) for each in examples.examples] == [5, 3, 5]
    assert len(examples) == 3


def test_a_batch_is_padded_to_its_longest_on_the_right(tokenizer, tiny):
    examples, _ = tokenize(ROWS, tokenizer, tiny.HEADS, 128)
    batch = Collator(tokenizer.pad_token_id)([examples[at] for at in range(len(ROWS))])
    assert batch["input_ids"].shape == batch["attention_mask"].shape == (4, 8)
    assert batch["input_ids"].dtype == batch["attention_mask"].dtype == torch.int64
    assert batch["labels"].tolist() == examples.labels().tolist()
    for ids, mask, example in zip(batch["input_ids"], batch["attention_mask"], examples.examples, strict=True):
        length = len(example.input_ids)
        assert ids[:length].tolist() == example.input_ids and mask[:length].eq(1).all()
        assert ids[length:].eq(tokenizer.pad_token_id).all() and mask[length:].eq(0).all()


def test_scores_come_in_the_order_of_the_rows(tool_models, tiny):
    model = tool_models["bert"]
    lengths = [7, 3, 11, 3, 5] * 30  # more than one batch
    draw = torch.Generator().manual_seed(0)
    examples = Examples([Example(torch.randint(5, 40, (length,), generator=draw).tolist(), 0) for length in lengths])
    logits, embedding = infer(model, examples, Collator(0))
    assert logits.shape == (150, 4) and embedding.shape == (150, 32)
    for at in (0, 1, 2, 77, 149):
        ids = torch.tensor([examples.examples[at].input_ids])
        with torch.no_grad():
            alone = model(ids, torch.ones_like(ids))
        assert torch.allclose(alone.tool_logits[0], logits[at], atol=1e-4)
        assert torch.allclose(alone.embedding[0], embedding[at], atol=1e-5)


def test_inference_leaves_the_mode_and_the_gradients_as_they_were(tool_models):
    model = tool_models["bert"]
    examples = Examples([Example([5, 6, 7], 0)])
    for training in (True, False):
        model.train(training)
        logits, _ = infer(model, examples, Collator(0))
        assert model.training is training and not logits.requires_grad
    first, _ = infer(model.train(), examples, Collator(0))
    second, _ = infer(model.eval(), examples, Collator(0))
    assert torch.equal(first, second)  # no dropout in either


def test_no_rows_give_no_scores(tool_models, tiny, bases):
    logits, embedding = infer(tool_models["bert"], Examples([]), Collator(0))
    assert logits.shape == (0, 4) and embedding.shape == (0, 32)
