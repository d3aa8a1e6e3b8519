"""Train only the word embeddings that the rows use.

No other row of the table ever gets a gradient, yet the optimizer, the weight average and every saved state would carry
all of them: half of MiniLM's numbers. The result is the same as training the whole table, at a fraction of the work.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from .batches import Examples


class Vocabulary:
    """The token ids that a training uses, numbered without gaps."""

    def __init__(self, parts: Iterable[Examples], pad_id: int, texts: Iterable[Sequence[int]] = ()) -> None:
        """Collect the ids of every example and text; ids up to the padding id keep their number (RoBERTa's count)."""
        used = {token for part in parts for example in part.examples for token in example.input_ids}
        self.ids = sorted(used.union(*texts) | set(range(pad_id + 1)))
        self._number = {token: number for number, token in enumerate(self.ids)}

    def numbered(self, examples: Examples) -> Examples:
        """Return the examples in the narrow numbering."""
        number = self._number
        return Examples([replace(each, input_ids=[number[t] for t in each.input_ids]) for each in examples.examples])

    def number(self, ids: Sequence[int]) -> list[int]:
        """Return the ids of a text in the narrow numbering."""
        return [self._number[token] for token in ids]

    def narrow(self, encoder: PreTrainedModel) -> None:
        """Leave only the used rows in the encoder's table."""
        table = encoder.get_input_embeddings()
        small = nn.Embedding(len(self.ids), table.embedding_dim, padding_idx=table.padding_idx)
        with torch.no_grad():
            small.weight.copy_(table.weight[self.ids])
        encoder.set_input_embeddings(small)

    def widen(self, encoder: PreTrainedModel, table: Tensor) -> None:
        """Put the trained rows back into the base's whole `table` [vocabulary, dim]."""
        trained = encoder.get_input_embeddings()
        whole = nn.Embedding(*table.shape, padding_idx=trained.padding_idx)
        with torch.no_grad():
            whole.weight.copy_(table)
            whole.weight[self.ids] = trained.weight
        encoder.set_input_embeddings(whole)
