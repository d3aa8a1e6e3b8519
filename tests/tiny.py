"""A bundle small enough for a test and real all the same: a tokenizer, an ONNX graph, three tools and a threshold.

A word pulls in one direction, the embedding is the masked mean of its words, and every tool has one direction:
"on" is lamp_on, "off" is lamp_off, "timer" is set_timer, "weather" is none of these, other words are nothing. Three
words are numbers of minutes, "pasta" begins a label and "water" goes on with it, "loud" and "quiet" are a choice.

Some words have directions that no trained tool pulls in: tools that are added can be described with them. A parameter
that is described with a word is filled from the words of its direction, a value likewise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from edgefn.added.cache import RowCache
from edgefn.added.making import RowMaker
from edgefn.bundle import write_bundle
from edgefn.dispatcher import Dispatcher
from edgefn.encoder import Encoder
from edgefn.interpreter import Interpreter
from edgefn.manifest import (
    FORMAT,
    AddedCalibration,
    Calibration,
    CalibrationRows,
    Graph,
    Heads,
    Makers,
    Manifest,
    Source,
    TrainedTool,
)
from edgefn.policy.policy import Policy
from edgefn.policy.rule import Rule
from edgefn.registry import Registry
from edgefn.rows import Row
from edgefn.selftest import FILE, decide, rows_to
from edgefn.session import Session
from edgefn.tool import Tool

HERE = Policy(hints={"destructive": Rule(isolated=False), "open_world": Rule(isolated=False)})
"""Runs every tool in this process: those of the tests are in no file of their own."""
TOOLS = ("lamp_on", "lamp_off", "set_timer")
HEADS = Heads(
    tools=(*TOOLS, None),
    choices=(("loud", "boolean", None), ("loud", "boolean", "false"), ("loud", "boolean", "true")),
    slots=(
        ("O", "", ""),
        ("B", "label", "string"),
        ("I", "label", "string"),
        ("B", "minutes", "integer"),
        ("I", "minutes", "integer"),
    ),
    scale=20.0,
)
PULLS = {"on": 0, "bright": 0, "off": 1, "dark": 1, "timer": 2, "minutes": 2, "weather": 3, "sing": 3}
"""Direction of every word that speaks for a tool."""
NEUTRAL = 4
SAYS = {"five": 5, "ten": 5, "zero": 5, "pasta": 6, "water": 7, "loud": 8, "quiet": 9}
"""Direction of every word that says an argument."""
FREE = {"fan": 10, "spin": 10, "plants": 11, "door": 12, "gate": 13, "open": 14, "close": 15}
"""Direction of every word that no trained tool knows."""
DIM = 16
POISON = "poison"
"""The word whose embedding is not a number."""
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *PULLS, *SAYS, "the", "lamp", "set", "a", "please", POISON, *FREE]
MAX_TOKENS = 12
"""Special tokens included, so ten words fit."""
SOURCE = '''
"""Tools of the tests; each appends what it did to `ran`."""

from typing import Annotated

from edgefn import tool
from edgefn.schema import Range

ran = []


@tool
def lamp_on() -> str:
    """Switch the lamp on."""
    ran.append("lamp_on")
    return "on"


@tool
def lamp_off() -> str:
    """Switch the lamp off."""
    ran.append("lamp_off")
    return "off"


@tool
def set_timer(minutes: Annotated[int, Range(ge=1)], label: str = "timer", loud: bool = False) -> str:
    """Start a countdown timer.

    Args:
        minutes: how many minutes until it rings.
        label: what the timer is for.
        loud: whether it rings loudly.
    """
    ran.append(("set_timer", minutes, label))
    return f"{label}: {minutes}"
'''
GUIDE = '''
"""A tool of the tests whose names stand on a live list; change `menu`, or put an exception into it."""

from typing import Annotated

from edgefn import Among, tool

menu = ["Pasta", "Water"]


def dishes():
    if isinstance(menu[0], Exception):
        raise menu[0]
    return menu


@tool
def find_dish(dish: Annotated[str, Among(dishes)]) -> str:
    """Find a dish.

    Args:
        dish: which dish.
    """
    return dish
'''
UTTERANCES = {
    "turn the lamp on": "lamp_on",
    "make the lamp bright please": "lamp_on",
    "lamp off": "lamp_off",
    "the lamp dark please": "lamp_off",
    "set a timer": "set_timer",
    "a timer a timer": "set_timer",
    "the weather please": None,
    "sing": None,
}


def functions() -> tuple[list[Callable[..., Any]], list[Any]]:
    """Return fresh tools, and the list that says what they did."""
    space: dict[str, Any] = {"__name__": "tiny_tools"}
    exec(compile(SOURCE, __file__, "exec"), space)
    return [space[name] for name in TOOLS], space["ran"]


def guide_functions() -> tuple[list[Callable[..., Any]], list[Any]]:
    """Return the tool of a fresh guide, and its menu."""
    space: dict[str, Any] = {"__name__": "tiny_guide"}
    exec(compile(GUIDE, __file__, "exec"), space)
    return [space["find_dish"]], space["menu"]


def tools_file(folder: Path, name: str = "home.py") -> Path:
    """Write the tools into a file and return it."""
    path = folder / name
    path.write_text(SOURCE, encoding="utf-8")
    return path


# Tokenizers, as the bytes of tokenizer.json


def wordpiece(words: Sequence[str] = WORDS) -> bytes:
    """Return a BERT tokenizer that knows `words` and splits nothing; it pads and truncates, as MiniLM's does."""
    made = Tokenizer(models.WordPiece({word: at for at, word in enumerate(words)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [("[CLS]", words.index("[CLS]")), ("[SEP]", words.index("[SEP]"))]
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    made.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    made.enable_padding(length=64)
    made.enable_truncation(max_length=6)
    return made.to_str().encode()


def byte_level() -> bytes:
    """Return a byte-level BPE tokenizer: every text has tokens, none is unknown."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={letter: at for at, letter in enumerate(alphabet)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return made.to_str().encode()


def unigram(**options: Any) -> bytes:
    """Return a unigram tokenizer with the unknown token as its first."""
    vocabulary = [("<unk>", 0.0), ("▁lamp", -1.0), ("▁on", -1.0), ("▁the", -1.0)]
    vocabulary += [(f"<0x{byte:02X}>", -5.0) for byte in range(256 if options.get("byte_fallback") else 0)]
    made = Tokenizer(models.Unigram(vocabulary, **{"unk_id": 0, **options}))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    return made.to_str().encode()


# The graph


def graph(*, opset: int = 17, extra_input: bool = False) -> bytes:
    """Return an ONNX model with the inputs and outputs of every bundle."""
    inputs = [_value(name, TensorProto.INT64, ["batch", "tokens"]) for name in ("input_ids", "attention_mask")]
    if extra_input:
        inputs.append(_value("token_type_ids", TensorProto.INT64, ["batch", "tokens"]))
    outputs = [
        _value("tool_logits", TensorProto.FLOAT, ["batch", len(HEADS.tools)]),
        _value("choice_logits", TensorProto.FLOAT, ["batch", len(HEADS.choices)]),
        _value("slot_logits", TensorProto.FLOAT, ["batch", "tokens", len(HEADS.slots)]),
        _value("token_embedding", TensorProto.FLOAT, ["batch", "tokens", DIM]),
        _value("embedding", TensorProto.FLOAT, ["batch", DIM]),
    ]
    eye = HEADS.scale * np.eye(DIM)
    outside = eye[:, [*range(5), *range(8, DIM)]].sum(axis=1)
    goes_on = np.zeros(DIM)  # no word says a number of minutes in two words
    constants = {
        "words": _words(),
        "last": np.array([-1]),
        "first": np.array([1]),
        "tool_rows": eye[:, :4],
        "choice_rows": np.stack([eye[:, 2] / 2, eye[:, 9], eye[:, 8]], axis=1),
        "slot_rows": np.stack([outside, eye[:, 6], eye[:, 7], eye[:, 5], goes_on], axis=1),
    }
    nodes = [
        ("Gather", ["words", "input_ids"], "token_embedding", {}),
        ("Cast", ["attention_mask"], "mask", {"to": TensorProto.FLOAT}),
        ("Unsqueeze", ["mask", "last"], "mask_column", {}),
        ("Mul", ["token_embedding", "mask_column"], "masked", {}),
        ("ReduceSum", ["masked", "first"], "sum", {"keepdims": 0}),
        ("LpNormalization", ["sum"], "embedding", {"axis": -1, "p": 2}),
        ("MatMul", ["embedding", "tool_rows"], "tool_logits", {}),
        ("MatMul", ["embedding", "choice_rows"], "choice_logits", {}),
        ("LpNormalization", ["token_embedding"], "token_unit", {"axis": -1, "p": 2}),
        ("MatMul", ["token_unit", "slot_rows"], "slot_logits", {}),
    ]
    made = helper.make_graph(
        [helper.make_node(kind, given, [result], **attributes) for kind, given, result, attributes in nodes],
        "tiny",
        inputs,
        outputs,
        [numpy_helper.from_array(_typed(array), name) for name, array in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    if opset == 17:
        onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _words() -> np.ndarray:
    table = np.zeros((256, DIM))  # as many as the byte-level alphabet has
    table[:, NEUTRAL] = 0.1
    for word, direction in {**PULLS, **SAYS, **FREE}.items():
        table[WORDS.index(word)] = np.eye(DIM)[direction]
    table[WORDS.index(POISON)] = np.nan
    return table


def _value(name: str, kind: int, shape: list[Any]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _typed(array: np.ndarray) -> np.ndarray:
    return array.astype(np.int64 if array.dtype.kind == "i" else np.float32)


# What makes rows of added tools

MAKERS_FILE = "makers.f16"


def matrices() -> np.ndarray:
    """Return what makes rows, [3 · DIM + 1, DIM]: words that mean nothing are left out, "water" goes on "pasta"."""
    same = np.eye(DIM)
    same[NEUTRAL, NEUTRAL] = 0
    inside = np.zeros((DIM, DIM))
    inside[SAYS["water"], SAYS["pasta"]] = 1
    unsaid = np.eye(DIM)[PULLS["weather"]]
    return np.concatenate([same, inside, same, unsaid[None]]).astype(np.float32)


def added_calibration(**changed: Any) -> AddedCalibration:
    """Return a calibration of added tools that is that of the trained ones; arguments are given from .5 on."""
    known: dict[str, Any] = {
        "temperature": 1.0,
        "tool_slope": 4.0,
        "support_weight": 0.0,
        "size_weight": 0.0,
        "tool_intercept": 3.0,
        "slot_temperature": 1.0,
        "choice_temperature": 1.0,
        "call_slope": 4.0,
        "call_intercept": 3.0,
        "example_bias": 0.0,
        "threshold": 0.7,
        "argument_threshold": 0.5,
        "rows": None,
    }
    return AddedCalibration(**{**known, **changed})


def makers(**changed: Any) -> Makers:
    """Return scales as in the graph, and biases under which a word of another direction says nothing."""
    known: dict[str, Any] = {
        "file": MAKERS_FILE,
        "tool_bias": 0.0,
        "begin_bias": -2.0,
        "inside_bias": -2.0,
        "value_bias": 0.0,
        "unsaid_bias": 8.0,
        "required_unsaid_bias": 8.0,
        "named_bonus": 4.0,
        "slot_scale": HEADS.scale,
        "choice_scale": HEADS.scale,
        "calibration": added_calibration(),
    }
    return Makers(**{**known, **changed})


def row_maker(**changed: Any) -> RowMaker:
    """Return what makes rows with an encoder of its own; `changed` replaces fields of the makers."""
    return RowMaker(encoder(), makers(**changed), matrices())


# The bundle


def calibration(**changed: Any) -> Calibration:
    """Return a calibration in which one tool alone has .95, and two tools that tie have .56 each."""
    rows = CalibrationRows("calibration.jsonl", "0" * 64, rows=8, out_of_scope=2)
    known: dict[str, Any] = {
        "tool_temperature": 1.0,
        "slot_temperature": 1.0,
        "choice_temperature": 1.0,
        "platt_slope": 4.0,
        "platt_intercept": 3.0,
        "threshold": 0.7,
        "threshold_name": "balanced",
        "balanced_threshold": 0.7,
        "bound": None,
        "no_bound_reason": "8 calibration rows; a bound needs 200",
        "out_of_scope_share": 0.25,
        "rows": rows,
    }
    return Calibration(**{**known, **changed})


def manifest(**changed: Any) -> Manifest:
    """Return a manifest whose tools are those of `functions`; with `makers=None` none can be added."""
    tools = [Tool.from_function(function) for function in functions()[0]]
    known: dict[str, Any] = {
        "format": FORMAT,
        "serial": 1,
        "edgefn": "0.1.0",
        "tools": tuple(TrainedTool(t.name, t.description, dict(t.schema), t.fingerprint) for t in tools),
        "heads": HEADS,
        "graph": Graph("onnx/model.onnx", "none", MAX_TOKENS, DIM, 17, "1.17.0"),
        "calibration": calibration(),
        "source": Source("0" * 64, "tiny", {}),
        "makers": makers(),
        "measured": {},
    }
    return Manifest(**{**known, **changed})


def encoder(tokenizer: bytes | None = None, model: bytes | None = None, max_tokens: int = MAX_TOKENS) -> Encoder:
    """Return an encoder of the tiny graph, one thread."""
    return Encoder(tokenizer or wordpiece(), Session(model or graph(), threads=1), max_tokens)


def selftest() -> bytes:
    """Return the selftest rows of the tiny bundle."""
    machine = interpreter()
    return rows_to(decide(machine, text) for text in UTTERANCES)


def interpreter(**changed: Any) -> Interpreter:
    """Return an interpreter of the tiny graph; `changed` replaces fields of the manifest."""
    return Interpreter.of(manifest(**changed), encoder())


def dispatcher(
    here: Iterable[Callable[..., Any] | Tool] | None = None,
    cache: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    **changed: Any,
) -> Dispatcher:
    """Return a dispatcher that takes tools, over the tiny graph; `here` are those of this device, None `functions`.

    `settings` are the dispatcher's own (policy, fallback ...), `changed` are fields of the manifest.
    """
    about = manifest(**{"id": "sha256:tiny", **changed})
    engine = encoder()
    kept = None if cache is None else RowCache(cache, about.id)
    maker = None if about.makers is None else RowMaker(engine, about.makers, matrices(), kept)
    registry = Registry(functions()[0] if here is None else here)
    return Dispatcher(about, engine, registry, maker=maker, **{"policy": HERE, **(settings or {})})


def described(name: str, description: str, required: Sequence[str] = (), **properties: Any) -> Tool:
    """Return a tool that can be selected, never run; `properties` are the schemas of its parameters."""
    return Tool.select_only(name, description, _object(required, properties))


def runnable(
    name: str, description: str, function: Callable[..., Any], required: Sequence[str] = (), **properties: Any
) -> Tool:
    """Return a tool that runs `function`."""
    return Tool.from_schema(name, description, _object(required, properties), function)


def _object(required: Sequence[str], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def bundle(path: Path, files: dict[str, bytes] | None = None, **changed: Any) -> Path:
    """Write the tiny bundle and return its path; `files` replace its own, `changed` fields the manifest's."""
    about = manifest(**changed)
    own = {"onnx/model.onnx": graph(), "tokenizer.json": wordpiece(), FILE: selftest(), "README.md": b"# tiny\n"}
    if about.makers is not None:
        own[about.makers.file] = matrices().astype("<f2").tobytes()
    write_bundle(path, about, {**own, **(files or {})})
    return path


def guide_manifest(**changed: Any) -> Manifest:
    """Return the manifest of a guide on the same graph: "timer" is find_dish, "pasta" begins a dish.

    When it was trained, Soup and Pizza were on the menu.
    """
    tool = Tool.from_function(guide_functions()[0][0])
    schema = json.loads(json.dumps(dict(tool.schema)))
    schema["properties"]["dish"]["x-said-as"] = {"Soup": ["broth"], "Pizza": []}
    lamps = manifest().tools[:2]
    tags = [(tag, "dish" if name == "label" else name, kind) for tag, name, kind in HEADS.slots]
    known: dict[str, Any] = {
        "tools": (*lamps, TrainedTool(tool.name, tool.description, schema, tool.fingerprint)),
        "heads": replace(HEADS, tools=("lamp_on", "lamp_off", "find_dish", None), slots=tuple(tags)),
    }
    return manifest(**{**known, **changed})


def renamed(tool: Tool, **slots: tuple[str, str]) -> Manifest:
    """Return a manifest in which "timer" is `tool`; `slots` say which name and type a slot of the graph has now."""
    lamps = manifest().tools[:2]
    trained = TrainedTool(tool.name, tool.description, dict(tool.schema), tool.fingerprint)
    tags = [(tag, *slots.get(name, (name, kind))) for tag, name, kind in HEADS.slots]
    heads = replace(HEADS, tools=("lamp_on", "lamp_off", tool.name, None), slots=tuple(tags))
    return manifest(id=f"sha256:{tool.name}", tools=(*lamps, trained), heads=heads)


def guide(folder: Path) -> Path:
    """Write the bundle of the guide and return its path."""
    path = folder / "guide.bundle"
    own = {"onnx/model.onnx": graph(), "tokenizer.json": wordpiece(), FILE: b"", "README.md": b"# guide\n"}
    write_bundle(path, guide_manifest(makers=None), own)
    return path


def rows() -> list[Row]:
    """Return every utterance with its tool."""
    return [Row(text, tool) for text, tool in UTTERANCES.items()]


def rows_file(path: Path, labelled: Iterable[Row] | None = None) -> Path:
    """Write rows as JSONL and return the path."""
    lines = [json.dumps(row.to_json(), ensure_ascii=False) for row in (rows() if labelled is None else labelled)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
