"""A bundle is read whole and verified, and written whole or not at all, whatever happens meanwhile.

Run as a script this file is the writer that gets killed: see `test_kill_at_every_step`.
"""

from __future__ import annotations

import builtins
import dataclasses
import errno
import itertools
import json
import os
import resource
import subprocess
import sys
import threading
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgefn import bundle_files
from edgefn.bundle import MANIFEST, Bundle, read_bundle, write_bundle
from edgefn.errors import (
    BundleCorrupt,
    BundleError,
    BundleExists,
    BundleNotFound,
    BundleTooNew,
    BundleWriteFailed,
)
from edgefn.manifest import FORMAT, FileEntry, Graph, Heads, Manifest, TrainedTool

GRAPH = "onnx/model_quantized.onnx"


def filled(kind: Any, **known: Any) -> Any:
    """A manifest's dataclass with what matters here given, and the rest made up."""
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: known[name] if name in known else filled(hint) for name, hint in hints.items()})
    if typing.get_origin(kind) is types.UnionType:
        return None
    return {str: "text", int: 3, float: 1, bool: True}.get(kind) or (typing.get_origin(kind) or dict)()


DRAFT: Manifest = filled(
    Manifest,
    format=FORMAT,
    serial=1,
    tools=(filled(TrainedTool, name="set_timer", description="Start a timer — ⏲", parameters={"a": [{}]}),),
    heads=filled(Heads, tools=("set_timer", None), choices=(("loud", "boolean", None),), slots=(("O", "", ""),)),
    graph=filled(Graph, file=GRAPH),
    measured={"tool_accuracy": {"float": 1, "int8": 0.99}, "pairs": ((1, 2),)},
)
OLD = {GRAPH: b"old graph" * 50, "tokenizer.json": b"{}", "selftest.jsonl": b"", "README.md": b"# old\n"}
NEW = {GRAPH: b"new graph" * 60, "tokenizer.json": b'{"new": 1}', "README.md": b"# new\n", "a/b/c": b"deep"}


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "kiosk.bundle"


def siblings(path: Path) -> list[str]:
    return sorted(os.listdir(path.parent))


def edit_manifest(path: Path, change: Callable[[dict[str, Any]], object], *, reseal: bool = True) -> None:
    """Change manifest.json as a forger would, who can compute an id."""
    from edgefn.bundle import _identify

    raw = json.loads((path / MANIFEST).read_bytes())
    change(raw)
    if reseal:
        raw["id"] = _identify(raw)
    (path / MANIFEST).write_text(json.dumps(raw))


# Reading what was written


def test_round_trip(path):
    written = write_bundle(path, DRAFT, OLD)
    bundle = read_bundle(path)
    assert bundle.manifest == written
    assert dict(bundle.files) == OLD
    assert bundle.read("README.md") == b"# old\n"
    assert siblings(path) == ["kiosk.bundle"]
    assert [entry.path for entry in written.files] == sorted(OLD)
    assert written.id.startswith("sha256:")
    assert len(written.id) == 71
    assert dataclasses.replace(written, files=(), id="").tools == DRAFT.tools
    assert b'\n  "serial": 1,\n' in (path / MANIFEST).read_bytes()
    assert "⏲" in (path / MANIFEST).read_text(encoding="utf-8")


def test_id_depends_on_content_alone(tmp_path):
    one = write_bundle(tmp_path / "one", DRAFT, OLD)
    two = write_bundle(tmp_path / "two", dataclasses.replace(one), dict(reversed(OLD.items())))
    other = write_bundle(tmp_path / "three", DRAFT, NEW)
    assert one == two
    assert one.id != other.id


def test_repr_does_not_hold_the_graph(path):
    write_bundle(path, DRAFT, OLD)
    assert "old graph" not in repr(read_bundle(path))


def test_unlisted_file_is_not_read_and_a_listed_one_must_be_asked_for(path):
    write_bundle(path, DRAFT, OLD)
    (path / "extra.txt").write_text("harmless")
    bundle = read_bundle(path)
    with pytest.raises(BundleCorrupt, match=r"extra\.txt: not in the bundle's manifest") as caught:
        bundle.read("extra.txt")
    assert caught.value.hint


