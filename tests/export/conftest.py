"""Tiny real models, made in memory: no weights are downloaded and nothing takes long."""

from __future__ import annotations

import dataclasses
import itertools
import os
import random
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import pytest
import torch
from edgefn.export import pipeline
from edgefn.export.base import load_encoder
from edgefn.export.batches import Collator
from edgefn.export.calibrate import Goal
from edgefn.export.checkpoint import load_checkpoint
from edgefn.export.data import write_rows
from edgefn.export.model import ForeignClassifier, ToolModel
from edgefn.export.pipeline import ExportSettings, export_bundle
from edgefn.export.scoring import Scored
from edgefn.export.settings import TrainSettings
from edgefn.export.to_onnx import to_onnx
from edgefn.export.toolsets import read_tool_sets
from edgefn.export.train import train
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    BertConfig,
    DistilBertConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
    XLMRobertaConfig,
)

from edgefn.manifest import Heads
from edgefn.rows import Row
from edgefn.tool import Tool

TOOLS = ("play_music", "set_timer", "switch_lamp")
_OPENERS = ("please", "could you", "now", "hey", "kindly", "i want you to", "go and", "just")
_SAID = {
    "play_music": (("play", "hear"), ("jazz", "rock", "opera", "folk", "songs", "drums"), ("loud", "softly", "again")),
    "set_timer": (("set", "start"), ("one", "two", "five", "ten", "twenty", "sixty"), ("minutes", "seconds", "hours")),
    "switch_lamp": (("turn", "switch"), ("lamp", "light", "bulb", "spot", "candle", "lights"), ("on", "off", "up")),
    None: (("why", "who"), ("whales", "moon", "taxes", "kings", "rivers", "chess"), ("sleep", "blue", "old")),
}
_ENDINGS = ("today", "tonight", "there", "here", "for me", "at home")


def _words():
    said = (word for parts in _SAID.values() for part in parts for word in part)
    return sorted({*said, *" ".join((*_OPENERS, *_ENDINGS)).split()})


def make_rows(per_tool, seed, tools=(*TOOLS, None)):
    """Distinct rows of three tools and of none, in an order of chance."""
    draw = random.Random(seed)
    rows = []
    for tool in tools:
        texts = [" ".join(parts) for parts in itertools.product(_OPENERS, *_SAID[tool], _ENDINGS)]
        rows += [Row(text, tool) for text in draw.sample(texts, per_tool)]
    draw.shuffle(rows)
    return rows


def make_tokenizer(kind):
    """A tokenizer that knows the words above, in the layout of special tokens of `kind`."""
    like_bert = kind in ("bert", "distilbert")
    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]") if like_bert else ("<s>", "<pad>", "</s>", "<unk>")
    pad, unk, first, last = special if like_bert else (special[1], special[3], special[0], special[2])
    vocabulary = {word: index for index, word in enumerate((*special, *_words()))}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token=unk))
    core.normalizer = normalizers.Lowercase()
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    core.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", special_tokens=[(first, vocabulary[first]), (last, vocabulary[last])]
    )
    # As the published MiniLM does: every text padded to 128 tokens and cut there.
    core.enable_padding(length=128, pad_id=vocabulary[pad], pad_token=pad)
    core.enable_truncation(128)
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token=pad, unk_token=unk, cls_token=first, sep_token=last, model_max_length=512
    )


def make_config(kind, **rest):
    size = len(make_tokenizer(kind))
    if kind == "distilbert":
        return DistilBertConfig(
            vocab_size=size, dim=32, n_layers=2, n_heads=2, hidden_dim=64, max_position_embeddings=520, **rest
        )
    made = {"bert": BertConfig, "roberta": RobertaConfig, "xlm-roberta": XLMRobertaConfig}[kind]
    return made(
        vocab_size=size,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=520,
        type_vocab_size=2,
        **rest,
    )


def make_folder(folder, kind, model):
    model.save_pretrained(folder)
    make_tokenizer(kind).save_pretrained(folder)
    return folder


