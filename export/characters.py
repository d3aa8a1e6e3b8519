"""Characters that the base does not know: added to its vocabulary and to its word embeddings.

English bases know few Chinese characters; the others become one and the same unknown token, and a model cannot tell
them apart. A byte-level tokenizer knows every character and is left as it is.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from .base import load_tokenizer

Say = Callable[[str], None]

ENOUGH_UNKNOWN = 0.01
"""The share of unknown tokens above which characters are added."""
_NOISE = 0.5
"""Spread of the new embeddings around the mean of all, of the spread of all: enough to tell them apart."""


def grow(
    tokenizer: PreTrainedTokenizerFast,
    encoder: PreTrainedModel,
    texts: Sequence[str],
    seed: int,
    say: Say = lambda line: None,
) -> tuple[PreTrainedTokenizerFast, int]:
    """Return a tokenizer that knows the characters of `texts`, and how many were added; `encoder` grows with it.

    Where at most 1 % of the tokens are unknown, the tokenizer comes back as it is.
    """
    grown, added = grow_tokenizer(tokenizer, texts, say)
    grow_table(encoder, len(grown), added, seed)
    return grown, added


def grow_tokenizer(
    tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], say: Say = lambda line: None
) -> tuple[PreTrainedTokenizerFast, int]:
    """Return a tokenizer that knows the characters of `texts`, and how many entries were added to its vocabulary.

    The new ids are the last ones. A tokenizer that is no WordPiece stays as it is.
    """
    share = unknown_share(tokenizer, texts)
    if share <= ENOUGH_UNKNOWN:
        return tokenizer, 0
    missing = _missing(tokenizer.backend_tokenizer, texts)
    if not missing:
        say(f"{share:.0%} of the tokens are unknown to the base, and its tokenizer takes no more characters")
        return tokenizer, 0
    grown = _with_entries(tokenizer, missing)
    say(
        f"{share:.0%} of the tokens were unknown to the base; {len(missing)} characters were added to its vocabulary, "
        f"{unknown_share(grown, texts):.1%} are unknown now"
    )
    return grown, len(missing)


def grow_table(encoder: PreTrainedModel, size: int, added: int, seed: int) -> None:
    """Give the last `added` of `size` ids embeddings of their own: the mean of all, and a little noise.

    The same seed gives the same numbers, so that every copy of a base grows alike.
    """
    if not added:
        return
    table = encoder.get_input_embeddings().weight.detach()
    mean, spread = table[: size - added].mean(0), table[: size - added].std(0)
    if size > len(table):
        encoder.resize_token_embeddings(size, mean_resizing=False)
    noise = torch.randn(added, table.shape[1], generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        encoder.get_input_embeddings().weight[size - added : size] = mean + _NOISE * spread * noise.to(mean)


def unknown_share(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> float:
    """Return the share of unknown tokens among all tokens of `texts`, 0..1; 0 where nothing can be unknown."""
    unknown = tokenizer.unk_token_id
    encoded = tokenizer.backend_tokenizer.encode_batch(list(texts), add_special_tokens=False)
    ids = [token for encoding in encoded for token in encoding.ids]
    return ids.count(unknown) / len(ids) if ids and unknown is not None else 0.0


def _missing(core: Tokenizer, texts: Iterable[str]) -> list[str]:
    """Return the entries of one character that words of `texts` lack, sorted; none unless the model is WordPiece."""
    model = json.loads(core.to_str())["model"]
    if model["type"] != "WordPiece":
        return []
    vocabulary, unknown, prefix = model["vocab"], model["unk_token"], model["continuing_subword_prefix"]
    words = {word for text in texts for word in _words(core, text)}
    lost = (word for word in words if [each.value for each in core.model.tokenize(word)] == [unknown])
    # Greedy matching takes a longer entry wherever there is one, so no word that was known is divided anew.
    pieces = {prefix * (at > 0) + character for word in lost for at, character in enumerate(word)}
    return sorted(piece for piece in pieces if piece not in vocabulary)


def _words(core: Tokenizer, text: str) -> Iterator[str]:
    """Yield the words of a text as the tokenizer's model sees them."""
    text = core.normalizer.normalize_str(text) if core.normalizer is not None else text
    if core.pre_tokenizer is None:
        yield text
        return
    for word, _characters in core.pre_tokenizer.pre_tokenize_str(text):
        yield word


def _with_entries(tokenizer: PreTrainedTokenizerFast, entries: Sequence[str]) -> PreTrainedTokenizerFast:
    """Return the same tokenizer with more entries at the end of its vocabulary.

    They go into the model itself: `add_tokens` would match them before the text is normalised and divided.
    """
    first = len(tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        path = Path(folder, "tokenizer.json")
        whole = json.loads(path.read_text(encoding="utf-8"))
        whole["model"]["vocab"] |= {entry: first + number for number, entry in enumerate(entries)}
        path.write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
        grown = load_tokenizer(folder)
    grown.name_or_path = tokenizer.name_or_path
    return grown
