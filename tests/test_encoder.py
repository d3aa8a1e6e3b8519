"""Text becomes token ids or a reason not to run it; token ids become finite scores or one error."""

from __future__ import annotations

import numpy as np
import pytest
import tiny

from edgefn.encoder import Encoder
from edgefn.errors import BundleCorrupt, EngineError, InvalidUtterance
from edgefn.session import Session


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return tiny.encoder()


def words(count: int) -> str:
    return " ".join(["lamp"] * count)


@pytest.mark.parametrize("text", ["", " ", "\n\t  \r", "\u3000\u00a0", "\x00", "\x01\x02\x7f", "\u200b", "\ufeff"])
def test_nothing_to_read(encoder, text):
    assert encoder.encode(text) == "empty"


@pytest.mark.parametrize("text", ["\ud800", "lamp \udcff on", "\udfff\ud800"])
def test_lone_surrogates_are_not_text(encoder, text):
    assert encoder.encode(text) == "not_text"


@pytest.mark.parametrize("text", ["你好", "включи свет", "🎉", "on 你好", "🎉 🎉 lamp"])
def test_mostly_unknown_tokens(encoder, text):
    assert encoder.encode(text) == "unknown_script"


def test_half_of_the_tokens_may_be_unknown(encoder):
    assert isinstance(encoder.encode("lamp 🎉"), list)
    assert isinstance(encoder.encode("lamp 🎉 lamp"), list)


def test_control_characters_inside_words_are_dropped(encoder):
    assert encoder.encode("la\x00mp\x07 \x1bon\x7f") == encoder.encode("lamp on")


@pytest.mark.parametrize("text", [None, 5, b"lamp", ["lamp"], 1.5, object()])
def test_not_a_string(encoder, text):
    with pytest.raises(InvalidUtterance, match=f"not {type(text).__name__}") as caught:
        encoder.encode(text)
    assert isinstance(caught.value, TypeError)
    assert caught.value.hint


def test_a_subclass_of_str_is_a_string(encoder):
    class Said(str):
        """A string with more to it."""

    assert encoder.encode(Said("lamp on")) == encoder.encode("lamp on")


def test_as_many_tokens_as_allowed_and_one_more(encoder):
    just = encoder.encode(words(tiny.MAX_TOKENS - 2))
    assert len(just) == tiny.MAX_TOKENS
    assert encoder.encode(words(tiny.MAX_TOKENS - 1)) == "too_long"


@pytest.mark.parametrize("text", ["x" * 100_000, "lamp " * 20_000, "🎉" * 100_000, " " * 100_000, "\ud800" * 100_000])
def test_a_hundred_thousand_characters(encoder, text):
    assert encoder.encode(text) == "too_long"


def test_padding_and_truncation_of_the_file_are_switched_off(encoder):
    assert len(encoder.encode("lamp")) == 3
    assert len(encoder.encode(words(8))) == 10


def test_case_and_accents_follow_the_tokenizer(encoder):
    assert encoder.encode("LÁMP On") == encoder.encode("lamp on")


# Other tokenizers


def test_byte_level_knows_every_text():
    encoder = tiny.encoder(tiny.byte_level(), max_tokens=40)
    for text in ("你好", "🎉", "lamp", "\x00", "включи"):
        assert encoder.encode(text) == encoder.encode(text)
        assert len(encoder.encode(text)) == len(text.encode())
    assert encoder.encode("") == "empty"
    assert encoder.encode("  ") == "empty"
    assert encoder.encode("\ud800") == "not_text"


def test_unigram_counts_unknown_tokens():
    encoder = tiny.encoder(tiny.unigram())
    assert encoder.encode("lamp on") == [1, 2]
    assert encoder.encode("你好") == "unknown_script"
    assert isinstance(encoder.encode("lamp 你"), list)
    assert encoder.encode("the 你 好") == "unknown_script"


def test_unigram_that_falls_back_to_bytes_knows_every_text():
    encoder = tiny.encoder(tiny.unigram(byte_fallback=True), max_tokens=40)
    assert len(encoder.encode("你")) > 3


@pytest.mark.parametrize("data", [b"", b"{}", b"not json", b"\xff\xfe", tiny.wordpiece()[:-40]])
def test_tokenizer_that_cannot_be_read(data):
    session = Session(tiny.graph(), threads=1)
    with pytest.raises(BundleCorrupt, match=r"tokenizer\.json cannot be read") as caught:
        Encoder(data, session, tiny.MAX_TOKENS)
    assert caught.value.hint


def test_tokenizer_without_its_unknown_token_is_refused_before_it_meets_an_unknown_word():
    unnamed = tiny.wordpiece().replace(b'"unk_token":"[UNK]"', b'"unk_token":"[WHAT]"')
    for data in (unnamed, tiny.unigram(unk_id=None)):
        with pytest.raises(BundleCorrupt, match=r"tokenizer\.json cannot be read"):
            tiny.encoder(data)


# Running


def test_scores_of_one_pass(encoder):
    scores = encoder.run(encoder.encode("turn the lamp on"))
    assert scores.tool_logits.shape == (4,)
    assert scores.tool_logits.argmax() == 0
    assert encoder.provider == "CPUExecutionProvider"
    assert encoder.threads == 1


def test_a_score_that_is_not_finite(encoder):
    with pytest.raises(EngineError, match="not finite") as caught:
        encoder.run(encoder.encode(f"lamp {tiny.POISON}"))
    assert "doctor" in caught.value.hint


def test_token_the_graph_does_not_know(encoder):
    with pytest.raises(EngineError, match="while running the graph") as caught:
        encoder.run([10_000])
    assert caught.value.hint
    assert caught.value.__cause__ is not None


def test_the_graph_runs_in_batches_and_the_mask_counts():
    session = Session(tiny.graph(), threads=1)
    on, pad = tiny.WORDS.index("on"), tiny.WORDS.index("off")
    feeds = {"input_ids": np.array([[on, on], [on, pad]]), "attention_mask": np.array([[1, 1], [1, 0]])}
    outputs = ("tool_logits", "choice_logits", "slot_logits", "token_embedding", "embedding")
    shapes = [each.shape for each in session.run(outputs, feeds)]
    assert shapes == [(2, 4), (2, 3), (2, 2, 3), (2, 2, 5), (2, 5)]
    logits, embedding = session.run(("tool_logits", "embedding"), feeds)
    assert np.array_equal(logits[0], logits[1])
    assert np.allclose(np.linalg.norm(embedding, axis=1), 1)
