"""Rows of added tools kept on disk, so that a device that starts again need not make them again.

A file per tool, named by a digest over the bundle, the tool and its examples: what was made for another bundle, an
older description or other examples is never found. A damaged file counts as none.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgefn.encoder import Floats
from edgefn.errors import ToolsWarning
from edgefn.tool import Tool

_DIGEST_BYTES = 32
_MADE = 1
"""Counts up when rows are made in another way: those of an older version are not found."""


@dataclass(frozen=True)
class RowCache:
    """A folder of rows."""

    folder: Path
    """Where they lie; made when the first is written."""
    bundle_id: str
    """Rows of other bundles are not found."""

    def read(self, tool: Tool, examples: Sequence[str]) -> dict[str, Floats] | None:
        """Return the arrays kept for a tool by name; None where there are none. A damaged file is told about."""
        path = self._path(tool, examples)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as exc:
            _told(f"{path} cannot be read ({exc.strerror}); the rows are made again")
            return None
        digest, data = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if hashlib.sha256(data).digest() != digest:
            _told(f"{path} is damaged; the rows are made again")
            return None
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:  # verified: it is what `write` wrote
            return {name: arrays[name] for name in arrays.files}

    def write(self, tool: Tool, examples: Sequence[str], arrays: dict[str, Floats]) -> None:
        """Keep the arrays of a tool, whole or not at all; a disk that refuses is told about and does no harm."""
        path, data = self._path(tool, examples), io.BytesIO()
        np.savez(data, **arrays)  # type: ignore[arg-type]
        content = hashlib.sha256(data.getvalue()).digest() + data.getvalue()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(dir=self.folder, suffix=".partial")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                os.replace(partial, path)
            except OSError:
                with suppress(OSError):
                    os.unlink(partial)
                raise
        except OSError as exc:
            _told(f"{self.folder} cannot be written ({exc.strerror}); rows are made again at the next start")

    def _path(self, tool: Tool, examples: Sequence[str]) -> Path:
        key = json.dumps([_MADE, self.bundle_id, tool.fingerprint, list(examples)])
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.rows"


def _told(problem: str) -> None:
    warnings.warn(problem, ToolsWarning, stacklevel=2)
