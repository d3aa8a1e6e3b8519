"""General training: the encoder learns to read tools it has never seen, from the texts that describe them.

Every tool of a batch competes for every utterance by the embedding of its text alone; the other tools of its set are
the hard negatives, and where the right one is taken away "none of these" is right. Parameters learn to find their words
by the embedding of their own descriptions. Nothing that is learned belongs to a tool: encoder, makers, scales, biases.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .episodes import Episode, Prepared, Said, epoch
from .makers import Made, make, read
from .model import Makers, ToolModel
from .trainer import WeightAverage
from .tune import parameter_groups
from .tune import prepare as prepare_tuning

Say = Callable[[str], None]

_EXAMPLES = 0.35
"""Share of the episodes in which other utterances of a tool sharpen its row."""
_DROPPED = 0.45
"""How often the right tool is taken away from the small sets of candidates."""
_FEW = 6
"""Tools in such a small set, at most."""
_VERIFYING = 0.5
"""Weight of telling every tool from "none of these" by itself."""
_NEAREST = 3
"""Wrong tools that are told from "none of these": those that score highest."""
_MASKED = -1e4


@dataclass(frozen=True)
class GeneralSettings:
    """How to train in general."""

    epochs: int = 4
    """Passes over the tool sets."""
    most: int = 600
    """Utterances of one set in an epoch, at most."""
    rate: float = 2e-4
    """Learning rate of the encoder's last layer."""
    head_rate: float = 1e-3
    """Learning rate of makers, scales and biases."""
    layer_decay: float = 0.9
    """Factor on the rate for every layer further from the heads."""
    weight_decay: float = 0.01
    """Decay of the encoder's matrices."""
    warmup: float = 0.08
    """Share of the steps over which the rate rises."""
    average_decay: float = 0.998
    """Decay of the moving average of the weights."""
    slot_weight: float = 1.0
    """Weight of the spans' loss against the tools'."""
    choice_weight: float = 0.5
    """Weight of the choices' loss."""
    start_share: float = 0.15
    """How far the encoder goes back to its start in the end."""
    head_epochs: int = 1
    """Passes after that, over which only what stands above the encoder learns."""
    max_tokens: int = 128
    """Longer utterances are left out."""
    seed: int = 0
    """Seed of everything drawn at random."""


def fit_general(
    model: ToolModel,
    sets: Sequence[Prepared],
    pad_id: int,
    settings: GeneralSettings,
    say: Say = lambda line: None,
    watch: Callable[[ToolModel], str] = lambda model: "",
) -> None:
    """Train `model` in place on `sets`; `say` gets a line an epoch, with what `watch` says of the averaged weights.

    The encoder ends at an average with its start, which knows more than the tool sets say (Wortsman et al. 2022,
    arXiv:2109.01903); what stands over it is then trained a little more, to fit that encoder.
    """
    start = {name: each.detach().clone() for name, each in model.encoder.state_dict().items()}
    prepare_tuning(model, "full")
    _train(model, sets, pad_id, settings, settings.epochs, settings.seed, say, watch)
    fit_heads(model, start, sets, pad_id, settings, say, watch)


def fit_heads(
    model: ToolModel,
    start: Mapping[str, Tensor],
    sets: Sequence[Prepared],
    pad_id: int,
    settings: GeneralSettings,
    say: Say = lambda line: None,
    watch: Callable[[ToolModel], str] = lambda model: "",
) -> None:
    """Move the encoder part of the way back to `start`, and train all but the encoder on."""
    for name, each in model.encoder.state_dict().items():
        if each.is_floating_point():
            each.lerp_(start[name], settings.start_share)
    prepare_tuning(model, "heads")
    _train(model, sets, pad_id, settings, settings.head_epochs, settings.seed + 1, say, watch)


