"""The losses that a recipe may name."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional


def squared_hinge(scores: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over images and classes of max(0, 1 - target * score)^2 (FAT paper, section V).

    The target is +1 for an image's class and -1 for every other.

    Args:
        scores: float [N, classes].
        labels: int64 [N].
    """
    targets = torch.full_like(scores, -1.0).scatter_(1, labels[:, None], 1.0)
    return torch.relu(1 - targets * scores).square().mean()


def cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over images of -log softmax(scores)[label]; arguments as of `squared_hinge`."""
    return functional.cross_entropy(scores.float(), labels)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "squared_hinge": squared_hinge,
    "cross_entropy": cross_entropy,
}
"""By the name in a recipe."""