BASES = ("bert", "distilbert", "roberta")
FOREIGN = (*BASES, "xlm-roberta")


@pytest.fixture(scope="session")
def bases(tmp_path_factory):
    """Folders of untrained bases by kind."""
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("bases")
    return {kind: make_folder(root / kind, kind, AutoModel.from_config(make_config(kind))) for kind in BASES}


@pytest.fixture(scope="session")
def foreign(tmp_path_factory):
    """Folders of sequence classifiers that edgefn did not train; their labels are the tools."""
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("foreign")
    labels = dict(enumerate(TOOLS))
    made = {}
    for kind in FOREIGN:
        config = make_config(kind, id2label=labels, label2id={name: index for index, name in labels.items()})
        made[kind] = make_folder(root / kind, kind, AutoModelForSequenceClassification.from_config(config))
    return made


HEADS = Heads(
    tools=(*TOOLS, None),
    choices=(("state", "boolean", None), ("state", "boolean", "false"), ("state", "boolean", "true")),
    slots=(("O", "", ""), ("B", "minutes", "integer"), ("I", "minutes", "integer")),
)


def known_tools():
    """The tools of HEADS by name: set_timer takes minutes, switch_lamp a state."""
    properties = {"set_timer": {"minutes": {"type": "integer"}}, "switch_lamp": {"state": {"type": "boolean"}}}
    schemas = {name: {"type": "object", "properties": properties.get(name, {})} for name in TOOLS}
    return {name: Tool.select_only(name, name.replace("_", " "), schema) for name, schema in schemas.items()}


@pytest.fixture(scope="session")
def tool_models(bases):
    """A `ToolModel` with three heads over every tiny base, in evaluation mode."""
    torch.manual_seed(1)
    made = {}
    for kind, folder in bases.items():
        encoder = load_encoder(str(folder), attn_implementation="eager")
        model = ToolModel(encoder, HEADS)
        for head in (model.tool_head, model.choice_head, model.slot_head):
            torch.nn.init.normal_(head.bias)
        made[kind] = model.eval()
    return made


@pytest.fixture(scope="session")
def foreign_models(foreign):
    """A `ForeignClassifier` for every class of foreign folder."""
    return {kind: load_checkpoint(folder).model for kind, folder in foreign.items()}


@pytest.fixture(scope="session")
def graphs(tool_models, foreign_models, tmp_path_factory):
    """The fused float graph of every model: `("own" | "foreign", kind)` → ModelProto."""
    models_of = {("own", kind): model for kind, model in tool_models.items()}
    models_of |= {("foreign", kind): model for kind, model in foreign_models.items()}
    return {name: to_onnx(model, tmp_path_factory.mktemp("graph")) for name, model in models_of.items()}


@dataclasses.dataclass(frozen=True)
class Data:
    train: Path
    valid: Path


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Files of rows: 200 to train on, and 400 others."""
    folder = tmp_path_factory.mktemp("data")
    write_rows(folder / "train.jsonl", make_rows(50, seed=1))
    write_rows(folder / "valid.jsonl", make_rows(100, seed=2))
    return Data(folder / "train.jsonl", folder / "valid.jsonl")


@pytest.fixture(scope="session")
def settings(bases, data):
    """A training that takes seconds."""
    return TrainSettings(
        data=data.train, valid=data.valid, base=str(bases["bert"]), epochs=4, batch=16, rate=2e-3, head_rate=5e-3
    )


@pytest.fixture(scope="session")
def trained(settings, tmp_path_factory):
    """A training that ran to its end; nothing may be changed in its folder."""
    return train(None, tmp_path_factory.mktemp("trained") / "checkpoint", settings)


@pytest.fixture(scope="session")
def exported(trained, tmp_path_factory):
    """Bundles by precision: `{"int8": (path, Exported)}`; nothing may be changed in them."""
    root = tmp_path_factory.mktemp("bundles")
    made = {}
    for how in ("int8", "none", "fp16"):
        path = root / f"{how}.bundle"
        said = []
        made[how] = path, export_bundle(trained.folder, path, ExportSettings(quantization=how), said.append), said
    return made


HOME = """
description: A room.
tools:
- name: play_songs
  description: Play songs.
  parameters:
    kind: jazz|rock|opera|folk! Songs.
    again: boolean? Again.
  says:
  - please play {kind:jazz}
  - play {kind:rock} songs {again:again=true}
  - could you hear {kind:opera} at home
  - just play {kind:folk} today
  - hear {kind:jazz} tonight || again=false
  - play songs
