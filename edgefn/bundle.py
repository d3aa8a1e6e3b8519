"""The bundle: the folder that is shipped to a device, read whole and verified, written whole or not at all.

Every file is hashed when it is read and handed on as the very bytes that were hashed, so what runs is what
was verified. This is integrity, not authenticity: it finds a damaged copy, a truncated file, a flipped bit.
It does not find a forger, who can write a manifest with new hashes. There are no signatures.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edgefn import bundle_files, jsonform
from edgefn.errors import (
    BundleCorrupt,
    BundleError,
    BundleExists,
    BundleNotFound,
    BundleTooNew,
    BundleWriteFailed,
)
from edgefn.jsonform import Malformed
from edgefn.manifest import FORMAT, FileEntry, Manifest

MANIFEST = "manifest.json"
"""Name of the manifest inside a bundle."""

_AGAIN = "copy the bundle again from where it was made, or export it again"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle, in memory: drop it once the session is built, it holds the whole graph."""

    path: Path
    """Where it was read from."""
    manifest: Manifest
    """Its manifest."""
    files: Mapping[str, bytes] = field(repr=False)
    """The verified bytes of every file the manifest lists, by path."""

    def read(self, name: str) -> bytes:
        """Return the verified bytes of one file.

        Raises:
            BundleCorrupt: the manifest lists no such file.
        """
        if name not in self.files:
            raise BundleCorrupt(f"{self.path / name}: not in the bundle's manifest", hint=_AGAIN)
        return self.files[name]


def read_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Read a bundle and verify every byte the manifest lists; files it does not list are never used.

    When a writer died between moving the old bundle aside and moving the new one in, the old one is moved
    back first.

    Raises:
        BundleNotFound: nothing is there, or it is not a folder.
        BundleTooNew: it was written in a format newer than this package reads.
        BundleCorrupt: a file is missing, changed or malformed; the message names it.
        BundleError: a file cannot be opened by this user.
    """
    shown = Path(path)
    with _reading(shown):
        root = _real(shown)
        with suppress(BundleError):
            return _read(root, shown)
        # Under the writers' lock once more: one may have been replacing the folder, or have died doing so.
        with bundle_files.locked(root.parent):
            _restore(root)
            return _read(root, shown)


def write_bundle(
    path: str | os.PathLike[str], manifest: Manifest, files: Mapping[str, bytes], *, force: bool = False
) -> Manifest:
    """Write a bundle whole or not at all, and return the manifest as written.

    `files`, `id` and `serial` of the manifest are filled in: a bundle that replaces an older one gets a
    serial above it. `force` replaces an existing bundle, extra files in its folder included.

    Raises:
        BundleExists: something is at `path` and `force` is false, or it is not a bundle.
        BundleWriteFailed: the disk is full, read-only or failing, or the manifest or a file name is
            unusable; nothing half-written is left and what was at `path` still is.
    """
    shown = Path(path)
    with _writing(shown):
        target = _real(shown)  # through a link, so that the link stays one
        os.makedirs(target.parent, exist_ok=True)
        with bundle_files.locked(target.parent) as alone:
            _restore(target)
            if alone:
                bundle_files.remove_leftovers(target)
            sealed = _seal(manifest, files, _next_serial(target, shown, force))
            staging = bundle_files.staging(target)
            try:
                bundle_files.write_folder(staging, {**files, MANIFEST: jsonform.pretty(sealed)})
                bundle_files.swap(staging, target)
            finally:
                bundle_files.remove(staging)
    return sealed


def _real(shown: Path) -> Path:
    try:
        return Path(os.path.realpath(shown))
    except ValueError as exc:  # a null character, or a lone surrogate
        raise Malformed("is not a path this system can have") from exc


def _read(root: Path, shown: Path) -> Bundle:
    _check_folder(root, shown)
    with _reading(shown / MANIFEST):
        manifest = _parse(bundle_files.read_file(root, MANIFEST), shown / MANIFEST)
    files: dict[str, bytes] = {}
    for entry in manifest.files:
        with _reading(shown / entry.path):
            data = bundle_files.read_file(root, entry.path, size=entry.bytes)
            if hashlib.sha256(data).hexdigest() != entry.sha256:
                raise Malformed("changed since it was exported: its sha256 differs from the manifest's")
            files[entry.path] = data
    return Bundle(shown, manifest, files)


def _check_folder(root: Path, shown: Path) -> None:
    if root.is_dir():
        return
    if root.exists():
        raise BundleNotFound(
            f"{shown} is a file; a bundle is a folder",
            hint=f"pass the folder that holds {MANIFEST}; an archive must be unpacked first",
        )
    raise BundleNotFound(
        f"{shown}: there is no bundle",
        hint=f"check the path, or make one with `edgefn export CHECKPOINT -o {shown}`",
    )


def _parse(data: bytes, shown: Path) -> Manifest:
    raw = jsonform.parse(data)
    version = raw.get("format") if isinstance(raw, dict) else None
    if type(version) is int and version > FORMAT:  # nothing else of a newer format can be judged
        problem = f"written in format {version}, this edgefn reads up to {FORMAT}"
        raise BundleTooNew(f"{shown}: {problem}", hint="upgrade edgefn, or export the bundle again")
    if type(version) is int and 0 < version < FORMAT:
        raise BundleCorrupt(
            f"{shown}: written in format {version}, this edgefn reads {FORMAT}", hint="export the checkpoint again"
        )
    manifest = jsonform.from_json(Manifest, raw)
    _check(manifest)
    if manifest.id != _identify(raw):
        raise Malformed("changed since it was exported: its id differs from its content")
    return manifest


def _check(manifest: Manifest) -> None:
    if manifest.format != FORMAT:
        raise Malformed(f"format: expected {FORMAT}, got {manifest.format}")
    seen = {MANIFEST}
    for entry in manifest.files:
        bundle_files.check_name(entry.path)
        if entry.path in seen:
            raise Malformed(f"files: {entry.path!r} is listed twice, or is the manifest itself")
        seen.add(entry.path)
    if manifest.graph.file not in seen - {MANIFEST}:
        raise Malformed(f"graph.file: {manifest.graph.file!r} is not among the bundle's files")


def _identify(raw: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in raw.items() if name != "id"}
    return f"sha256:{hashlib.sha256(jsonform.canonical(rest)).hexdigest()}"


def _seal(manifest: Manifest, files: Mapping[str, bytes], least_serial: int) -> Manifest:
    entries = [FileEntry(name, hashlib.sha256(data).hexdigest(), len(data)) for name, data in sorted(files.items())]
    filled = replace(manifest, files=tuple(entries), id="")
    # Through JSON once, so that what is returned, hashed and read back is the same to the last 1 or 1.0.
    normal = jsonform.from_json(Manifest, jsonform.to_json(filled))
    numbered = replace(normal, serial=max(normal.serial, least_serial))
    _check(numbered)
    return replace(numbered, id=_identify(jsonform.to_json(numbered)))


def check_target(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Raise BundleExists now where `write_bundle` would later: before any work is done for nothing."""
    shown = Path(path)
    with _reading(shown):
        _next_serial(_real(shown), shown, force)


