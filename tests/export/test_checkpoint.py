"""The checkpoint folder: what is written is read back, and damage is one clear error."""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pytest
import torch
from edgefn.export import checkpoint as checkpoint_module
from edgefn.export.checkpoint import HEADS_FILE, load_checkpoint, save_checkpoint, trained_tool, writing
from edgefn.export.pack import heads_of
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForSequenceClassification

from edgefn import Among, Synonyms
from edgefn.errors import CheckpointError
from edgefn.tool import Tool, fingerprint_parameters

SCHEMA = {
    "type": "object",
    "properties": {"state": {"type": "boolean", "description": "on or off"}},
    "required": ["state"],
    "additionalProperties": False,
}


def trained_tools(tiny):
    return tuple(trained_tool(Tool.select_only(name, f"Does {name}, gern für jeden.", SCHEMA)) for name in tiny.TOOLS)


def save(folder, model, tiny, kind):
    with writing(folder) as unfinished:
        data = {"train.jsonl": "ab" * 32}
        save_checkpoint(unfinished, model, tiny.make_tokenizer(kind), trained_tools(tiny), "some-base", data)
    return folder


@pytest.fixture(scope="module")
def folders(tool_models, tiny, tmp_path_factory):
    root = tmp_path_factory.mktemp("checkpoints")
    return {kind: save(root / kind, model, tiny, kind) for kind, model in tool_models.items()}


@pytest.fixture
def copied(folders, tmp_path):
    return shutil.copytree(folders["bert"], tmp_path / "checkpoint")


def edit(folder, change):
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("kind", ["bert", "distilbert", "roberta"])
def test_what_is_written_is_read_back(folders, tool_models, tiny, kind):
    loaded, model = load_checkpoint(folders[kind]), tool_models[kind]
    assert loaded.model.keys == model.keys == tiny.HEADS
    assert loaded.tools == trained_tools(tiny)
    assert (loaded.base, loaded.data) == ("some-base", {"train.jsonl": "ab" * 32})
    assert not loaded.model.training
    core = loaded.tokenizer.backend_tokenizer
    assert core.padding is None and core.truncation is None
    ids, mask = tiny.batch(model, 3, 12)
    with torch.no_grad():
        for before, after in zip(model(ids, mask), loaded.model(ids, mask), strict=True):
            assert torch.equal(before, after)
    assert heads_of(loaded).scale == pytest.approx(20.0)


@pytest.mark.parametrize("kind", ["bert", "distilbert", "roberta"])
def test_the_encoder_is_a_plain_hugging_face_model(folders, tool_models, tiny, kind):
    encoder, info = AutoModel.from_pretrained(folders[kind], output_loading_info=True)
    assert list(info["missing_keys"]) == []
    assert list(info["unexpected_keys"]) == list(info["mismatched_keys"]) == []
    ids, mask = tiny.batch(tool_models[kind], 3, 12)
    with torch.no_grad():
        plain = encoder.eval()(input_ids=ids, attention_mask=mask).last_hidden_state
        own = tool_models[kind](ids, mask).token_embedding
    real = mask.bool()
    assert torch.allclose(plain[real], own[real], atol=1e-5)


def test_the_layout_stands_in_the_configuration(folders, tiny):
    config = json.loads((folders["bert"] / "config.json").read_text())
    assert config["model_type"] == "bert"
    layout = config["edgefn"]
    assert (layout["format"], layout["base"], layout["data"]) == (1, "some-base", {"train.jsonl": "ab" * 32})
    assert layout["heads"]["tools"] == [*tiny.TOOLS, None]
    assert layout["heads"]["choices"] == [
        ["state", "boolean", None],
        ["state", "boolean", "false"],
        ["state", "boolean", "true"],
    ]
    assert layout["heads"]["slots"] == [["O", "", ""], ["B", "minutes", "integer"], ["I", "minutes", "integer"]]
    assert [tool["name"] for tool in layout["tools"]] == list(tiny.TOOLS)
    assert layout["tools"][0]["parameters"] == SCHEMA


def test_the_heads_lie_in_a_file_of_their_own(folders, tiny):
    tensors = load_file(folders["bert"] / HEADS_FILE)
    heads = {"tool_head": 4, "choice_head": 3, "slot_head": 3}
    shapes = {
        f"{head}.{part}": shape
        for head, keys in heads.items()
        for part, shape in (("rows", (keys, 32)), ("bias", (keys,)), ("log_scale", ()))
    }
    makers = {f"makers.{name}": (32, 32) for name in ("begin", "inside", "value")}
    shapes |= makers | {"makers.unsaid": (32,), "makers.bias": (6,)}
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == shapes
    assert not [name for name in load_file(folders["bert"] / "model.safetensors") if "head" in name]


