"""The checkpoint folder: a plain Hugging Face encoder, our heads beside it.

config.json                 the encoder's, with our layout under "edgefn"
model.safetensors           the encoder, as `AutoModel.from_pretrained` expects it
tokenizer.json ...
edgefn_heads.safetensors    rows, bias and scale of each head
calibration.jsonl           rows that only calibration may see
report.json, report.txt     precision and recall of every tool
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedTokenizerFast

from edgefn.arguments.reader import snapshot
from edgefn.checking import plain
from edgefn.errors import CheckpointError, NamesUnavailable
from edgefn.manifest import Heads, TrainedTool
from edgefn.schema import SAID_AS
from edgefn.tool import Tool

from .base import load_encoder, load_tokenizer
from .keys import check_keys
from .model import HEADS_FILE, ExportableModel, ForeignClassifier, ToolModel
from .quiet import quiet

CALIBRATION_FILE = "calibration.jsonl"
UNFINISHED = ".unfinished-"
"""How the name begins of a folder that a killed run may leave inside a checkpoint."""


@dataclass(frozen=True)
class Checkpoint:
    """A fine-tuned model and what is known about it."""

    folder: Path
    """Where it lies."""
    model: ExportableModel
    """The model, in evaluation mode."""
    tokenizer: PreTrainedTokenizerFast
    """Its tokenizer, padding and truncation off."""
    tools: tuple[TrainedTool, ...]
    """The tools it was trained for."""
    base: str
    """Name of the base it was tuned from."""
    data: dict[str, str]
    """sha256 of every data file that training read, by file name."""

    @property
    def calibration(self) -> Path | None:
        """The rows kept for calibration, where training kept some."""
        path = self.folder / CALIBRATION_FILE
        return path if path.is_file() else None

    @property
    def sha256(self) -> str:
        """Digest over configuration, weights and tokenizer."""
        digest = hashlib.sha256()
        for name in sorted(path.name for path in self.folder.iterdir() if path.is_file()):
            if name.endswith((".safetensors", ".bin")) or name in ("config.json", "tokenizer.json"):
                digest.update(name.encode() + b"\0" + (self.folder / name).read_bytes())
        return digest.hexdigest()


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[Path]:
    """Give an empty folder to write the files of a checkpoint into; they go to `folder` once all are there.

    Raises CheckpointError when the disk refuses; what lay in `folder` is as it was then.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=folder) as name:
            yield Path(name)
            # Without config.json a folder is no checkpoint: a kill in between leaves no mixture that loads.
            for stale in ("config.json", CALIBRATION_FILE):
                (folder / stale).unlink(missing_ok=True)
            for path in sorted(Path(name).iterdir(), key=lambda path: path.name == "config.json"):
                path.replace(folder / path.name)
    except (OSError, SafetensorError) as exc:
        raise CheckpointError(f"{folder} cannot be written: {exc}", hint="free space, or choose another -o") from exc


def save_checkpoint(
    folder: Path,
    model: ToolModel,
    tokenizer: PreTrainedTokenizerFast,
    tools: tuple[TrainedTool, ...],
    base: str,
    data: dict[str, str],
) -> None:
    """Write encoder, tokenizer and heads to `folder`, which `writing` gives."""
    layout = {
        "format": 1,
        "base": base,
        "data": data,
        "tools": [_tool_to_json(tool) for tool in tools],
        "heads": {
            "tools": list(model.keys.tools),
            "choices": [list(key) for key in model.keys.choices],
            "slots": [list(key) for key in model.keys.slots],
        },
    }
    model.encoder.config.edgefn = layout
    model.encoder.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    save_file(_head_tensors(model), folder / HEADS_FILE)


def is_own(folder: Path) -> bool:
    """Tell whether `folder` holds a checkpoint that edgefn wrote."""
    try:
        return "edgefn" in json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint of edgefn's, or a plain Hugging Face sequence classifier whose labels are tool names.

    Raises:
        CheckpointError: the folder is neither, or is damaged.
    """
    if not (folder / "config.json").is_file():
        raise CheckpointError(
            f"{folder} holds no config.json", hint="give the folder that `edgefn train -o` wrote, or a Hugging Face one"
        )
    try:
        config = AutoConfig.from_pretrained(folder)
        layout = getattr(config, "edgefn", None)
        if layout is not None:
            return _load_own(folder, layout)
        if any(name.endswith("ForSequenceClassification") for name in config.architectures or ()):
            return _load_foreign(folder, config)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError, RuntimeError) as exc:
        raise CheckpointError(f"{folder} cannot be loaded: {exc}", hint="train again, or copy it again") from exc
    raise CheckpointError(
        f"{folder} is neither a checkpoint of edgefn nor a sequence classifier",
        hint="train it with `edgefn train`, or fine-tune an AutoModelForSequenceClassification",
    )


def _load_own(folder: Path, layout: dict[str, Any]) -> Checkpoint:
    rows = layout["heads"]
    keys = Heads(
        tools=tuple(rows["tools"]),
        choices=tuple((str(name), str(kind), value) for name, kind, value in rows["choices"]),
        slots=tuple((str(tag), str(name), str(kind)) for tag, name, kind in rows["slots"]),
    )
    tools = tuple(TrainedTool(**each) for each in layout["tools"])
    check_keys(tools, keys)
    # The fusion of attention knows the eager form.
    encoder = load_encoder(str(folder), attn_implementation="eager")
    model = ToolModel(encoder, keys)
    missing, unexpected = model.load_state_dict(load_file(folder / HEADS_FILE), strict=False)
    if unexpected or any(not name.startswith("encoder.") for name in missing):
        raise ValueError(f"{HEADS_FILE} does not fit config.json")
    return Checkpoint(
        folder,
        model.eval(),
        load_tokenizer(str(folder)),
        tools,
        layout["base"],
        dict(layout["data"]),
    )


def _load_foreign(folder: Path, config: Any) -> Checkpoint:
    labels = [str(config.id2label[index]) for index in range(config.num_labels)]
    if len(set(labels)) < len(labels):
        raise ValueError("two labels have one name")
    with quiet():
        classifier = AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation="eager")
    tools = tuple(_known_by_name(label) for label in labels)
    model = ForeignClassifier(classifier, Heads(tools=tuple(labels), accepts_added_rows=False))
    base = str(getattr(config, "_name_or_path", "") or folder.name)
    return Checkpoint(folder, model.eval(), load_tokenizer(str(folder)), tools, base, {})


def trained_tool(tool: Tool) -> TrainedTool:
    """Return what a bundle remembers of a tool: its schema, with the defaults and what people call its values now."""
    schema = json.loads(json.dumps(dict(tool.schema)))
    for each in tool.parameters:
        own = schema["properties"][each.name]
        with contextlib.suppress(NamesUnavailable):  # a list that only the device has: its names are read there
            if said_as := snapshot(each):
                own[SAID_AS] = said_as
        if not each.required and each.annotation is not Any and each.default is not None:
            own["default"] = plain(each.kind.write(each.default))
    return TrainedTool(tool.name, tool.description, schema, tool.fingerprint, tool.function is not None)


def _known_by_name(name: str) -> TrainedTool:
    return trained_tool(Tool.select_only(name, name, {"type": "object", "properties": {}}))


def _tool_to_json(tool: TrainedTool) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps({field: getattr(tool, field) for field in TrainedTool.__slots__}))
    return plain


def _head_tensors(model: ToolModel) -> dict[str, torch.Tensor]:
    return {
        name: tensor.detach().contiguous().float()
        for name, tensor in model.state_dict().items()
        if not name.startswith("encoder.")
    }
