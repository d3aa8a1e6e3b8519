"""One small model taught by several: their weights averaged to start from, their opinions averaged to learn from.

A handful of runs that differ in their seed are averaged in weight space (model soups, Wortsman et al. 2022,
arXiv:2203.05482), and the result is trained on the mean of their probabilities (Hinton et al. 2015,
arXiv:1503.02531), tools and slots alike, over the training texts and over perturbed ones, where the teachers' doubts
say the most.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor

from edgefn.rows import Row

from .batches import Collator, Examples, Opinion, infer
from .keys import UNLABELLED
from .losses import LabelsOf
from .model import ToolModel

_KEPT = (0.3, 0.7)
"""Share of a text that a splice keeps, at least and at most."""
_LEAST_WORDS = 3
"""Words are not dropped from texts as short as this."""


def perturb(rows: Sequence[Row], count: int, seed: int) -> list[str]:
    """Return about `count` distinct texts made from the rows' words: words dropped, swapped in, or two texts spliced.

    Out-of-scope rows take part more often than their number, where they are scarce.
    """
    draw = random.Random(seed)
    texts = [row.text.split() for row in rows]
    outside = [row.text.split() for row in rows if row.tool is None]
    words = [word for text in texts for word in text]
    kinds: list[Callable[[], list[str]]] = [
        lambda: _dropped(draw.choice(texts), draw),
        lambda: _swapped(draw.choice(texts), words, draw),
        lambda: _spliced(draw.choice(texts), draw.choice(texts), draw),
    ]
    if outside:
        # In either order: the head of one, the tail of the other.
        kinds.append(lambda: _spliced(*draw.sample([draw.choice(outside), draw.choice(texts)], 2), draw))
    seen = {" ".join(text) for text in texts}
    made = dict.fromkeys(" ".join(kinds[at % len(kinds)]()) for at in range(count))
    return [text for text in made if text not in seen]


def _dropped(text: list[str], draw: random.Random) -> list[str]:
    left = list(text)
    for _ in range(draw.randint(1, 2)):
        if len(left) > _LEAST_WORDS:
            left.pop(draw.randrange(len(left)))
    return left


def _swapped(text: list[str], words: Sequence[str], draw: random.Random) -> list[str]:
    changed = list(text)
    for _ in range(draw.randint(1, 2)):
        changed[draw.randrange(len(changed))] = draw.choice(words)
    return changed


def _spliced(first: list[str], second: list[str], draw: random.Random) -> list[str]:
    kept = max(1, round(len(first) * draw.uniform(*_KEPT)))
    return first[:kept] + second[round(len(second) * draw.uniform(*_KEPT)) :]


def opinions(
    teachers: Iterable[ToolModel], examples: Examples, collator: Collator, labels_of: LabelsOf
) -> list[Opinion]:
    """Return the mean probabilities of the teachers for every example.

    A word's labels are those of the example's own tool, or of the tool that the teachers think best together.
    """
    answers = [infer(teacher, examples, collator) for teacher in teachers]
    tools = torch.stack([each.tools.softmax(1) for each in answers]).mean(0)
    labels = torch.from_numpy(examples.labels())
    chosen = torch.where(labels == UNLABELLED, tools.argmax(1), labels)
    found = []
    for row, tool in enumerate(chosen.tolist()):
        words = torch.stack([each.slots[row] for each in answers])
        if words.numel():
            words = labels_of.restrict(words, torch.full((len(answers),), tool)).softmax(-1)
        found.append(Opinion(tools[row], words.mean(0)))
    return found


def average(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of several models' weights; the models have one architecture."""
    return {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}
