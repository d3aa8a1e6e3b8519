"""Training only the used word embeddings gives what training the whole table gives."""

import pytest
import torch
from edgefn.export.batches import Example, Examples
from edgefn.export.vocabulary import Vocabulary

USED = Examples([Example([2, 9, 30, 3], 0), Example([2, 7, 3], 1)])


@pytest.mark.parametrize("kind", ["bert", "distilbert", "roberta"])
def test_a_narrow_table_computes_the_same(tool_models, kind):
    import copy

    model = copy.deepcopy(tool_models[kind]).eval()
    pad = int(model.config.pad_token_id or 0)
    words = Vocabulary([USED], pad)
    assert len(words.ids) < model.config.vocab_size
    ids = torch.tensor([[2, 9, 30, 3], [2, 7, 3, pad]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    table = model.encoder.get_input_embeddings().weight.detach().clone()
    with torch.no_grad():
        before = model(ids, mask).tool_logits
        words.narrow(model.encoder)
        numbered = [each.input_ids for each in words.numbered(USED).examples]
        narrow = torch.tensor([numbered[0], [*numbered[1], pad]])
        assert torch.allclose(model(narrow, mask).tool_logits, before, atol=1e-6)
        model.encoder.get_input_embeddings().weight[words.ids.index(9)] += 1.0  # as if it had learned
        words.widen(model.encoder, table)
    whole = model.encoder.get_input_embeddings().weight
    changed = (whole != table).any(1).nonzero().flatten().tolist()
    assert whole.shape == table.shape and changed == [9]


def test_padding_keeps_its_number():
    words = Vocabulary([USED], pad_id=1)
    assert words.ids[:2] == [0, 1]
    assert [each.label for each in words.numbered(USED).examples] == [0, 1]