def _next_serial(target: Path, shown: Path, force: bool) -> int:
    """Return the least serial a bundle at `target` may have, or refuse to replace what is there."""
    if not os.path.lexists(target):
        return 0
    if not force:
        hint = "pass --force to replace it, or choose another path"
        raise BundleExists(f"{shown} already exists", hint=hint)
    old = _glance(target)
    if old is None:
        raise BundleExists(
            f"{shown} exists and is not a bundle, so it is not replaced",
            hint="choose another path, or remove it yourself",
        )
    serial = old.get("serial")
    return serial + 1 if type(serial) is int else 0


def _glance(target: Path) -> Mapping[str, Any] | None:
    """Return what can be read of the manifest of a folder to be replaced; None: it is not a bundle.

    Whatever is not surely a bundle is kept: other programs call their files manifest.json, too.
    """
    if not (target / MANIFEST).is_file():
        return None
    try:
        raw = jsonform.parse(bundle_files.read_file(target, MANIFEST))
    except Malformed:
        return {}  # a damaged bundle is what `force` is for
    return raw if isinstance(raw, dict) and {"format", "heads", "graph"} <= raw.keys() else None


def _restore(target: Path) -> None:
    """Move the old bundle back when a writer died after moving it aside; the caller holds the lock."""
    previous = bundle_files.aside(target)
    if os.path.lexists(target) or not previous.is_dir():
        return
    try:
        _read(previous, previous)
    except BundleTooNew:
        pass  # whole as far as can be told, and the only one there is
    except BundleError:
        return
    os.rename(previous, target)
    bundle_files.sync_folder(target.parent)


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    """Turn whatever goes wrong while reading `file` into an error that names it and says what to do."""
    try:
        yield
    except Malformed as exc:
        raise BundleCorrupt(f"{file}: {exc}", hint=_AGAIN) from exc
    except RecursionError as exc:
        raise BundleCorrupt(f"{file}: is nested too deeply", hint=_AGAIN) from exc
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise BundleCorrupt(f"{file}: is missing", hint=_AGAIN) from exc
    except PermissionError as exc:
        hint = "give this user the right to read the bundle's folder and files"
        raise BundleError(f"{file}: cannot be read: {exc.strerror}", hint=hint) from exc
    except OSError as exc:
        raise BundleCorrupt(f"{file}: cannot be read: {exc.strerror}", hint=_AGAIN) from exc


@contextmanager
def _writing(shown: Path) -> Iterator[None]:
    """Turn whatever goes wrong while writing into an error that says what to do."""
    try:
        yield
    except Malformed as exc:
        hint = "this manifest or file name could not be read back; correct what export put into it"
        raise BundleWriteFailed(f"{shown}: {exc}", hint=hint) from exc
    except OSError as exc:
        hints = {
            errno.ENOSPC: f"free some space on the disk of {shown.parent} and run it again",
            errno.EDQUOT: f"your quota on the disk of {shown.parent} is used up: free some space",
            errno.EROFS: "that disk is read-only: choose another path",
            errno.EACCES: f"choose a path this user may write to, not {shown.parent}",
        }
        hint = hints.get(exc.errno or 0, "check the path and the disk, or choose another path")
        raise BundleWriteFailed(f"{shown}: cannot be written: {exc.strerror}", hint=hint) from exc
