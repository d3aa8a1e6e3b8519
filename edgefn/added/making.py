"""From a tool to its rows: its text is read once by the encoder of the bundle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from edgefn.added.toolrows import ToolRows, stacked, unit
from edgefn.arguments.keys import OUTSIDE, choice_values, type_of
from edgefn.describing import Described, Place, closed_texts, describe, fillable, tokens_at
from edgefn.encoder import Encoder, Floats, Scores
from edgefn.errors import EngineError, ToolDefinitionError
from edgefn.manifest import Heads, Makers
from edgefn.tool import Tool

if TYPE_CHECKING:
    from edgefn.added.cache import RowCache


class RowMaker:
    """Makes the rows of added tools; always one text a pass, so that the same tool has the same rows everywhere."""

    def __init__(self, encoder: Encoder, makers: Makers, matrices: Floats, cache: RowCache | None = None) -> None:
        """Take scales and biases, and `matrices` [3 · dim + 1, dim]: of B, of I, of values, and the row *not said*."""
        dim = matrices.shape[1]
        self.encoder = encoder
        self._makers = makers
        self._dim = dim
        self._begin, self._inside, self._value = (matrices[at * dim : (at + 1) * dim] for at in range(3))
        self._unsaid = unit(matrices[3 * dim])
        self._cache = cache

    def rows(self, tool: Tool, examples: Iterable[str] = ()) -> ToolRows:
        """Return the rows of `tool`, sharpened by example utterances.

        Raises ToolDefinitionError for an example that is no utterance, and EngineError when the engine fails.
        """
        texts = tuple(dict.fromkeys(examples))
        arrays = None if self._cache is None else self._cache.read(tool, texts)
        if arrays is None:
            arrays = self._arrays(tool, texts)
            if self._cache is not None:
                self._cache.write(tool, texts, arrays)
        slots, choices = slot_keys(tool), choice_keys(tool)
        return ToolRows(
            tool, arrays["described"], Heads((tool.name,), choices, slots), arrays["slots"], arrays["choices"],
            self._makers, texts, arrays["examples"], arrays["against"],
        )  # fmt: skip

    def scores(self, text: str, tool: str) -> Scores:
        """Return the scores of an utterance that should call `tool`; ToolDefinitionError where it is none."""
        encoded = self.encoder.encode(text)
        if isinstance(encoded, str):
            raise ToolDefinitionError(
                f"{tool}: the example {text[:60]!r} is no utterance: {encoded}",
                hint="give what a person would type or say, in words the bundle knows",
            )
        return self.encoder.run(encoded, embeddings=True)

    def _arrays(self, tool: Tool, texts: Sequence[str]) -> dict[str, Floats]:
        examples = [self.scores(text, tool.name) for text in texts]
        described = describe(tool)
        read = [self.encoder.read(each.text) for each in described]
        parameters, values = _means(described, read)
        slots = [
            unit(matrix @ parameters[name])
            for _, name, _ in slot_keys(tool)[1::2]
            for matrix in (self._begin, self._inside)
        ]
        choices = [
            self._unsaid if value is None else unit(self._value @ values[name, value])
            for name, _, value in choice_keys(tool)
        ]
        arrays = {
            "described": _mean(read[0], described[0].head),
            "slots": stacked(slots, self._dim),
            "choices": stacked(choices, self._dim),
            "examples": stacked([each.embedding for each in examples], self._dim),
            "against": stacked([each.tool_logits for each in examples], 0),
        }
        if not all(np.isfinite(array).all() for array in arrays.values()):  # one such row would spoil every score
            raise EngineError(
                f"{tool.name}: the graph returned embeddings that are not finite",
                hint="run `edgefn doctor BUNDLE`; export again with --quantize none if it persists",
            )
        return arrays


def slot_keys(tool: Tool) -> tuple[tuple[str, str, str], ...]:
    """Return the keys of an added tool's slot columns: O, then B and I of every parameter that words may fill."""
    keys = [(tag, each.name, type_of(each.schema)) for each in fillable(tool) for tag in ("B", "I")]
    return (OUTSIDE, *keys) if keys else ()


def choice_keys(tool: Tool) -> tuple[tuple[str, str, str | None], ...]:
    """Return the keys of an added tool's choice rows: *not said*, then the values, of every closed parameter."""
    closed = [each for each in fillable(tool) if choice_values(each.schema) is not None]
    return tuple((each.name, type_of(each.schema), value) for each in closed for value in (None, *closed_texts(each)))


Read = tuple[Sequence[tuple[int, int]], Floats]
"""The characters of every token, and its embedding."""


def _means(
    described: Sequence[Described], read: Sequence[Read]
) -> tuple[dict[str, Floats], dict[tuple[str, str], Floats]]:
    parameters: dict[str, Floats] = {}
    values: dict[tuple[str, str], Floats] = {}
    for text, found in zip(described, read, strict=True):
        for name, place in text.parameters.items():
            parameters[name] = _mean(found, place)
        for key, place in text.values.items():
            values[key] = _mean(found, place)
    return parameters, values


def _mean(read: Read, place: Place) -> Floats:
    """Return the unit mean over the tokens that touch a place; of one that was cut off, over the last token."""
    offsets, tokens = read
    first, after = tokens_at(offsets, place) or (len(tokens) - 1, len(tokens))
    return unit(tokens[first:after].mean(0, dtype=np.float32))
