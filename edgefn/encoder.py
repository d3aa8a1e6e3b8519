"""From an utterance to the scores of one pass: tokenize without padding, run the graph once."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import Unigram

from edgefn.errors import BundleCorrupt, EngineError, InvalidUtterance
from edgefn.outcome import AbstainReason
from edgefn.session import Session
from edgefn.words import Word, words_of

Floats: TypeAlias = NDArray[np.float32]

OUTPUTS = ("tool_logits", "choice_logits", "slot_logits")
"""What is asked of the graph for one utterance."""
EMBEDDINGS = ("embedding", "token_embedding")
"""What is asked beside where tools were added."""
DESCRIPTION_TOKENS = 256
"""Longest text about a tool that is read; what lies beyond is left out."""

_CHARACTERS_PER_TOKEN = 64
"""Longer than this per token cannot be speech or typing, so it is not even tokenized."""


def _none() -> Floats:
    return np.zeros(0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Encoded:
    """An utterance as the engine takes it."""

    text: str
    """The utterance."""
    ids: list[int]
    """Token ids, the special ones included."""
    offsets: list[tuple[int, int]]
    """First character of each token and one past its last; special tokens have none."""

    @property
    def words(self) -> list[Word]:
        """The words that slots are read from."""
        return words_of(self.text, self.offsets)


@dataclass(frozen=True, slots=True)
class Scores:
    """What one pass over one utterance returned."""

    tool_logits: Floats
    """[tools]"""
    choice_logits: Floats
    """[choices]"""
    slot_logits: Floats
    """[tokens, slot labels]"""
    embedding: Floats = field(default_factory=_none)
    """[dim], unit; empty where it was not asked for"""
    token_embedding: Floats = field(default_factory=_none)
    """[tokens, dim]; empty where it was not asked for"""


class Encoder:
    """A tokenizer and a session, run one utterance at a time.

    Never padded: dynamic int8 takes its activation scale over the whole tensor, so padding would change the scores.
    """

    def __init__(self, tokenizer_json: bytes, session: Session, max_tokens: int) -> None:
        """Build the tokenizer from the bytes of `tokenizer.json`; longer texts than `max_tokens` are not run.

        Raises BundleCorrupt when the tokenizer cannot be read.
        """
        try:
            self._tokenizer = Tokenizer.from_buffer(tokenizer_json)
            self._unknown = _unknown_id(self._tokenizer)
        except Exception as exc:  # tokenizers raises plain Exception
            raise BundleCorrupt(
                f"tokenizer.json cannot be read: {exc}", hint="export the bundle again, or upgrade tokenizers"
            ) from exc
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._special = self._tokenizer.num_special_tokens_to_add(is_pair=False)
        self._session = session
        self._max_tokens = max_tokens
        self._mask = np.ones((1, max_tokens), dtype=np.int64)
        self.provider = session.provider
        self.threads = session.threads

    def encode(self, text: str) -> Encoded | AbstainReason:
        """Return the text as tokens, or why it is not given to the engine; raises InvalidUtterance."""
        if not isinstance(text, str):
            raise InvalidUtterance(
                f"an utterance is a str, not {type(text).__name__}", hint="decode bytes before you pass them"
            )
        if len(text) > self._max_tokens * _CHARACTERS_PER_TOKEN:
            return "too_long"
        try:
            encoding = self._tokenizer.encode(text)
        except TypeError:  # a lone surrogate has no UTF-8 form
            return "not_text"
        ids: list[int] = encoding.ids
        said = len(ids) - self._special
        if said <= 0 or text.isspace():
            return "empty"
        if len(ids) > self._max_tokens:
            return "too_long"
        if self._unknown is not None and 2 * ids.count(self._unknown) > said:
            return "unknown_script"
        return Encoded(text, ids, encoding.offsets)

    def run(self, encoded: Encoded, embeddings: bool = False) -> Scores:
        """Run the graph once over what `encode` returned; raises EngineError, also when a score is not finite."""
        feeds = {
            "input_ids": np.array([encoded.ids], dtype=np.int64),
            "attention_mask": self._mask[:, : len(encoded.ids)],
        }
        outputs = (*OUTPUTS, *EMBEDDINGS) if embeddings else OUTPUTS
        tools, choices, slots, *embedded = (each[0] for each in self._session.run(outputs, feeds))
        # A sum is not finite where any of its terms is not; the heads cannot overflow it.
        if not math.isfinite(tools.sum() + choices.sum() + slots.sum()):
            raise EngineError(
                "the graph returned scores that are not finite",
                hint="run `edgefn doctor BUNDLE`; export again with --quantize none if it persists",
            )
        return Scores(tools, choices, slots, *embedded)

    def read(self, text: str) -> tuple[list[tuple[int, int]], Floats]:
        """Return the characters of every token of a text about a tool, and their embeddings [tokens, dim].

        Characters that are no text are left out. Raises EngineError when the engine fails.
        """
        encoding = self._tokenizer.encode(text.encode("utf-8", "ignore").decode())
        ids = encoding.ids[:DESCRIPTION_TOKENS]
        feeds = {
            "input_ids": np.array([ids], dtype=np.int64),
            "attention_mask": np.ones((1, len(ids)), dtype=np.int64),
        }
        (tokens,) = self._session.run(("token_embedding",), feeds)
        return encoding.offsets[: len(ids)], tokens[0]


def _unknown_id(tokenizer: Tokenizer) -> int | None:
    """Return the id of the unknown token; None for tokenizers that fall back to bytes, which know every text."""
    model = tokenizer.model
    unknown = getattr(model, "unk_token", None)
    if isinstance(unknown, str):
        found: int | None = tokenizer.token_to_id(unknown)
        if found is None:  # it would fail at the first unknown word
            raise ValueError(f"its unknown token {unknown!r} is not in its vocabulary")
        return found
    if not isinstance(model, Unigram):
        return None
    tokens = model.tokenize("\U0010ffff")  # a unigram model does not show its unknown id; nobody knows this character
    return tokens[0].id if len(tokens) == 1 else None  # several tokens: it falls back to bytes