def test_whitespace_and_key_order_do_not_matter(path):
    write_bundle(path, DRAFT, OLD)
    edit_manifest(path, lambda raw: None, reseal=False)
    assert isinstance(read_bundle(str(path)), Bundle)


def test_link_to_a_bundle(path):
    write_bundle(path, DRAFT, OLD)
    link = path.with_name("current")
    link.symlink_to(path.name)
    assert dict(read_bundle(link).files) == OLD
    write_bundle(link, DRAFT, NEW, force=True)
    assert link.is_symlink()
    assert dict(read_bundle(path).files) == NEW


# What is wrong with a bundle


def flip(file: Path, place: int, mask: int) -> None:
    with open(file, "r+b") as opened:  # in place: truncating a file is slow on some disks
        opened.seek(place)
        (byte,) = opened.read(1)
        opened.seek(place)
        opened.write(bytes([byte ^ mask]))


def test_every_byte_of_every_file_counts(path):
    written = write_bundle(path, DRAFT, OLD)
    for entry in written.files:
        for place in range(0, entry.bytes, 1 + entry.bytes // 40):
            flip(path / entry.path, place, 1)
            with pytest.raises(BundleCorrupt, match=entry.path) as caught:
                read_bundle(path)
            assert "copy the bundle again" in caught.value.hint
            flip(path / entry.path, place, 1)
    assert read_bundle(path).manifest == written


@pytest.mark.parametrize("mask", [0x01, 0x20])
def test_every_byte_of_the_manifest_counts_or_is_white_space(path, mask):
    write_bundle(path, DRAFT, OLD)
    whole = read_bundle(path)
    size = (path / MANIFEST).stat().st_size
    harmless = 0
    for place in range(size):
        flip(path / MANIFEST, place, mask)
        try:
            assert read_bundle(path) == whole
            harmless += 1
        except BundleError as exc:
            assert MANIFEST in exc.message or GRAPH in exc.message
            assert exc.hint
        flip(path / MANIFEST, place, mask)
    assert harmless < size / 20


@pytest.mark.parametrize("name", [*OLD, MANIFEST])
def test_missing_or_truncated_file_is_named(path, name):
    write_bundle(path, DRAFT, OLD)
    data = (path / name).read_bytes()
    if data:
        (path / name).write_bytes(data[:-2])
        with pytest.raises(BundleCorrupt, match=name):
            read_bundle(path)
    (path / name).write_bytes(data + b"x")
    with pytest.raises(BundleCorrupt, match=name):
        read_bundle(path)
    (path / name).unlink()
    with pytest.raises(BundleCorrupt, match=f"{name}: is missing") as caught:
        read_bundle(path)
    assert caught.value.hint


NESTED = b'{"a":' * 900 + b"1" + b"}" * 900


@pytest.mark.parametrize("data", [b"", b"\xff", b"[1]", b"null", b"7", b"{}", b"not json", b"[" * 100_000, NESTED])
def test_manifest_that_is_none(path, data):
    write_bundle(path, DRAFT, OLD)
    (path / MANIFEST).write_bytes(data)
    with pytest.raises(BundleCorrupt, match=r"manifest\.json: "):
        read_bundle(path)


def test_newer_format_is_said_before_anything_else(path):
    write_bundle(path, DRAFT, OLD)
    (path / MANIFEST).write_text(f'{{"format": {FORMAT + 1}, "everything": "else is new"}}')
    problem = rf"manifest\.json: written in format {FORMAT + 1}, this edgefn reads up to {FORMAT}"
    with pytest.raises(BundleTooNew, match=problem) as caught:
        read_bundle(path)
    assert "upgrade edgefn" in caught.value.hint


@pytest.mark.parametrize("version", [0, -1, True, "1", None, 1.0])
def test_odd_format(path, version):
    write_bundle(path, DRAFT, OLD)
    edit_manifest(path, lambda raw: raw.update(format=version))
    with pytest.raises(BundleCorrupt, match=r"manifest\.json: format: expected"):
        read_bundle(path)


def test_an_older_format_is_to_be_exported_again(path):
    write_bundle(path, DRAFT, OLD)
    edit_manifest(path, lambda raw: raw.update(format=FORMAT - 1))
    with pytest.raises(BundleCorrupt, match="written in format 1") as caught:
        read_bundle(path)
    assert "export" in caught.value.hint


def test_field_that_does_not_fit_is_named(path):
    write_bundle(path, DRAFT, OLD)
    edit_manifest(path, lambda raw: raw["calibration"].update(threshold="x"))
    problem = r"manifest\.json: calibration\.threshold: expected a number, got 'x'"
    with pytest.raises(BundleCorrupt, match=problem):
        read_bundle(path)
    edit_manifest(path, lambda raw: raw["calibration"].update(threshold=0.5, extra=1))
    with pytest.raises(BundleCorrupt, match=r"manifest\.json: calibration\.extra: unknown field"):
        read_bundle(path)


def test_changed_value_without_a_new_id(path):
    write_bundle(path, DRAFT, OLD)
    edit_manifest(path, lambda raw: raw["calibration"].update(threshold=0.01), reseal=False)
    with pytest.raises(BundleCorrupt, match="its id differs"):
        read_bundle(path)


UPWARDS = ["../secret", "/etc/passwd", "a/../../secret", "..", ".", "", "a//b"]
ELSEWHERE = ["a\\b", "..\\secret", "C:/x", "a\nb", "a\0b"]


@pytest.mark.parametrize("name", UPWARDS + ELSEWHERE)
def test_path_that_escapes(path, name):
    write_bundle(path, DRAFT, OLD)
    (path.parent / "secret").write_text("secret")
    edit_manifest(path, lambda raw: raw["files"].append({"path": name, "sha256": "", "bytes": 6}))
    with pytest.raises(BundleCorrupt, match="is not a plain path inside the bundle"):
        read_bundle(path)
    with pytest.raises(BundleWriteFailed, match="is not a plain path inside the bundle"):
        write_bundle(path.with_name("other"), DRAFT, {**OLD, name: b""})
    assert siblings(path) == ["kiosk.bundle", "secret"]


def test_link_that_escapes(path):
    write_bundle(path, DRAFT, OLD)
    secret = path.parent / "secret"
    secret.write_bytes(OLD["README.md"])
    (path / "README.md").unlink()
    (path / "README.md").symlink_to("../secret")
    with pytest.raises(BundleCorrupt, match=r"README\.md: is a link that leads outside"):
        read_bundle(path)
    (path / "README.md").unlink()
    (path / "docs.md").write_bytes(OLD["README.md"])
    (path / "README.md").symlink_to("docs.md")
    assert read_bundle(path).read("README.md") == OLD["README.md"]


def test_folder_link_that_escapes(path):
    write_bundle(path, DRAFT, OLD)
    (path / "onnx").rename(path.parent / "elsewhere")
    (path / "onnx").symlink_to("../elsewhere")
    with pytest.raises(BundleCorrupt, match="leads outside"):
        read_bundle(path)


def test_link_in_a_circle_pipe_and_folder_instead_of_a_file(path):
    write_bundle(path, DRAFT, OLD)
    readme = path / "README.md"
    readme.unlink()
    readme.symlink_to("README.md")
    with pytest.raises(BundleCorrupt, match=r"README\.md: cannot be read"):
        read_bundle(path)
    readme.unlink()
    os.mkfifo(readme)
    with pytest.raises(BundleCorrupt, match="not a regular file"):
        read_bundle(path)
    readme.unlink()
    readme.mkdir()
    with pytest.raises(BundleCorrupt, match="not a regular file"):
        read_bundle(path)


def test_listed_twice_or_the_manifest_or_no_graph(path):
    write_bundle(path, DRAFT, OLD)
    edit_manifest(path, lambda raw: raw["files"].append(raw["files"][0]))
    with pytest.raises(BundleCorrupt, match="listed twice"):
        read_bundle(path)
    edit_manifest(path, lambda raw: raw["files"][-1].update(path=MANIFEST))
    with pytest.raises(BundleCorrupt, match="the manifest itself"):
        read_bundle(path)
    edit_manifest(path, lambda raw: raw.update(files=[]))
    with pytest.raises(BundleCorrupt, match=r"graph\.file: '.*' is not among the bundle's files"):
        read_bundle(path)


def test_nothing_there(path):
    with pytest.raises(BundleNotFound, match="there is no bundle") as caught:
        read_bundle(path)
    assert "edgefn export" in caught.value.hint
    path.symlink_to("nowhere")
    with pytest.raises(BundleNotFound):
        read_bundle(path)


def test_file_instead_of_a_folder(path):
    path.write_text("zip")
    with pytest.raises(BundleNotFound, match="is a file; a bundle is a folder") as caught:
        read_bundle(path)
    assert caught.value.hint
    with pytest.raises(BundleError):
        read_bundle(path / "deeper")
    with pytest.raises(BundleWriteFailed):
        write_bundle(path / "deeper", DRAFT, OLD)
    with pytest.raises(BundleExists, match="is not a bundle"):
        write_bundle(path, DRAFT, OLD, force=True)
    assert path.read_text() == "zip"


@pytest.mark.parametrize("odd", ["a\0b", "a\ud800b"])
def test_path_no_system_has(tmp_path, odd):
    with pytest.raises(BundleError):
        read_bundle(tmp_path / odd)
    with pytest.raises(BundleWriteFailed):
        write_bundle(tmp_path / odd, DRAFT, OLD)


@pytest.mark.parametrize(("number", "kind"), [(errno.EACCES, BundleError), (errno.EIO, BundleCorrupt)])
def test_system_that_refuses_to_read(path, monkeypatch, number, kind):
    write_bundle(path, DRAFT, OLD)

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(bundle_files, "open", refuse, raising=False)
    with pytest.raises(kind, match=r"manifest\.json: cannot be read") as caught:
        read_bundle(path)
    assert type(caught.value) is kind
    assert caught.value.hint


# Writing over something


def test_existing_bundle_needs_force(path):
    write_bundle(path, DRAFT, OLD)
    with pytest.raises(BundleExists, match="already exists") as caught:
        write_bundle(path, DRAFT, NEW)
    assert "--force" in caught.value.hint
    assert dict(read_bundle(path).files) == OLD
    write_bundle(path, DRAFT, NEW, force=True)
    assert dict(read_bundle(path).files) == NEW
    assert siblings(path) == ["kiosk.bundle"]


def test_serial_never_goes_down(path):
    assert write_bundle(path, dataclasses.replace(DRAFT, serial=7), OLD, force=True).serial == 7
    assert write_bundle(path, DRAFT, NEW, force=True).serial == 8
    assert write_bundle(path, dataclasses.replace(DRAFT, serial=20), NEW, force=True).serial == 20
    (path / MANIFEST).write_text("damaged")
    assert write_bundle(path, DRAFT, NEW, force=True).serial == 1
    edit_manifest(path, lambda raw: raw.update(format=99, serial=50))
    assert write_bundle(path, DRAFT, NEW, force=True).serial == 51


def test_force_spares_what_is_not_a_bundle(path):
    path.mkdir()
    (path / "thesis.tex").write_text("years of work")
    (path / "sub").mkdir()
    for manifest in (None, '{"name": "a web app"}', "[]"):
        if manifest is not None:
            (path / MANIFEST).write_text(manifest)
        with pytest.raises(BundleExists, match="is not a bundle") as caught:
            write_bundle(path, DRAFT, NEW, force=True)
        assert caught.value.hint
        assert (path / "thesis.tex").read_text() == "years of work"
    assert siblings(path) == ["kiosk.bundle"]


def test_folders_around_it_are_made(path):
    write_bundle(path / "deep" / "er.bundle", DRAFT, OLD)
    assert dict(read_bundle(path / "deep" / "er.bundle").files) == OLD


@pytest.mark.parametrize(
    "change",
    [
        {"measured": {"loss": float("nan")}},
        {"measured": {"odd": object()}},
        {"edgefn": "\ud800"},
        {"serial": "one"},
        {"format": FORMAT + 1},
        {"graph": dataclasses.replace(DRAFT.graph, file="onnx/none.onnx")},
    ],
)
def test_manifest_that_could_not_be_read_back_is_not_written(path, change):
    write_bundle(path, DRAFT, OLD)
    with pytest.raises(BundleWriteFailed) as caught:
        write_bundle(path, dataclasses.replace(DRAFT, **change), NEW, force=True)
    assert caught.value.hint
    assert dict(read_bundle(path).files) == OLD
    assert siblings(path) == ["kiosk.bundle"]


def test_names_that_collide(path):
    with pytest.raises(BundleWriteFailed):
        write_bundle(path, DRAFT, {**OLD, "onnx": b"a file where a folder must be"})
    assert siblings(path) == []


def test_leftovers_of_this_bundle_alone_are_removed(path):
    mine = path.with_name(".kiosk.bundle.new-1-0123abcd")
    others = [".kiosk.bundle.new-x", ".other.bundle.new-1-0123abcd", f"{mine.name}.new-1-0123abcd"]
    for folder in (mine, *map(path.with_name, others)):
        (folder / "onnx").mkdir(parents=True)
    write_bundle(path, DRAFT, OLD)
    assert siblings(path) == sorted([*others, "kiosk.bundle"])


def test_without_locks_leftovers_may_be_alive(path, monkeypatch):
    import fcntl

    def refuse(*_):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    path.with_name(".kiosk.bundle.new-1-0123abcd").mkdir()
    write_bundle(path, DRAFT, OLD)
    assert siblings(path) == [".kiosk.bundle.new-1-0123abcd", "kiosk.bundle"]


def test_everything_is_on_the_disk_before_a_rename_and_before_the_old_bundle_goes(path, monkeypatch):
    write_bundle(path, DRAFT, OLD)
    calls: list[str] = []
    rename, rmdir = os.rename, os.rmdir
    monkeypatch.setattr(os, "fsync", lambda handle: calls.append(os.readlink(f"/proc/self/fd/{handle}")))
    monkeypatch.setattr(os, "rename", lambda *both: (calls.append("rename"), rename(*both)))
    monkeypatch.setattr(os, "rmdir", lambda *at, **of: (calls.append("rmdir"), rmdir(*at, **of)))
    write_bundle(path, DRAFT, NEW, force=True)
    synced = calls[: calls.index("rename")]
    new = [f"/{name}" for name in ["", *NEW, MANIFEST, "onnx", "a", "a/b"]]
    assert sorted(synced) == sorted((synced[0].split("/onnx")[0] + name).rstrip("/") for name in new)
    assert calls[len(synced) : len(synced) + 4] == ["rename", "rename", str(path.parent), "rmdir"]


# Recovery


def test_bundle_left_aside_is_moved_back(path):
    write_bundle(path, DRAFT, OLD)
    path.rename(bundle_files.aside(path))
    assert dict(read_bundle(path).files) == OLD
    assert siblings(path) == ["kiosk.bundle"]
    path.rename(bundle_files.aside(path))
    with pytest.raises(BundleExists):
        write_bundle(path, DRAFT, NEW)
    assert dict(read_bundle(path).files) == OLD


def test_bundle_left_aside_is_not_used_when_it_is_damaged_or_not_needed(path):
    write_bundle(path, DRAFT, OLD)
    (path / "README.md").write_text("changed")
    path.rename(bundle_files.aside(path))
    with pytest.raises(BundleNotFound):
        read_bundle(path)
    write_bundle(path, DRAFT, NEW)
    assert dict(read_bundle(path).files) == NEW
    assert siblings(path) == ["kiosk.bundle"]


# A full disk, at every step


GROWING = ["mkdir", "fsync"]
"""Calls of `os` a full disk can refuse; opening and writing a file go with them."""


class Steps:
    """Lets something happen at the calls that change the disk, which it counts."""

    def __init__(self, patch: pytest.MonkeyPatch, names: list[str], happen: Callable[[int], None]) -> None:
        self.happened = 0
        self.happen = happen
        for name in names:
            patch.setattr(os, name, self.wrapped(getattr(os, name)))
        if set(names) >= set(GROWING):
            patch.setattr(bundle_files, "open", self.open, raising=False)

    def step(self) -> None:
        self.happened += 1
        self.happen(self.happened)

    def wrapped(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*args: Any, **kwargs: Any) -> Any:
            self.step()
            return call(*args, **kwargs)

        return stepping

    def open(self, path: Path, mode: str) -> Any:
        if mode == "rb":
            return builtins.open(path, mode)
        self.step()
        return HalfWritten(builtins.open(path, mode, buffering=0), self.step)


class HalfWritten:
    """A file that is interrupted in the middle of a write."""

    def __init__(self, file: Any, step: Callable[[], None]) -> None:
        self.file = file
        self.step = step

    def write(self, data: bytes) -> None:
        half = len(data) // 2
        self.file.write(data[:half])
        self.step()
        self.file.write(data[half:])

    def flush(self) -> None:
        self.file.flush()

    def fileno(self) -> int:
        return self.file.fileno()

    def __enter__(self) -> HalfWritten:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def failing(from_step: int, *, for_ever: bool, number: int = errno.ENOSPC) -> Callable[[int], None]:
    def happen(step: int) -> None:
        if step == from_step or (for_ever and step > from_step):
            raise OSError(number, os.strerror(number))

    return happen


@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize(("names", "for_ever"), [(GROWING, True), (GROWING, False), ([*GROWING, "rename"], False)])
def test_full_disk_at_every_step(path, over, names, for_ever):
    if over:
        write_bundle(path, DRAFT, OLD)
    failed = 0
    for n in itertools.count(1):
        with pytest.MonkeyPatch.context() as patch:
            steps = Steps(patch, names, failing(n, for_ever=for_ever))
            try:
                write_bundle(path, DRAFT, NEW, force=over)
            except BundleWriteFailed as exc:
                failed += 1
                assert "No space left on device" in exc.message
                assert "free some space" in exc.hint
            else:
                assert dict(read_bundle(path).files) == NEW
                if steps.happened < n:
                    break
                write_bundle(path, DRAFT, OLD, force=True)  # the step that failed was not needed
                if not over:
                    bundle_files.remove(path)
                continue
        assert siblings(path) == (["kiosk.bundle"] if over else [])
        if over:
            assert dict(read_bundle(path).files) == OLD
    assert failed > 15
    assert siblings(path) == ["kiosk.bundle"]


def test_deleting_the_old_bundle_may_fail(path):
    for n in range(1, 9):
        write_bundle(path, DRAFT, OLD, force=True)
        with pytest.MonkeyPatch.context() as patch:
            Steps(patch, ["unlink", "rmdir"], failing(n, for_ever=True, number=errno.EIO))
            write_bundle(path, DRAFT, NEW, force=True)
        assert dict(read_bundle(path).files) == NEW
    write_bundle(path, DRAFT, OLD, force=True)
    assert siblings(path) == ["kiosk.bundle"]


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EIO])
def test_other_refusals_have_a_hint(path, monkeypatch, number):
    Steps(monkeypatch, GROWING, failing(1, for_ever=True, number=number))
    with pytest.raises(BundleWriteFailed, match=os.strerror(number)) as caught:
        write_bundle(path, DRAFT, NEW)
    assert caught.value.hint
    assert siblings(path) == []


