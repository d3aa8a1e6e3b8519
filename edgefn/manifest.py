"""The manifest of a bundle: everything a device must know about a graph before it runs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

FORMAT = 2
"""The bundle format this package writes, and the newest it reads."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of the bundle."""

    path: str
    """Path inside the bundle, with forward slashes."""
    sha256: str
    """Hex digest of the whole file."""
    bytes: int
    """Size."""


@dataclass(frozen=True, slots=True)
class TrainedTool:
    """A tool as the bundle was trained for it."""

    name: str
    """Name, the key of its row in the tool head."""
    description: str
    """First paragraph of its docstring."""
    parameters: dict[str, Any]
    """JSON Schema of its arguments."""
    fingerprint: str
    """sha256 over name, description and parameters."""
    callable: bool = True
    """False for tools known only from data: they can be selected, never run."""


@dataclass(frozen=True, slots=True)
class Heads:
    """The rows of the three heads, in the order of the graph's outputs."""

    tools: tuple[str | None, ...]
    """Key of every row of `tool_logits`: a tool's name; None is "none of these"."""
    choices: tuple[tuple[str, str, str | None], ...] = ()
    """Key of every row of `choice_logits`: parameter, type, value as text; None is "not said"."""
    slots: tuple[tuple[str, str, str], ...] = ()
    """Key of every column of `slot_logits`: tag, parameter, type; first ("O", "", ""), then B and I of each slot."""
    scale: float = 1.0
    """The `scale` of the formula `scale · unit(x) · rowsᵀ + bias`, for rows added on the device."""
    accepts_added_rows: bool = True
    """False for a foreign classifier's own linear head."""


@dataclass(frozen=True, slots=True)
class Graph:
    """The ONNX graph and what it was built with."""

    file: str
    """Path of the graph inside the bundle."""
    quantization: str
    """int8, fp16 or none."""
    max_tokens: int
    """Longest utterance, in tokens, that is run; longer ones abstain."""
    dim: int
    """Width of `embedding`."""
    opset: int
    """ONNX opset of the default domain."""
    minimum_onnxruntime: str
    """Oldest onnxruntime that is known to run it."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit on wrong calls among accepted calls that holds with a stated confidence."""

    threshold: float
    """Calls at or above it are accepted."""
    wrong_rate: float
    """Upper limit on wrong ÷ accepted calls."""
    confidence: float
    """Probability, over the draw of the calibration rows, that the limit holds."""
    out_of_scope_share: float
    """Share of out-of-scope utterances (π) that the limit is stated for."""
    accepted_rows: int
    """Calibration rows accepted at the threshold."""


@dataclass(frozen=True, slots=True)
class CalibrationRows:
    """Which rows the probabilities were fitted on."""

    source: str
    """Name of the file."""
    sha256: str
    """Hex digest of that file."""
    rows: int
    """How many."""
    out_of_scope: int
    """How many of them belong to no tool."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """From logits to one probability, and from the probability to a decision."""

    tool_temperature: float
    """Divides `tool_logits` before the softmax."""
    slot_temperature: float
    """Divides `slot_logits` before the softmax."""
    choice_temperature: float
    """Divides `choice_logits` before the softmax."""
    platt_slope: float
    """Slope of the map from log P(call) to log-odds."""
    platt_intercept: float
    """Intercept of the same map."""
    threshold: float
    """A call is accepted at or above this probability."""
    threshold_name: str
    """risk, balanced, or fixed."""
    balanced_threshold: float
    """The threshold `balanced` stands for, whichever was chosen."""
    bound: Bound | None
    """The bound of `risk`; None when the calibration rows cannot give one."""
    no_bound_reason: str
    """Why there is no bound; empty when there is one."""
    out_of_scope_share: float
    """π, the share of out-of-scope utterances that weights Platt's map and `ece_all`."""
    rows: CalibrationRows | None
    """What all of this was fitted on."""


@dataclass(frozen=True, slots=True)
class AddedCalibration:
    """From logits to probabilities for tools added on the device, fitted on tool sets that training never saw."""

    temperature: float
    """Divides all tool logits before the softmax that tells P(tool) of an added tool."""
    tool_slope: float
    """Slope of the map from log P(tool) to the log-odds that the tool is right."""
    support_weight: float
    """Weight in it of the support, less one: mean probability of the words found for what the tool requires."""
    size_weight: float
    """Weight in it of the logarithm of how many tools compete: the first of many is surer than one alone."""
    tool_intercept: float
    """Intercept of the same map."""
    slot_temperature: float
    """Divides the slot logits of an added tool."""
    choice_temperature: float
    """Divides its choice logits."""
    call_slope: float
    """Slope of the map from log P(call) to the log-odds that the whole call is right."""
    call_intercept: float
    """Intercept of the same map."""
    example_bias: float
    """Added to the bias of a row in the measure in which it is made of examples, k / (k + 1) for k of them."""
    threshold: float
    """A tool is accepted at or above this probability of being right."""
    argument_threshold: float
    """An argument is given at or above this probability of its words; below it is asked for, or left out."""
    rows: CalibrationRows | None
    """What all of this was fitted on."""


@dataclass(frozen=True, slots=True)
class Makers:
    """How rows of tools added on the device are made: matrices in a file, scales and biases here."""

    file: str
    """float16 array [3 · dim + 1, dim]: for B rows, for I rows, for choice rows, and the row of *not said*."""
    tool_bias: float
    """Bias of an added tool's row."""
    begin_bias: float
    """Bias of an added B row."""
    inside_bias: float
    """Bias of an added I row."""
    value_bias: float
    """Bias of an added choice row."""
    unsaid_bias: float
    """Bias of *not said* of an added tool's closed parameter that is optional."""
    required_unsaid_bias: float
    """The same of one that is required."""
    named_bonus: float
    """Added to the logit of a value whose name stands in the utterance."""
    slot_scale: float
    """Scale of the slot head."""
    choice_scale: float
    """Scale of the choice head."""
    calibration: AddedCalibration
    """Probabilities and thresholds of added tools."""


@dataclass(frozen=True, slots=True)
class Source:
    """What the bundle was made from."""

    checkpoint_sha256: str
    """Digest over the checkpoint's files."""
    base: str
    """Name of the base model."""
    data: dict[str, str]
    """sha256 of every data file that training read, by file name."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of a bundle."""

    format: int
    """Bundle format."""
    serial: int
    """Counts up with every export over the same path; never goes down."""
    edgefn: str
    """Version of the package that wrote it."""
    tools: tuple[TrainedTool, ...]
    """The tools it was trained for."""
    heads: Heads
    """Rows of the heads."""
    graph: Graph
    """The graph."""
    calibration: Calibration
    """Probability and threshold."""
    source: Source
    """Where it came from."""
    makers: Makers | None
    """How rows of added tools are made; None where none can be added."""
    measured: dict[str, Any]
    """Numbers measured at export: before and after quantization, and on which machine."""
    files: tuple[FileEntry, ...] = field(default=())
    """Every other file of the bundle."""
    id: str = ""
    """sha256 of the canonical manifest without this field."""
