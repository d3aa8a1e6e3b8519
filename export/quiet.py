"""Keep the chatter of exporters and loaders off the terminal; what fails is raised, not logged."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

from transformers.utils import logging as transformers_logging

_CHATTERING = ("optimum", "onnxruntime", "onnxscript", "torch.onnx", "transformers", "peft")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence their loggers, the root logger (which ONNX Runtime's tools use), warnings and prints inside the block."""
    loggers = [logging.root, *(logging.getLogger(name) for name in _CHATTERING)]
    levels = [logger.level for logger in loggers]
    progress = transformers_logging.is_progress_bar_enabled()
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        transformers_logging.disable_progress_bar()
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if progress:
            transformers_logging.enable_progress_bar()
