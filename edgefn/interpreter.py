"""From an utterance to the call it asks for: one pass, one tool, its arguments, one probability. Nothing is decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from edgefn.arguments.filling import Filled, Filler
from edgefn.encoder import Encoded, Encoder, Scores
from edgefn.manifest import Calibration, Heads, Manifest, TrainedTool
from edgefn.outcome import AbstainReason, ToolCall
from edgefn.selection import Selection, Selector
from edgefn.tool import Tool


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The call that an utterance asks for most probably."""

    tool: Tool
    """The tool that won."""
    selection: Selection
    """How it won."""
    filled: Filled
    """Its arguments."""
    log_p: float
    """log P(call), every parameter of the tool included."""
    probability: float
    """Calibrated probability that the whole call is right: the number that is thresholded."""

    def call(self) -> ToolCall:
        """Return the tool call with typed arguments."""
        filled = self.filled
        typed = self.tool.typed(filled.arguments)
        return ToolCall(self.tool.name, typed, self.probability, filled.evidence, filled.error)


class Interpreter:
    """Reads utterances for the tools that a model was trained for."""

    def __init__(
        self,
        encoder: Encoder,
        heads: Heads,
        calibration: Calibration,
        trained: Iterable[TrainedTool],
        tools: Iterable[Tool] = (),
    ) -> None:
        """Know `tools` by what their signatures say, the other `trained` ones by the schema they were trained with."""
        self.encoder = encoder
        self.selector = Selector(heads, calibration)
        self._heads = heads
        self._trained = {each.name: each for each in trained}
        self._tools = {each.name: each for each in tools}
        self._fillers: dict[str, Filler] = {}

    @classmethod
    def of(cls, manifest: Manifest, encoder: Encoder, tools: Iterable[Tool] = ()) -> Interpreter:
        """Return the interpreter of a bundle."""
        return cls(encoder, manifest.heads, manifest.calibration, manifest.tools, tools)

    def interpret(self, text: str, now: datetime) -> Interpretation | AbstainReason:
        """Return the call that `text` asks for, or why it is not given to the engine.

        Raises InvalidUtterance when `text` is not a str, and EngineError when the engine fails.
        """
        encoded = self.encoder.encode(text)
        if isinstance(encoded, str):
            return encoded
        return self.read(encoded, self.encoder.run(encoded), now)

    def read(self, encoded: Encoded, scores: Scores, now: datetime) -> Interpretation:
        """Return the call that the scores of an utterance speak for."""
        selection = self.selector.select(scores.tool_logits)
        filled = self.fill(selection.tool, encoded, scores, now)
        log_p = selection.log_p + self.selector.arguments_log_p(filled)
        return Interpretation(self.tool(selection.tool), selection, filled, log_p, self.selector.probability(log_p))

    def fill(self, tool: str, encoded: Encoded, scores: Scores, now: datetime) -> Filled:
        """Return the arguments that an utterance gives to `tool`, whichever tool won."""
        filler = self.filler(tool)
        return filler.fill(encoded.text, encoded.words if filler.reads_words else (), scores, now)

    def filler(self, tool: str) -> Filler:
        """Return what fills the arguments of a tool; made when it is first needed."""
        if tool not in self._fillers:
            self._fillers[tool] = Filler(self.tool(tool), self._heads)
        return self._fillers[tool]

    def tool(self, name: str) -> Tool:
        """Return a tool of this device, or one that the bundle was trained for and this device does not have."""
        if name not in self._tools:
            trained = self._trained[name]
            self._tools[name] = Tool.select_only(trained.name, trained.description, trained.parameters)
        return self._tools[name]