- name: start_clock
  description: Set minutes.
  parameters:
    minutes: integer? Minutes.
    about: string? What the minutes are for.
  says:
  - set {minutes:five} minutes
  - start {minutes:ten} minutes for {about:chess}
  - please set {minutes:twenty} minutes for {about:old kings} now
  - kindly start {minutes:two} minutes
  - go and set {minutes:sixty} minutes there
- name: light_room
  description: Turn the lamp, light, bulb.
  parameters:
    spots: array[string]? The lamp, the light, the candle.
    state: "on|off! On, off."
  says:
  - turn {state:on} {spots:lamp}
  - switch {spots:bulb} {state:off} tonight
  - "{spots:light} and {spots:candle} {state:off} now"
  - hey turn lights {state:up=on}
outside:
- why whales sleep
- who taxes old kings
- why rivers blue
"""
STREET = """
tools:
- name: count_whales
  description: Who whales.
  says:
  - who whales today
  - now whales there
  - hey blue whales
- name: find_rivers
  description: Rivers there.
  parameters:
    near: string! There, at home.
  says:
  - rivers at {near:home}
  - please go to rivers {near:there}
  - old rivers {near:here} today
outside:
- play drums softly
- set chess
"""
"""Tool sets in the words above."""


@pytest.fixture(scope="session")
def sets_folder(tmp_path_factory):
    """A folder with one small tool set."""
    folder = tmp_path_factory.mktemp("sets")
    (folder / "home.yaml").write_text(HOME)
    return folder


@pytest.fixture(scope="session")
def home(sets_folder):
    """The tool set in it."""
    return read_tool_sets([sets_folder])[0]


@pytest.fixture(scope="session", autouse=True)
def few_trials(tmp_path_factory):
    """A folder with two small tool sets: the packaged ones would try every bundle of the tests 2,000 times."""
    folder = tmp_path_factory.mktemp("few_trials")
    (folder / "home.yaml").write_text(HOME)
    (folder / "street.yaml").write_text(STREET)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "HELD_OUT", folder)
        yield folder


class Helpers:
    """What fixtures cannot give: functions and names."""

    TOOLS, HEADS, BASES, FOREIGN = TOOLS, HEADS, BASES, FOREIGN
    tools = known_tools()
    make_rows = staticmethod(make_rows)
    make_tokenizer = staticmethod(make_tokenizer)
    make_config = staticmethod(make_config)
    make_folder = staticmethod(make_folder)
    Collator, Goal, Scored, ToolModel, ForeignClassifier = Collator, Goal, Scored, ToolModel, ForeignClassifier

    @staticmethod
    def batch(model, batch, tokens, seed=0):
        """Random ids and their mask; rows after the first are padded on the right."""
        generator = torch.Generator().manual_seed(seed)
        pad = int(model.config.pad_token_id or 0)
        ids = torch.randint(5, model.config.vocab_size, (batch, tokens), generator=generator)
        mask = torch.ones_like(ids)
        for row in range(1, batch):
            mask[row, max(1, tokens // (row + 1)) :] = 0
        return torch.where(mask.bool(), ids, pad), mask

    @staticmethod
    def feeds(ids, mask):
        return {"input_ids": ids.numpy(), "attention_mask": mask.numpy()}

    @staticmethod
    def apart(first, second):
        """The largest difference."""
        return float(np.abs(np.asarray(first) - np.asarray(second)).max())


@pytest.fixture(scope="session")
def tiny():
    return Helpers
