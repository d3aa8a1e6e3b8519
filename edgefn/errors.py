"""Every error edgefn raises, in one tree.

    EdgefnError                    1  the root: catch this to catch everything
    ├── ToolDefinitionError        1  a tool cannot be described or registered
    │   ├── UnsupportedSignature   1  an annotation or signature has no schema
    │   ├── DuplicateTool          1  two tools have one name
    │   └── ToolsNotFound          1  a path holds no tool
    ├── ArgumentError              5  arguments do not fit a tool's schema
    ├── NamesUnavailable           5  a live list of names cannot be had
    ├── ToolFailed                 5  a tool raised, or what it runs in ended
    │   ├── ToolTimeout            5  a tool took longer than its limit
    │   ├── ToolCancelled          5  the wait for a tool was called off
    │   ├── ToolBusy               5  a tool has as many calls as it takes
    │   └── ToolSwitchedOff        5  a tool hung too often and waits for a reset
    ├── PendingError               1  a call that waited cannot go on
    ├── PolicyError                1  a policy cannot be read or does not fit the tools
    ├── ExplicitCallError          2  a line that names a function is not a call
    ├── AuditError                 1  the audit log cannot be opened or written
    │   └── AuditBroken            1  lines of the audit log are missing or changed
    ├── InvalidUtterance           2  what was passed is not a string
    ├── DataError                  1  training or evaluation rows are unusable
    ├── CheckpointError            1  a checkpoint folder is unusable
    │   └── BaseNotFound           1  the base model is not there
    ├── ExportError                1  a step of the export failed
    │   ├── ParityError            1  the ONNX graph differs from PyTorch
    │   └── GateRefused            1  quantization costs more than the budget
    ├── MissingExtra               1  an optional dependency is not installed
    ├── BundleError                4  a bundle cannot be used
    │   ├── BundleNotFound         4  no bundle at that path
    │   ├── BundleCorrupt          4  a file is missing, changed or malformed
    │   ├── BundleTooNew           4  written in a newer format
    │   ├── BundleExists           4  refusing to overwrite
    │   ├── BundleMismatch         4  the tools differ from those it was trained for
    │   └── BundleWriteFailed      4  the disk is full or refuses to be written
    └── EngineError                6  ONNX Runtime failed
        ├── EngineMissing          6  no ONNX Runtime is installed
        └── ProviderUnavailable    6  the asked execution provider did not load

The number is the exit code of the command line. Every error carries a hint that says what to do next.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class EdgefnError(Exception):
    """The root of the tree."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep the message (what happened) and the hint (what to do next)."""
        super().__init__(message)
        self.message = message
        self.hint = hint

    def to_json(self) -> dict[str, str]:
        """Return `{"kind", "message", "hint"}`, the form `--json` prints on standard error."""
        return {"kind": type(self).__name__, "message": self.message, "hint": self.hint}


class ToolDefinitionError(EdgefnError):
    """A tool cannot be described or registered."""


class UnsupportedSignature(ToolDefinitionError):
    """A parameter's annotation, or the signature itself, has no schema."""


class DuplicateTool(ToolDefinitionError):
    """Two tools have one name."""


class ToolsNotFound(ToolDefinitionError):
    """A path does not exist or holds no tool."""


class ArgumentError(EdgefnError):
    """Arguments do not fit a tool's schema.

    `parameter` names the first parameter that does not fit, `missing` says that it is absent.
    """

    exit_code = 5

    def __init__(self, message: str, *, parameter: str = "", missing: bool = False, hint: str = "") -> None:
        """Keep which parameter failed, and whether it was absent."""
        super().__init__(message, hint=hint)
        self.parameter = parameter
        self.missing = missing


class NamesUnavailable(EdgefnError):
    """A list of names that a parameter is tied to cannot be had, is empty, or holds something else than names."""

    exit_code = 5


class ToolFailed(EdgefnError):
    """A tool raised; the original exception is `__cause__`."""

    exit_code = 5


class ToolTimeout(ToolFailed):
    """A tool took longer than its limit; `running` says that it could not be ended and goes on."""

    def __init__(self, message: str, *, running: bool = False, hint: str = "") -> None:
        """Keep whether it goes on."""
        super().__init__(message, hint=hint)
        self.running = running


class ToolCancelled(ToolFailed):
    """The wait for a tool was called off; where it is not isolated it may still be running."""


class ToolBusy(ToolFailed):
    """A tool has as many calls under way as it takes, and none ended in time; nothing ran."""


class ToolSwitchedOff(ToolFailed):
    """A tool hung too often and is switched off until `Dispatcher.reset`; nothing ran."""


class PendingError(EdgefnError):
    """A call that waited cannot go on: it belongs to another bundle, has expired, or its tool is gone."""


class PolicyError(EdgefnError):
    """A policy cannot be read, or asks of a tool what its hints do not allow."""


class ExplicitCallError(EdgefnError):
    """A line that names a function is not a call that can be made."""

    exit_code = 2


class AuditError(EdgefnError):
    """The audit log cannot be opened or written: the disk is full, or another process writes it."""


class AuditBroken(AuditError):
    """Lines of the audit log are missing, changed or out of order."""


class InvalidUtterance(EdgefnError, TypeError):
    """What was passed as an utterance is not a string."""

    exit_code = 2


class DataError(EdgefnError):
    """Training or evaluation rows are unusable; the message names file and line."""


class CheckpointError(EdgefnError):
    """A checkpoint folder is missing something or malformed."""


class BaseNotFound(CheckpointError):
    """The base model is neither a folder, nor packaged, nor reachable."""


class ExportError(EdgefnError):
    """A step of the export failed."""


class ParityError(ExportError):
    """The float ONNX graph and PyTorch disagree by more than the tolerance."""


class GateRefused(ExportError):
    """The quantized model loses more than the budget allows."""


class MissingExtra(EdgefnError):
    """An optional dependency is not installed; the hint is the install line."""


class BundleError(EdgefnError):
    """A bundle cannot be used."""

    exit_code = 4


class BundleNotFound(BundleError):
    """There is no bundle at that path."""


class BundleCorrupt(BundleError):
    """A file of the bundle is missing, changed or malformed."""


class BundleTooNew(BundleError):
    """The bundle was written in a format newer than this package reads."""


class BundleExists(BundleError):
    """Something is already at the target path."""


class BundleMismatch(BundleError):
    """The registered tools differ from those the bundle was trained for."""


class BundleWriteFailed(BundleError):
    """Writing failed; nothing half-written was left."""


class EngineError(EdgefnError):
    """ONNX Runtime failed to load or run the graph."""

    exit_code = 6


class EngineMissing(EngineError):
    """No ONNX Runtime is installed."""


class ProviderUnavailable(EngineError):
    """The execution provider that was asked for did not load."""


class ToolsWarning(UserWarning):
    """Something about the tools of this device that is not fatal, and what to do about it."""


@contextmanager
def engine_errors(doing: str) -> Iterator[None]:
    """Turn every ONNX Runtime exception inside the block into `EngineError`.

    ONNX Runtime's exceptions share no base class, so they are known by the module they come from;
    this keeps the engine unimported here. Its Python layer also raises plain ValueError and RuntimeError.
    """
    try:
        yield
    except EdgefnError:
        raise
    except Exception as exc:
        if not type(exc).__module__.startswith("onnxruntime") and not isinstance(exc, ValueError | RuntimeError):
            raise
        raise EngineError(
            f"ONNX Runtime failed while {doing}: {exc}",
            hint="run `edgefn doctor BUNDLE`; the bundle may need a newer onnxruntime than is installed",
        ) from exc
