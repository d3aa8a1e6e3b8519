"""From an utterance to the call it asks for: one pass, one tool, its arguments, one probability. Nothing is decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from edgefn.added.table import Table
from edgefn.added.toolrows import ToolRows
from edgefn.arguments.filling import Filled, Filler
from edgefn.encoder import Encoded, Encoder, Scores
from edgefn.errors import ToolDefinitionError
from edgefn.manifest import Calibration, Heads, Makers, Manifest, TrainedTool
from edgefn.outcome import AbstainReason, ToolCall
from edgefn.scores_cache import ScoresCache
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
    """Calibrated probability that the whole call is right."""
    tool_probability: float
    """Calibrated probability that the tool is right: what decides about an added tool."""
    accepted: bool
    """True when the call is likely enough: for a trained tool the whole call, for an added one the tool."""
    threshold: float
    """What that was compared with."""

    @property
    def compared(self) -> float:
        """The probability that was compared with the threshold."""
        return self.tool_probability if self.selection.added else self.probability

    def call(self) -> ToolCall:
        """Return the tool call with typed arguments."""
        filled = self.filled
        typed = self.tool.typed(filled.arguments)
        return ToolCall(self.tool.name, typed, self.probability, filled.evidence, filled.error)


class Interpreter:
    """Reads utterances for the tools that a model was trained for, and for those added on the device."""

    def __init__(
        self,
        encoder: Encoder,
        heads: Heads,
        calibration: Calibration,
        trained: Iterable[TrainedTool],
        tools: Iterable[Tool] = (),
        makers: Makers | None = None,
    ) -> None:
        """Know `tools` by what their signatures say, the other `trained` ones by the schema they were trained with."""
        self.encoder = encoder
        self.cache: ScoresCache | None = None
        self.selector = Selector(heads, calibration, None if makers is None else makers.calibration)
        self._heads = heads
        self._trained = {each.name: each for each in trained}
        self._tools = {each.name: each for each in tools}
        self._fillers: dict[str, Filler] = {}
        biases = (0.0, 0.0) if makers is None else (makers.tool_bias, makers.calibration.example_bias)
        self.table = Table(heads.tools, heads.scale, *biases)
        """The added tools; replaced as a whole, never changed."""

    @classmethod
    def of(cls, manifest: Manifest, encoder: Encoder, tools: Iterable[Tool] = ()) -> Interpreter:
        """Return the interpreter of a bundle."""
        return cls(encoder, manifest.heads, manifest.calibration, manifest.tools, tools, manifest.makers)

    def interpret(self, text: str, now: datetime) -> Interpretation | AbstainReason:
        """Return the call that `text` asks for, or why it is not given to the engine.

        Raises InvalidUtterance when `text` is not a str, and EngineError when the engine fails.
        """
        encoded = self.encoder.encode(text)
        if isinstance(encoded, str):
            return encoded
        return self.read(encoded, self.run(encoded), now)

    def run(self, encoded: Encoded) -> Scores:
        """Return the scores of one pass, with the embeddings that added tools are judged by where there are any."""
        scores = self.known(encoded)
        return self.run_anew(encoded) if scores is None else scores

    def known(self, encoded: Encoded) -> Scores | None:
        """Return the scores of the same tokens a moment ago, where they are kept."""
        return None if self.cache is None else self.cache.get((tuple(encoded.ids), bool(self.table)))

    def run_anew(self, encoded: Encoded) -> Scores:
        """Return the scores of one pass that is made now."""
        embeddings = bool(self.table)
        scores = self.encoder.run(encoded, embeddings)
        if self.cache is not None:
            self.cache.put((tuple(encoded.ids), embeddings), scores)
        return scores

    def read(self, encoded: Encoded, scores: Scores, now: datetime) -> Interpretation | AbstainReason:
        """Return the call that the scores of an utterance speak for; why not, where there is no tool at all."""
        # Once: the table may be replaced while this call is under way. Scores of a pass before the first tool was
        # added have no embedding, and know nothing of it.
        table = self.table if len(scores.embedding) else None
        logits, names = (table.logits(scores), table.names) if table else (scores.tool_logits, ())
        selection = self.selector.select(logits, names)
        if selection is None:
            return "none_of_these"
        rows = table.added.get(selection.tool) if table else None
        return (
            self._added(rows, selection, encoded, scores, now) if rows else self._known(selection, encoded, scores, now)
        )

    def _known(self, selection: Selection, encoded: Encoded, scores: Scores, now: datetime) -> Interpretation:
        """Read a call of a trained tool: the whole call decides."""
        filled = self._fill(selection.tool, encoded, scores, now)
        log_p = selection.log_p + self.selector.arguments_log_p(filled)
        probability = self.selector.probability(log_p)
        tool_probability = selection.ranking[0].probability
        threshold = self.selector.threshold
        accepted = probability >= threshold
        tool = self.tool(selection.tool)
        return Interpretation(tool, selection, filled, log_p, probability, tool_probability, accepted, threshold)

    def _added(
        self, rows: ToolRows, selection: Selection, encoded: Encoded, scores: Scores, now: datetime
    ) -> Interpretation:
        """Read a call of an added tool: the tool decides, with what its words say; doubtful arguments are left out."""
        found = self._fill(rows, encoded, scores, now)
        log_p = selection.log_p + self.selector.arguments_log_p(found, added=True)
        probability = self.selector.probability(log_p, added=True)
        tool_probability = self.selector.added_probability(selection.log_p, selection.tools, rows.support(found))
        threshold = self.selector.added_threshold if rows.threshold is None else rows.threshold
        filled = found.without_doubtful(self.selector.argument_threshold)
        accepted = tool_probability >= threshold
        return Interpretation(rows.tool, selection, filled, log_p, probability, tool_probability, accepted, threshold)

    def fill(self, tool: str, encoded: Encoded, scores: Scores, now: datetime) -> Filled:
        """Return the arguments that an utterance gives to `tool`, whichever tool won."""
        rows = self.table.added.get(tool) if len(scores.embedding) else None
        if rows is None:
            return self._fill(tool, encoded, scores, now)
        return self._fill(rows, encoded, scores, now).without_doubtful(self.selector.argument_threshold)

    def filler(self, tool: str) -> Filler:
        """Return what fills the arguments of a tool; made when it is first needed."""
        rows = self.table.added.get(tool)
        if rows is not None:
            return rows.filler
        if tool not in self._fillers:
            self._fillers[tool] = Filler(self.tool(tool), self._heads)
        return self._fillers[tool]

    def tool(self, name: str) -> Tool:
        """Return a tool of this device, or one that the bundle was trained for and this device does not have.

        Raises ToolDefinitionError for an added tool that was removed.
        """
        if name not in self._tools:
            trained = self._trained.get(name)
            if trained is None:
                raise ToolDefinitionError(f"no tool is named {name!r}", hint="it was removed; dispatch again")
            self._tools[name] = Tool.select_only(trained.name, trained.description, trained.parameters)
        return self._tools[name]

    def know(self, tool: Tool) -> None:
        """Read a trained tool by what the signature of `tool` says from now on."""
        if tool.name in self._trained:
            self._tools[tool.name] = tool
            self._fillers.pop(tool.name, None)

    def _fill(self, tool: ToolRows | str, encoded: Encoded, scores: Scores, now: datetime) -> Filled:
        if isinstance(tool, ToolRows):
            words, own = tool.scores(encoded, scores)
            return tool.filler.fill(encoded.text, words, own, now)
        filler = self.filler(tool)
        return filler.fill(encoded.text, encoded.words if filler.reads_words else (), scores, now)