def test_the_digest_follows_weights_configuration_and_tokenizer_only(copied):
    before = load_checkpoint(copied).sha256
    (copied / "report.txt").write_text("other numbers")
    (copied / "calibration.jsonl").write_text("{}")
    assert load_checkpoint(copied).sha256 == before
    seen = {before}
    for name in (HEADS_FILE, "model.safetensors"):
        tensors = load_file(copied / name)
        first = next(iter(tensors))
        save_file({**tensors, first: tensors[first] + 1}, copied / name, metadata={"format": "pt"})
        seen.add(load_checkpoint(copied).sha256)
    edit(copied, lambda config: config["edgefn"].update(base="another"))
    seen.add(load_checkpoint(copied).sha256)
    assert len(seen) == 4


def test_calibration_rows_are_where_training_put_them(copied):
    assert load_checkpoint(copied).calibration is None
    (copied / "calibration.jsonl").write_text("{}")
    assert load_checkpoint(copied).calibration == copied / "calibration.jsonl"


def lose_config(folder):
    (folder / "config.json").unlink()


def break_config(folder):
    (folder / "config.json").write_text("{ not json")


def lose_heads(folder):
    (folder / HEADS_FILE).unlink()


def cut_heads(folder):
    (folder / HEADS_FILE).write_bytes((folder / HEADS_FILE).read_bytes()[:100])


def empty_heads(folder):
    (folder / HEADS_FILE).write_bytes(b"")


def forget_a_tensor(folder):
    tensors = load_file(folder / HEADS_FILE)
    del tensors["tool_head.bias"]
    save_file(tensors, folder / HEADS_FILE)


def add_a_tensor(folder):
    save_file({**load_file(folder / HEADS_FILE), "extra": torch.zeros(1)}, folder / HEADS_FILE)


def drop_a_row(folder):
    tensors = load_file(folder / HEADS_FILE)
    tensors["tool_head.rows"] = tensors["tool_head.rows"][1:].contiguous()
    save_file(tensors, folder / HEADS_FILE)


def lose_weights(folder):
    (folder / "model.safetensors").unlink()


def cut_weights(folder):
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:5000])


def lose_tokenizer(folder):
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / name).unlink()


def no_heads_in_layout(folder):
    edit(folder, lambda config: config["edgefn"].pop("heads"))


def no_layout(folder):
    edit(folder, lambda config: config.update(edgefn="yes"))


def strange_tool(folder):
    edit(folder, lambda config: config["edgefn"]["tools"][0].update(colour="red"))


def short_key(folder):
    edit(folder, lambda config: config["edgefn"]["heads"]["slots"].__setitem__(1, ["B", "minutes"]))


DAMAGE = (
    lose_config, break_config, lose_heads, cut_heads, empty_heads, forget_a_tensor, add_a_tensor, drop_a_row,
    lose_weights, cut_weights, lose_tokenizer, no_heads_in_layout, no_layout, strange_tool, short_key,
)  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda each: each.__name__)
def test_damage_is_one_error_that_names_the_folder(copied, damage):
    damage(copied)
    with pytest.raises(CheckpointError) as raised:
        load_checkpoint(copied)
    assert str(copied) in raised.value.message and raised.value.hint


def test_a_schema_may_be_edited_where_the_heads_have_the_rows(copied, tiny):
    """Descriptions, bounds and what people say may change; a value or a type that was not trained is refused."""

    def state(config):
        return config["edgefn"]["tools"][0]["parameters"]["properties"]["state"]

    edit(copied, lambda config: state(config).update({"description": "ein oder aus", "x-said-as": {"true": ["an"]}}))
    assert load_checkpoint(copied).tools[0].parameters["properties"]["state"]["description"] == "ein oder aus"
    edit(copied, lambda config: state(config).update(type="integer"))
    with pytest.raises(CheckpointError, match=rf"{tiny.TOOLS[0]}, parameter 'state': it was not trained") as raised:
        load_checkpoint(copied)
    assert "boolean" in raised.value.hint


def test_a_tool_is_remembered_with_its_defaults_and_what_people_call_its_values():
    def visit(
        room: Annotated[str, Among(lambda: {"Main Hall": ["lobby"]})],
        way: Annotated[Literal["up", "down"], Synonyms({"up": ["upstairs"]})] = "up",
        stay: timedelta = timedelta(minutes=30),
        note: str | None = None,
    ) -> None:
        """Plan a visit.

        Args:
            room: which room.
            way: which way.
            stay: how long.
            note: what else.
        """

    made = Tool.from_function(visit)
    known = trained_tool(made)
    properties = known.parameters["properties"]
    assert properties["room"]["x-said-as"] == {"Main Hall": ["lobby"]} and "default" not in properties["room"]
    assert properties["way"]["x-said-as"] == {"up": ["upstairs"]} and properties["way"]["default"] == "up"
    assert properties["stay"]["default"] == "PT30M" and "default" not in properties["note"]
    assert known.fingerprint == made.fingerprint and known.callable
    assert fingerprint_parameters(known.parameters) == made.parameters_fingerprint  # a device's tool still fits
    assert "x-said-as" not in json.dumps(made.schema)  # the tool itself is as it was


