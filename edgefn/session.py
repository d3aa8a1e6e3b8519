"""ONNX Runtime, and nothing else: which provider, how many threads, what really loaded.

The only module that imports `onnxruntime`; whichever distribution installed it (onnxruntime, onnxruntime-gpu,
a vendor's wheel) is fine.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgefn.errors import EngineMissing, ProviderUnavailable, engine_errors

_PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
}
_MOST_DEFAULT_THREADS = 4
"""A small encoder gains nothing from more; the spinning threads would only heat the device."""


class Session:
    """One ONNX graph, ready to run; safe to share between threads."""

    def __init__(self, graph: bytes, *, provider: str = "cpu", threads: int = 0) -> None:
        """Build a session from the bytes of a graph.

        Args:
            graph: the serialized ONNX model.
            provider: cpu, cuda, tensorrt, openvino, coreml, directml, or ONNX Runtime's full name.
            threads: threads inside one operator; 0 takes the cores this process may use, four at most.

        Raises:
            EngineMissing: no ONNX Runtime is installed.
            ProviderUnavailable: the provider did not load, where ONNX Runtime would silently use the CPU.
            EngineError: the graph cannot be loaded.
        """
        runtime = _import_runtime()
        self.threads = threads or default_threads()
        self.provider = _PROVIDERS.get(provider.lower(), provider)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what fails is raised; the log would say it a second time
        with engine_errors("loading the graph"):
            self._session = runtime.InferenceSession(graph, options, providers=_ask(runtime, self.provider))
        loaded = self._session.get_providers()
        if loaded[0] != self.provider:
            raise ProviderUnavailable(
                f"{self.provider} was asked for, but {loaded[0]} loaded",
                hint=f"this onnxruntime offers {', '.join(runtime.get_available_providers())}; "
                "a provider on that list that does not load misses its own libraries (CUDA, cuDNN, ...)",
            )
        self.outputs = {output.name: tuple(output.shape) for output in self._session.get_outputs()}

    def run(self, outputs: Sequence[str], feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Run the graph once and return the named outputs; raises EngineError."""
        try:
            return self._session.run(outputs, feeds)  # type: ignore[no-any-return]
        except Exception:
            with engine_errors("running the graph"):  # entered by a failure only: a good run does not pay for it
                raise


def default_threads() -> int:
    """Return how many threads a session takes when it is not told."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        cores = os.cpu_count() or 1
    return min(cores, _MOST_DEFAULT_THREADS)


def runtime_version() -> str:
    """Return the version of ONNX Runtime; raises EngineMissing."""
    return str(_import_runtime().__version__)


def available_providers() -> tuple[str, ...]:
    """Return the providers this build of ONNX Runtime has; loading one may still fail."""
    return tuple(_import_runtime().get_available_providers())


def _ask(runtime: ModuleType, provider: str) -> list[str]:
    available = runtime.get_available_providers()
    if provider not in available:
        raise ProviderUnavailable(
            f"{provider} is not in this build of onnxruntime",
            hint=f"it offers {', '.join(available)}; install the wheel that has it, and only that one",
        )
    if provider == "CUDAExecutionProvider" and hasattr(runtime, "preload_dlls"):
        runtime.preload_dlls()  # finds the CUDA libraries that pip installed beside the wheel
    return [provider]


def _import_runtime() -> ModuleType:
    try:
        return importlib.import_module("onnxruntime")
    except ImportError as exc:
        raise EngineMissing(
            f"ONNX Runtime cannot be imported: {exc}",
            hint="pip install 'edgefn[cpu]' (or 'edgefn[gpu]', never both); "
            "32-bit ARM has no wheel and is not supported",
        ) from exc