def test_folders_that_cannot_be_synced_are_no_failure(path, monkeypatch):
    def fsync(handle: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{handle}"):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fsync", fsync)
    write_bundle(path, DRAFT, NEW)
    assert dict(read_bundle(path).files) == NEW


def test_a_real_limit_on_file_size(path):
    write_bundle(path, DRAFT, OLD)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(BundleWriteFailed, match="File too large"):
            write_bundle(path, DRAFT, {**NEW, "large.bin": bytes(20_000)}, force=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert dict(read_bundle(path).files) == OLD
    assert siblings(path) == ["kiosk.bundle"]


def test_interrupted_from_the_keyboard(path):
    write_bundle(path, DRAFT, OLD)

    def interrupt(step: int) -> None:
        if step == interrupted_at:
            raise KeyboardInterrupt

    for interrupted_at in itertools.count(1):  # noqa: B007
        with pytest.MonkeyPatch.context() as patch:
            Steps(patch, [*GROWING, "rename"], interrupt)
            try:
                write_bundle(path, DRAFT, NEW, force=True)
                break
            except KeyboardInterrupt:
                assert dict(read_bundle(path).files) in (OLD, NEW)
        write_bundle(path, DRAFT, OLD, force=True)
        assert siblings(path) == ["kiosk.bundle"]
    assert interrupted_at > 15


# Death, at every step

DISK_CALLS = [*GROWING, "rename", "open", "unlink", "rmdir"]


def die_at_every_step(root: Path, over: bool) -> None:
    """Write into `root/1`, `root/2`, … in a child that dies at its first, second, … step."""
    os.fsync = lambda handle: None
    for n in itertools.count(1):
        path = root / str(n) / "kiosk.bundle"
        path.parent.mkdir()
        if over:
            write_bundle(path, DRAFT, OLD)
        child = os.fork()
        if child == 0:
            Steps(pytest.MonkeyPatch(), DISK_CALLS, lambda step, n=n: os._exit(9) if step == n else None)
            write_bundle(path, DRAFT, NEW, force=over)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            return


@pytest.mark.parametrize("over", [False, True])
def test_kill_at_every_step(tmp_path, over):
    command = [sys.executable, __file__, str(tmp_path), "over" if over else ""]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run(command, check=True, env=environment, timeout=60)
    seen = set()
    for folder in tmp_path.iterdir():
        path = folder / "kiosk.bundle"
        if int(folder.name) % 2:  # the next one to come is a reader, or at once another writer
            seen.add(what_is_there(path))
        manifest = write_bundle(path, DRAFT, {**NEW, "third.txt": b"3"}, force=True)
        assert read_bundle(path).manifest == manifest
        assert manifest.serial > over
        assert siblings(path) == ["kiosk.bundle"]
    assert len(list(tmp_path.iterdir())) > 25
    assert seen == ({"old", "new"} if over else {"nothing", "new"})


def what_is_there(path: Path) -> str:
    try:
        files = dict(read_bundle(path).files)
    except BundleNotFound:
        return "nothing"
    assert files in (OLD, NEW)
    return "old" if files == OLD else "new"


# Others at the same path


def test_reading_while_it_is_replaced(path):
    write_bundle(path, DRAFT, OLD)
    done = threading.Event()

    def replace() -> None:
        for n in range(60):
            write_bundle(path, DRAFT, NEW if n % 2 else OLD, force=True)
        done.set()

    writer = threading.Thread(target=replace)
    writer.start()
    reads = 0
    while not done.is_set() and writer.is_alive():
        assert dict(read_bundle(path).files) in (OLD, NEW)
        reads += 1
    writer.join()
    assert done.is_set()
    assert reads
    assert read_bundle(path).manifest.serial == 61
    assert siblings(path) == ["kiosk.bundle"]


def test_two_writers(path):
    results: list[str] = []

    def write(files: dict[str, bytes]) -> None:
        try:
            write_bundle(path, DRAFT, files)
            results.append("written")
        except BundleExists:
            results.append("refused")

    writers = [threading.Thread(target=write, args=(files,)) for files in (OLD, NEW, OLD, NEW)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(results) == ["refused", "refused", "refused", "written"]
    assert siblings(path) == ["kiosk.bundle"]


def test_size_and_hash_of_an_empty_file(path):
    written = write_bundle(path, DRAFT, OLD)
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert FileEntry("selftest.jsonl", empty, 0) in written.files


if __name__ == "__main__":
    die_at_every_step(Path(sys.argv[1]), bool(sys.argv[2]))
