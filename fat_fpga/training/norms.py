"""Fresh statistics for batch norms."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from fat_fpga.models.norm import TensorNorm


@torch.no_grad()
def estimate_norms(model: nn.Module, batches: Iterable[Tensor]) -> None:
    """Replace the running statistics of every norm by plain averages over ``batches`` of images, in float32.

    Every other module stays in evaluation, so nothing is dropped; the model's mode is restored.
    """
    norms = [module for module in model.modules() if isinstance(module, (nn.modules.batchnorm._BatchNorm, TensorNorm))]
    momenta = [norm.momentum for norm in norms]
    was_training = model.training
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    for batch in batches:
        model(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.train(was_training)
