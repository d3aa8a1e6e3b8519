"""Words are what people would say words are, whatever the tokenizer: word pieces, bytes or unigrams."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from edgefn.words import Word, is_chinese, words_of

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def pieces() -> Tokenizer:
    """A BERT tokenizer that splits words into syllables: "playing" is play, ##ing."""
    known = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "play",
        "##ing",
        "un",
        "##play",
        "##able",
        "don",
        "t",
        "'",
        ",",
        "你",
        "好",
    ]
    known += [*LETTERS, *(f"##{letter}" for letter in LETTERS), "-", ".", "!", "é"]
    made = Tokenizer(models.WordPiece({each: at for at, each in enumerate(dict.fromkeys(known))}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made


TOKENIZERS = {
    "pieces": pieces(),
    "bytes": Tokenizer.from_buffer(tiny.byte_level()),
    "unigram": Tokenizer.from_buffer(tiny.unigram()),
    "unigram of bytes": Tokenizer.from_buffer(tiny.unigram(byte_fallback=True)),
}
ALL = pytest.mark.parametrize("kind", TOKENIZERS)


def offsets(kind: str, text: str) -> list[tuple[int, int]]:
    return TOKENIZERS[kind].encode(text).offsets


def said(kind: str, text: str) -> list[str]:
    return [text[word.start : word.end] for word in words_of(text, offsets(kind, text))]


# One text, one division


@pytest.mark.parametrize("kind", ["pieces", "bytes"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("playing", ["playing"]),
        ("  Playing   unplayable ", ["Playing", "unplayable"]),
        ("don't stop", ["don", "'", "t", "stop"]),
        ("10,5 and 3.14!", ["10", ",", "5", "and", "3", ".", "14", "!"]),
        ("gate-12b", ["gate", "-", "12b"]),
        ("打开灯", ["打", "开", "灯"]),
        ("打开lamp灯12度", ["打", "开", "lamp", "灯", "12", "度"]),
        ("play你好", ["play", "你", "好"]),
        ("café olé", ["café", "olé"]),
        ("cafe\u0301 ole\u0301s", ["cafe\u0301", "ole\u0301s"]),  # the accent is a character of its own
        ("ab\tcd\nef\u3000gh", ["ab", "cd", "ef", "gh"]),
        ("", []),
        ("   ", []),
    ],
)
def test_words_and_marks(kind, text, words):
    found = said(kind, text)
    # Word pieces drop the accent after the last letter: it belongs to no token.
    assert [each.rstrip("\u0301") for each in found] == [each.rstrip("\u0301") for each in words]


def test_a_word_is_read_at_its_first_piece():
    text = "playing unplayable"
    assert words_of(text, offsets("pieces", text)) == [Word(1, 0, 7), Word(3, 8, 18)]


def test_a_character_of_several_tokens_is_one_word():
    text = "a你🎉b"
    assert words_of(text, offsets("bytes", text)) == [Word(0, 0, 1), Word(1, 1, 2), Word(4, 2, 3), Word(8, 3, 4)]
    assert said("bytes", "👍🏽") == ["👍", "🏽"]


def test_the_space_before_a_word_is_not_part_of_it():
    """Byte-level BPE and unigrams count it to the token."""
    assert words_of("the lamp", [(0, 3), (3, 8)]) == [Word(0, 0, 3), Word(1, 4, 8)]
    assert said("unigram", "the lamp on") == ["the", "lamp", "on"]
    assert words_of("a  b", [(0, 1), (1, 3), (3, 4)]) == [Word(0, 0, 1), Word(2, 3, 4)]


def test_special_tokens_are_no_words():
    assert words_of("on", [(0, 0), (0, 2), (0, 0)]) == [Word(1, 0, 2)]
    assert words_of("", [(0, 0), (0, 0)]) == []


def test_several_characters_of_one_token_stay_together():
    """What a tokenizer does not divide can have one label only."""
    assert words_of("你好吗", [(0, 2), (2, 3)]) == [Word(0, 0, 2), Word(1, 2, 3)]
    assert words_of("wait...", [(0, 4), (4, 7)]) == [Word(0, 0, 4), Word(1, 4, 7)]


def test_marks_that_the_tokenizer_drops_do_not_divide_a_word():
    text = "cafe\u0301s"
    assert words_of(text, [(0, 4), (5, 6)]) == [Word(0, 0, 6)]
    assert words_of("ab-cd", [(0, 2), (3, 5)]) == [Word(0, 0, 2), Word(1, 3, 5)]  # a hyphen does
    assert words_of("ab cd", [(0, 2), (3, 5)]) == [Word(0, 0, 2), Word(1, 3, 5)]


@pytest.mark.parametrize("text", ["हिंदी", "สวัสดี", "عَرَبِيّ"])
def test_vowel_signs_do_not_divide_a_word(text):
    assert said("bytes", text) == [text]


@pytest.mark.parametrize("character", "你〇㐀豈𠀀")
def test_chinese_characters(character):
    assert is_chinese(character)


@pytest.mark.parametrize("character", "aé1,。、あア한🎉 \u3000")
def test_what_is_no_chinese_character(character):
    assert not is_chinese(character)


# Any text

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.text(
    "ab1 ,.'-é\u0301你好🎉한\n", max_size=40
)


@ALL
@given(text=texts)
def test_words_are_in_order_and_cover_what_has_a_token(kind, text):
    where = offsets(kind, text)
    words = words_of(text, where)
    reached = 0
    for word in words:
        assert reached <= word.start < word.end <= len(text)
        assert not text[word.start].isspace()
        first, last = where[word.token]
        assert first <= word.start < last
        reached = word.end
    assert [word.token for word in words] == sorted({word.token for word in words})
    covered = {at for word in words for at in range(word.start, word.end)}
    assert {at for start, end in where for at in range(start, end) if not text[at].isspace()} <= covered


@given(text=texts)
def test_the_bytes_of_a_text_are_divided_at_its_characters(text):
    """With a token a byte, a word is exactly a run of letters and digits, or one character that is none."""
    words = [text[word.start : word.end] for word in words_of(text, offsets("bytes", text))]
    assert "".join(words) == "".join(text.split())
    for word in words:
        if len(word) > 1:
            assert all(each.isalnum() or unicodedata.category(each).startswith("M") for each in word)
            assert not any(map(is_chinese, word))


@ALL
@given(text=texts)
def test_the_same_text_is_divided_the_same_way(kind, text):
    where = offsets(kind, text)
    assert words_of(text, where) == words_of(text, iter(where))


@given(text=st.text(), where=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=8))
def test_whatever_the_offsets_words_do_not_overlap(text, where):
    where = [(min(start, len(text)), min(end, len(text))) for start, end in where]
    words = words_of(text, where)
    for before, after in itertools.pairwise(words):
        assert before.end <= after.start
        assert before.token < after.token