def _train(
    model: ToolModel,
    sets: Sequence[Prepared],
    pad_id: int,
    settings: GeneralSettings,
    epochs: int,
    seed: int,
    say: Say,
    watch: Callable[[ToolModel], str],
) -> None:
    """Train whatever of `model` learns, and leave the moving average of its weights in it."""
    draw = random.Random(seed)
    torch.manual_seed(seed)
    groups = parameter_groups(model, settings.rate, settings.head_rate, settings.layer_decay, settings.weight_decay)
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)
    per_epoch = len(list(epoch(sets, settings.most, random.Random(0))))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _Schedule(settings, epochs * per_epoch))
    trained = [each for each in model.parameters() if each.requires_grad]
    average = WeightAverage(model, settings.average_decay)
    step, started = 0, time.perf_counter()
    for number in range(1, epochs + 1):
        model.train()
        total: dict[str, float] = {}
        for episode in epoch(sets, settings.most, draw):
            losses = episode_losses(model, episode, pad_id, settings, draw)
            optimizer.zero_grad(set_to_none=True)
            torch.stack(list(losses.values())).sum().backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            average.update(model, step)
            for name, loss in losses.items():
                total[name] = total.get(name, 0.0) + float(loss.detach()) / per_epoch
        average.swap(model)
        parts = ", ".join(f"{name} {value:.3f}" for name, value in total.items())
        say(f"epoch {number}: {parts}; {time.perf_counter() - started:.0f} s{watch(model)}")
        if number < epochs:
            average.swap(model)


class _Schedule:
    """A linear rise, then half a cosine."""

    def __init__(self, settings: GeneralSettings, steps: int) -> None:
        self.steps, self.warm = steps, max(1, int(settings.warmup * steps))

    def __call__(self, step: int) -> float:
        if step < self.warm:
            return (step + 1) / self.warm
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - self.warm) / max(1, self.steps - self.warm))))


def episode_losses(
    model: ToolModel, episode: Episode, pad_id: int, settings: GeneralSettings, draw: random.Random
) -> dict[str, Tensor]:
    """Return the losses of one batch by name."""
    made = make(model, episode.tools, pad_id)
    said = read(model, [each.ids for each in episode.said], pad_id)
    embedding = F.normalize(torch.stack([each.mean(0) for each in said]), dim=-1)
    losses = {"tools": _tool_loss(model, embedding, made, episode, draw)}
    pairs = zip(episode.said, episode.gold, strict=True)
    rows = [(row, each, gold) for row, (each, gold) in enumerate(pairs) if gold is not None]
    tokens = [F.normalize(each, dim=-1) for each in said]
    slots = [_slot_loss(model, tokens[row], made, each, gold) for row, each, gold in rows if each.words]
    choices = [loss for row, each, gold in rows for loss in _choice_losses(model, embedding[row], made, each, gold)]
    for name, weight, found in (("slots", settings.slot_weight, slots), ("choices", settings.choice_weight, choices)):
        if found:
            losses[name] = weight * torch.stack(found).sum() / len(episode.said)
    return losses


def _tool_loss(model: ToolModel, embedding: Tensor, made: Made, episode: Episode, draw: random.Random) -> Tensor:
    """Return the loss over all candidates, and over few of them, the right one sometimes taken away."""
    makers = model.makers
    scale, none = model.tool_head.scale, len(episode.tools)
    gold = torch.tensor([none if each is None else each for each in episode.gold])
    logits = scale * F.linear(embedding, made.tools) + makers.bias[0]
    if draw.random() < _EXAMPLES:
        logits = _with_examples(scale, embedding, made.tools, gold, makers.bias[0], draw)
    logits = torch.cat([logits, model.tool_head(embedding)[:, -1:]], 1)
    loss = F.cross_entropy(logits, gold)
    allowed = torch.zeros_like(logits, dtype=torch.bool)
    allowed[:, none] = True
    target = gold.clone()
    for row, (index, (first, after)) in enumerate(zip(episode.gold, episode.own, strict=True)):
        few = draw.sample(range(first, after), min(after - first, draw.randint(1, _FEW)))
        allowed[row, few] = True
        if index is not None:
            kept = draw.random() >= _DROPPED
            allowed[row, index] = kept
            target[row] = index if kept else none
    loss = loss + F.cross_entropy(logits.masked_fill(~allowed, _MASKED), target)
    return loss + _VERIFYING * _verification_loss(logits[:, :none] - logits[:, none:], gold)