def test_a_list_that_only_the_device_has_is_not_remembered():
    def find(room: Annotated[str, Among(list)]) -> None:
        """Find a room.

        Args:
            room: which room.
        """

    known = trained_tool(Tool.from_function(find))
    assert known.parameters["properties"]["room"] == {"type": "string", "description": "which room."}


def test_a_folder_that_is_not_there_or_something_else(tmp_path, bases):
    for folder in (tmp_path / "nowhere", tmp_path, bases["bert"]):
        with pytest.raises(CheckpointError) as raised:
            load_checkpoint(folder)
        assert str(folder) in raised.value.message and raised.value.hint


@pytest.mark.parametrize("kind", ["bert", "distilbert", "roberta", "xlm-roberta"])
def test_a_foreign_classifier_keeps_its_own_head(foreign, tiny, kind):
    loaded = load_checkpoint(foreign[kind])
    assert loaded.model.keys.tools == tiny.TOOLS
    assert not loaded.model.keys.accepts_added_rows and not heads_of(loaded).accepts_added_rows
    assert [tool.name for tool in loaded.tools] == list(tiny.TOOLS)
    assert not any(tool.callable for tool in loaded.tools)
    assert loaded.calibration is None
    ids, mask = tiny.batch(loaded.model, 3, 9)
    plain = AutoModelForSequenceClassification.from_pretrained(foreign[kind]).eval()
    with torch.no_grad():
        expected = plain(input_ids=ids, attention_mask=mask).logits
        got = loaded.model(ids, mask)
    assert torch.allclose(expected, got.tool_logits, atol=1e-5)
    assert got.choice_logits.shape == (3, 0) and got.slot_logits.shape == (3, 9, 0)
    assert np.allclose(got.embedding.norm(dim=-1), 1, atol=1e-5)


def test_two_labels_of_one_name_are_refused(foreign, tmp_path):
    folder = shutil.copytree(foreign["bert"], tmp_path / "classifier")
    edit(folder, lambda config: config.update(id2label={"0": "stop", "1": "stop", "2": "go"}))
    with pytest.raises(CheckpointError, match="two labels have one name"):
        load_checkpoint(folder)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), SafetensorError("I/O error: No space left")])
@pytest.mark.parametrize("new", [True, False])
def test_a_full_disk_leaves_nothing_half_written(folders, tool_models, tiny, tmp_path, monkeypatch, error, new):
    folder = tmp_path / "checkpoint"
    if not new:
        shutil.copytree(folders["bert"], folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()} if not new else {}

    def full(*args, **kwargs):
        raise error

    monkeypatch.setattr(checkpoint_module, "save_file", full)
    with pytest.raises(CheckpointError, match=r"cannot be written: .*No space left") as raised:
        save(folder, tool_models["distilbert"], tiny, "distilbert")
    assert str(folder) in raised.value.message and raised.value.hint
    after = {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}
    assert after == before
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint"}


def test_a_checkpoint_replaces_all_of_an_older_one(folders, tool_models, tiny, tmp_path):
    folder = shutil.copytree(folders["bert"], tmp_path / "checkpoint")
    (folder / "calibration.jsonl").write_text("rows of the older training")
    (folder / "notes.txt").write_text("kept")
    save(folder, tool_models["roberta"], tiny, "roberta")
    loaded = load_checkpoint(folder)
    assert loaded.model.config.model_type == "roberta" and loaded.calibration is None
    assert loaded.sha256 == load_checkpoint(folders["roberta"]).sha256
    assert (folder / "notes.txt").read_text() == "kept"


def test_a_kill_between_two_files_leaves_no_mixture(folders, tool_models, tiny, tmp_path, monkeypatch):
    folder = shutil.copytree(folders["bert"], tmp_path / "checkpoint")
    replace, moved = Path.replace, []

    def killed(path, target):
        moved.append(path)
        if len(moved) > 2:
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        save(folder, tool_models["roberta"], tiny, "roberta")
    with pytest.raises(CheckpointError, match=r"holds no config\.json"):
        load_checkpoint(folder)


def test_the_copy_of_a_schema_has_the_tool_s_fingerprints():
    """Defaults and names on a list are Python's: they may change, and the copy that carries them is the same tool."""

    def dim(room: Annotated[str, Among(["Kitchen"])], level: int = 5) -> None:
        """Dim the light.

        Args:
            room: the room.
            level: how bright.
        """

    tool = Tool.from_function(dim)
    kept = trained_tool(tool)
    assert kept.parameters["properties"]["room"]["x-said-as"] == {"Kitchen": []}
    assert kept.parameters["properties"]["level"]["default"] == 5
    copy = Tool.select_only(kept.name, kept.description, kept.parameters)
    assert copy.fingerprint == tool.fingerprint == kept.fingerprint
    assert copy.parameters_fingerprint == tool.parameters_fingerprint
