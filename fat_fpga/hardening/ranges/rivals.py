"""Other ways to restrict ranges, in the frame of FT-ClipAct, so that they can be compared.

- Ranger (Chen, Li, Pattabiraman, DSN 2021): a value beyond the largest one of its layer becomes that one.
- FitAct (Ghavami et al., DATE 2022): a bound of each neuron, trained on the accuracy and the size of the bounds.
- ProAct (Mousavi et al., 2024, arXiv 2406.06313): bounds of neurons in the last activation alone, one bound in each
  layer before, trained layer by layer with the unbounded network as a teacher.
- Ranges of parameters: a word beyond the range of its tensor is read as 0.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fat_fpga.arguments import checked
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.errors import TrainingError
from fat_fpga.hardening.ranges.profile import Profile, profile
from fat_fpga.modules import ModuleSubject
from fat_fpga.ranges.activation import SmoothBounded
from fat_fpga.ranges.restricted import Ranges, replace, restrict
from fat_fpga.ranges.weights import ranges_of

FLOOR = 0.01
"""A bound that is trained starts with at least this share of the largest value of its layer."""
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Called with scores, labels, and the scores of the network without bounds."""


@dataclass(frozen=True)
class BoundTraining:
    """How bounds are trained; weights stay as they are.

    Attributes:
        epochs: at most, over the images; of each step of ProAct.
        rate: of Adam, relative to the mean bound of a layer.
        penalty: weight of the mean square of the bounds relative to their start.
        loss: points of accuracy on these images that may be lost. The last bounds that lose no more are taken.
        batch: images in a step.
        seed: of their order.
    """

    epochs: int = 5
    rate: float = 0.02
    penalty: float = 0.1
    loss: float = 1.0
    batch: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch"):
            if getattr(self, name) < 1:
                raise TrainingError(f"training of bounds: {name} must be at least 1, got {getattr(self, name)}")
        for name in ("rate", "penalty", "loss"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise TrainingError(f"training of bounds: {name} must be at least 0, got {getattr(self, name):g}")


@checked
def ranger(subject: ModuleSubject, data: Dataset) -> Ranges:
    """Clamp every activation to its largest value on the images."""
    return Ranges("clamp", profile(subject, data.images).bounds("layer"))


@checked
def weight_ranges(subject: ModuleSubject, data: Dataset) -> Ranges:
    """The range of every parameter; the images are not looked at."""
    return Ranges(weights=ranges_of(subject.module))


@checked
def fitact(subject: ModuleSubject, data: Dataset, training: BoundTraining | None = None) -> Ranges:
    """Train a bound of each neuron, all at once."""
    start = _floored(profile(subject, data.images), "neuron")

    def loss(scores: Tensor, labels: Tensor, taught: Tensor) -> Tensor:
        return functional.cross_entropy(scores, labels)

    return _Trainer(subject, data, training or BoundTraining(), loss).train(start, [list(start)])


@checked
def proact(subject: ModuleSubject, data: Dataset, training: BoundTraining | None = None) -> Ranges:
    """Train one bound of each layer and those of the neurons of the last activation, from the last layer to the
    first."""
    found = profile(subject, data.images)
    layers, neurons = _floored(found, "layer"), _floored(found, "neuron")
    last = list(layers)[-1]
    start = layers | {last: neurons[last]}

    def loss(scores: Tensor, labels: Tensor, taught: Tensor) -> Tensor:
        return functional.kl_div(scores.log_softmax(1), taught.log_softmax(1), reduction="batchmean", log_target=True)

    order = [[name] for name in reversed(list(start))]
    return _Trainer(subject, data, training or BoundTraining(), loss).train(start, order)


def _floored(found: Profile, granularity: str) -> dict[str, Tensor]:
    bounds = found.bounds(granularity)
    return {name: torch.maximum(bound, FLOOR * found.layer(name)) for name, bound in bounds.items()}


class _Trainer:
    """Trains bounds of a module on images."""

    def __init__(self, subject: ModuleSubject, data: Dataset, training: BoundTraining, loss: Loss) -> None:
        data.need_labels("the training of bounds")
        self._subject, self._training, self._loss = subject, training, loss
        self._images = subject.input.tensor(data.images, subject.device)
        self._labels = torch.tensor(data.labels, device=subject.device)
        with torch.no_grad():
            self._taught = self._scores(subject.module)
        self._least = self._right(self._taught) - training.loss / 100 * len(self._labels)

    def train(self, start: Mapping[str, Tensor], groups: Sequence[Sequence[str]]) -> Ranges:
        """Train the bounds of each group in turn; the others rest."""
        model = copy.deepcopy(self._subject.module).requires_grad_(False)
        smooth = {name: SmoothBounded(model.get_submodule(name), bound) for name, bound in start.items()}
        replace(model, smooth)
        for part in smooth.values():
            part.bound.requires_grad_(False)
        found = {name: bound.clone() for name, bound in start.items()}
        for number, group in enumerate(groups):
            self._train_group(model, {name: smooth[name] for name in group}, start, found, number)
        return Ranges("clip", found)

    def _train_group(
        self,
        model: nn.Module,
        parts: Mapping[str, SmoothBounded],
        start: Mapping[str, Tensor],
        found: dict[str, Tensor],
        number: int,
    ) -> None:
        training = self._training
        groups: list[dict[str, Any]] = [
            {"params": [part.bound.requires_grad_(True)], "lr": training.rate * max(float(start[name].mean()), 1e-6)}
            for name, part in parts.items()
        ]
        optimiser = torch.optim.Adam(groups)
        for epoch in range(training.epochs):
            source = torch.Generator().manual_seed((training.seed * 1000 + number) * 1000 + epoch)
            order = torch.randperm(len(self._labels), generator=source).to(self._labels.device)
            for chosen in order.split(training.batch):
                optimiser.zero_grad(set_to_none=True)
                loss = self._loss(model(self._images[chosen]), self._labels[chosen], self._taught[chosen])
                size = sum(
                    (part.bound / start[name].clamp_min(1e-6)).square().mean() for name, part in parts.items()
                ) / len(parts)
                (loss + training.penalty * size).backward()
                optimiser.step()
            tried = found | {name: part.bound.detach().abs().clone() for name, part in parts.items()}
            hard = restrict(copy.deepcopy(self._subject.module), Ranges("clip", tried))
            if self._right(self._scores(hard)) < self._least:
                break
            found.update(tried)
        for name, part in parts.items():
            part.bound.requires_grad_(False).copy_(found[name])

    @torch.no_grad()
    def _scores(self, model: nn.Module) -> Tensor:
        return torch.cat([model(part) for part in self._images.split(self._training.batch)])

    def _right(self, scores: Tensor) -> int:
        return int((scores.argmax(1) == self._labels).sum())
