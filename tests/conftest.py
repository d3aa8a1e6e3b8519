"""What many tests share: the place of the public data, quiet libraries, and no network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

settings.register_profile("shared", deadline=None)  # the machine may be busy: how long one example takes says nothing
settings.load_profile("shared")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """The tiny bundle of `tiny.py`, freshly written."""
    import tiny  # needs onnx, which tests of the bare runtime do without

    return tiny.bundle(tmp_path / "tiny.bundle")
