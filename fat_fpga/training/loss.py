"""Squared hinge loss with targets of +1 for an image's class and -1 for every other (FAT paper, section V)."""

from __future__ import annotations

import torch
from torch import Tensor


def squared_hinge(scores: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over images and classes of max(0, 1 - target * score)^2.

    Args:
        scores: float [N, classes].
        labels: int64 [N].
    """
    targets = torch.full_like(scores, -1.0).scatter_(1, labels[:, None], 1.0)
    return torch.relu(1 - targets * scores).square().mean()
