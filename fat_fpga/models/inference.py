"""Running a network over many images in float32."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

EVALUATION_BATCH = 250


@torch.no_grad()
def scores(model: nn.Module, images: NDArray[np.uint8], device: str = "cpu") -> Tensor:
    """Class scores, float32 [N, classes], of uint8 ``images`` [N, C, H, W]; the model's mode is restored."""
    was_training = model.training
    model.eval()
    parts = []
    for start in range(0, len(images), EVALUATION_BATCH):
        batch = torch.tensor(images[start : start + EVALUATION_BATCH], device=device)
        batch = batch.float().div_(255).contiguous(memory_format=torch.channels_last)
        parts.append(model(batch).float().cpu())
    model.train(was_training)
    return torch.cat(parts)


def accuracy(model: nn.Module, images: NDArray[np.uint8], labels: NDArray[np.int64], device: str = "cpu") -> float:
    """Fraction of images whose highest score (the first of equals) is that of their label."""
    predicted = scores(model, images, device).argmax(dim=1).numpy()
    return float(np.mean(predicted == labels))