def _verification_loss(gaps: Tensor, gold: Tensor) -> Tensor:
    """Return the loss of telling the right tool from "none of these", and "none of these" from the nearest wrong ones.

    `gaps` [utterances, tools] is how far each tool is above "none of these": a device that has the wrong tool alone
    sees nothing else.
    """
    inside = gold < gaps.shape[1]
    rows = torch.arange(len(gold))[inside]
    right = F.softplus(-gaps[rows, gold[inside]]).sum()
    wrong = gaps.index_put((rows, gold[inside]), gaps.new_tensor(_MASKED))
    nearest = wrong.topk(min(_NEAREST, gaps.shape[1]), dim=1).values
    return (right + F.softplus(nearest).mean(1).sum()) / len(gold)


def _with_examples(
    scale: Tensor, embedding: Tensor, tools: Tensor, gold: Tensor, bias: Tensor, draw: random.Random
) -> Tensor:
    """Return logits of rows that other utterances of the batch have sharpened; no utterance sharpens its own."""
    weight = torch.zeros(len(tools), len(embedding))
    inside = gold < len(tools)
    weight[gold[inside], torch.arange(len(gold))[inside]] = 1.0
    together = F.normalize(tools + weight @ embedding, dim=-1)
    logits = scale * F.linear(embedding, together) + bias
    rows = torch.arange(len(gold))[inside]
    without = F.normalize(tools[gold[inside]] + (weight @ embedding)[gold[inside]] - embedding[inside], dim=-1)
    return logits.index_put((rows, gold[inside]), scale * (embedding[inside] * without).sum(-1) + bias)


def _slot_loss(model: ToolModel, tokens: Tensor, made: Made, said: Said, gold: int) -> Tensor:
    """Return the sum over the words of one utterance, labelled among the parameters of its tool alone."""
    number = made.parameter_of[gold]
    begin, inside = model.makers.slots(made.parameters[list(number.values())])
    place = {name: at for at, name in enumerate(number)}
    targets = []
    for slot in said.slots:
        at = place.get(slot[0]) if slot is not None else None
        targets.append(0 if at is None or slot is None else 1 + at + (0 if slot[1] else len(place)))
    logits = slot_logits(model, tokens[list(said.words)], begin, inside)
    return F.cross_entropy(logits, torch.tensor(targets), reduction="sum")


def slot_logits(model: ToolModel, tokens: Tensor, begin: Tensor, inside: Tensor) -> Tensor:
    """Return logits [words, 1 + 2 parameters]: outside, the B of every parameter, then the I of every parameter."""
    scale, bias = model.slot_head.scale, model.makers.bias
    return torch.cat(
        [
            model.slot_head(tokens)[:, :1],
            scale * F.linear(tokens, begin) + bias[1],
            scale * F.linear(tokens, inside) + bias[2],
        ],
        1,
    )


def _choice_losses(model: ToolModel, embedding: Tensor, made: Made, said: Said, gold: int) -> list[Tensor]:
    losses = []
    for name, value, named in said.choices:
        texts = [text for (parameter, text) in made.value_of[gold] if parameter == name]
        if not texts or (value is not None and value not in texts):
            continue
        rows = made.values[[made.value_of[gold][name, text] for text in texts]]
        flags = torch.tensor([0.0] + [float(text in named) for text in texts])
        logits = choice_logits(model, embedding, rows, flags)
        target = torch.tensor(0 if value is None else 1 + texts.index(value))
        losses.append(F.cross_entropy(logits, target))
    return losses


def choice_logits(model: ToolModel, embedding: Tensor, rows: Tensor, named: Tensor) -> Tensor:
    """Return logits [1 + values] of one parameter: *not said*, then every value."""
    makers: Makers = model.makers
    scale = model.choice_head.scale
    unsaid = scale * (embedding * F.normalize(makers.unsaid, dim=0)).sum() + makers.bias[4]
    values = scale * F.linear(embedding, makers.values(rows)) + makers.bias[3]
    return torch.cat([unsaid[None], values]) + makers.bias[5] * named
