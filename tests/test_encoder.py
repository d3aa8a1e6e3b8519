"""Text becomes token ids or a reason not to run it; token ids become finite scores or one error."""

from __future__ import annotations

import numpy as np
import pytest
import tiny

from edgefn.encoder import DESCRIPTION_TOKENS, Encoded, Encoder
from edgefn.errors import BundleCorrupt, EngineError, InvalidUtterance
from edgefn.session import Session


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return tiny.encoder()


def words(count: int) -> str:
    return " ".join(["lamp"] * count)


def ids(encoder: Encoder, text: str) -> list[int]:
    """Return the token ids of a text that is given to the engine."""
    encoded = encoder.encode(text)
    assert isinstance(encoded, Encoded), encoded
    assert encoded.text == text
    return encoded.ids


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
    assert isinstance(encoder.encode("lamp 🎉"), Encoded)
    assert isinstance(encoder.encode("lamp 🎉 lamp"), Encoded)


def test_control_characters_inside_words_are_dropped(encoder):
    assert ids(encoder, "la\x00mp\x07 \x1bon\x7f") == ids(encoder, "lamp on")


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
    assert len(ids(encoder, words(tiny.MAX_TOKENS - 2))) == tiny.MAX_TOKENS
    assert encoder.encode(words(tiny.MAX_TOKENS - 1)) == "too_long"


@pytest.mark.parametrize("text", ["x" * 100_000, "lamp " * 20_000, "🎉" * 100_000, " " * 100_000, "\ud800" * 100_000])
def test_a_hundred_thousand_characters(encoder, text):
    assert encoder.encode(text) == "too_long"


def test_padding_and_truncation_of_the_file_are_switched_off(encoder):
    assert len(ids(encoder, "lamp")) == 3
    assert len(ids(encoder, words(8))) == 10


def test_case_and_accents_follow_the_tokenizer(encoder):
    assert ids(encoder, "LÁMP On") == ids(encoder, "lamp on")


def test_every_token_knows_its_characters_and_the_special_ones_have_none(encoder):
    encoded = encoder.encode("Turn  the LÁMP on")
    assert encoded.offsets == [(0, 0), (0, 4), (6, 9), (10, 14), (15, 17), (0, 0)]
    assert [encoded.text[word.start : word.end] for word in encoded.words] == ["Turn", "the", "LÁMP", "on"]
    assert [word.token for word in encoded.words] == [1, 2, 3, 4]


# Other tokenizers


def test_byte_level_knows_every_text():
    encoder = tiny.encoder(tiny.byte_level(), max_tokens=40)
    for text in ("你好", "🎉", "lamp", "\x00", "включи"):
        assert encoder.encode(text) == encoder.encode(text)
        assert len(ids(encoder, text)) == len(text.encode())
    assert encoder.encode("") == "empty"
    assert encoder.encode("  ") == "empty"
    assert encoder.encode("\ud800") == "not_text"


def test_unigram_counts_unknown_tokens():
    encoder = tiny.encoder(tiny.unigram())
    assert ids(encoder, "lamp on") == [1, 2]
    assert encoder.encode("你好") == "unknown_script"
    assert isinstance(encoder.encode("lamp 你"), Encoded)
    assert encoder.encode("the 你 好") == "unknown_script"


def test_unigram_that_falls_back_to_bytes_knows_every_text():
    encoder = tiny.encoder(tiny.unigram(byte_fallback=True), max_tokens=40)
    assert len(ids(encoder, "你")) > 3


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
    assert scores.choice_logits.shape == (3,)
    assert scores.slot_logits.shape == (6, 5)
    assert scores.slot_logits[1:-1].argmax(axis=1).tolist() == [0] * 4
    assert encoder.provider == "CPUExecutionProvider"
    assert encoder.threads == 1


def test_a_score_that_is_not_finite(encoder):
    with pytest.raises(EngineError, match="not finite") as caught:
        encoder.run(encoder.encode(f"lamp {tiny.POISON}"))
    assert "doctor" in caught.value.hint


@pytest.mark.parametrize("at", range(3), ids=["tools", "choices", "slots"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_score_of_any_head_that_is_not_finite(at, value):
    class Broken(Session):
        """A session in which one score of one head is broken."""

        def run(self, outputs, feeds):
            found = [each.copy() for each in super().run(outputs, feeds)]
            found[at].flat[-1] = value
            return found

    broken = Encoder(tiny.wordpiece(), Broken(tiny.graph(), threads=1), tiny.MAX_TOKENS)
    with pytest.raises(EngineError, match="not finite"):
        broken.run(broken.encode("set a timer"))


def test_token_the_graph_does_not_know(encoder):
    with pytest.raises(EngineError, match="while running the graph") as caught:
        encoder.run(Encoded("lamp", [10_000], [(0, 4)]))
    assert caught.value.hint
    assert caught.value.__cause__ is not None


def test_the_graph_runs_in_batches_and_the_mask_counts():
    session = Session(tiny.graph(), threads=1)
    on, pad = tiny.WORDS.index("on"), tiny.WORDS.index("off")
    feeds = {"input_ids": np.array([[on, on], [on, pad]]), "attention_mask": np.array([[1, 1], [1, 0]])}
    outputs = ("tool_logits", "choice_logits", "slot_logits", "token_embedding", "embedding")
    shapes = [each.shape for each in session.run(outputs, feeds)]
    assert shapes == [(2, 4), (2, 3), (2, 2, 5), (2, 2, tiny.DIM), (2, tiny.DIM)]
    logits, embedding = session.run(("tool_logits", "embedding"), feeds)
    assert np.array_equal(logits[0], logits[1])
    assert np.allclose(np.linalg.norm(embedding, axis=1), 1)


def test_embeddings_are_there_where_they_are_asked_for(encoder):
    encoded = encoder.encode("lamp on")
    without, asked = encoder.run(encoded), encoder.run(encoded, embeddings=True)
    assert (without.embedding.size, without.token_embedding.size) == (0, 0)
    assert asked.embedding.shape == (tiny.DIM,)
    assert asked.token_embedding.shape == (4, tiny.DIM)
    assert np.array_equal(without.tool_logits, asked.tool_logits)
    mean = asked.token_embedding.mean(0)
    assert np.allclose(asked.embedding, mean / np.linalg.norm(mean), atol=1e-6)


# Texts about tools


def test_a_text_about_a_tool_is_read_token_by_token(encoder):
    offsets, tokens = encoder.read("fan spin")
    assert offsets == [(0, 0), (0, 3), (4, 8), (0, 0)]
    assert tokens.argmax(axis=1).tolist() == [tiny.NEUTRAL, tiny.FREE["fan"], tiny.FREE["spin"], tiny.NEUTRAL]


def test_what_an_utterance_may_not_be_a_text_about_a_tool_may(encoder):
    for text in ("", "  ", "\ud800", "请开灯", words(50), "lamp\x00"):
        offsets, tokens = encoder.read(text)
        assert len(offsets) == len(tokens) >= 2
        assert np.isfinite(tokens).all()


def test_a_long_text_about_a_tool_is_cut(encoder):
    offsets, tokens = encoder.read(words(10_000))
    assert len(offsets) == len(tokens) == DESCRIPTION_TOKENS
