"""One step of training, whatever was put into the network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fat_fpga.models.builder import bounded_weights
from fat_fpga.training.loss import LOSSES
from fat_fpga.training.recipe import Recipe


def train_step(
    model: nn.Module, optimiser: torch.optim.Optimizer, images: Tensor, labels: Tensor, recipe: Recipe
) -> tuple[Tensor, Tensor]:
    """Forward, backward, update, clamp.

    Args:
        model: in training mode.
        optimiser: of its parameters.
        images: float32 [B, C, H, W] in [0, 1], on the model's device.
        labels: int64 [B].
        recipe: its loss and its precision.

    Returns:
        The loss, a scalar, and the class scores [B, classes], both without gradient.
    """
    optimiser.zero_grad(set_to_none=True)
    # no weight is cast twice in a step, and a captured step may keep no casts for the next one
    with torch.autocast(
        images.device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16", cache_enabled=False
    ):
        scores = model(images)
    loss = LOSSES[recipe.loss](scores, labels)
    loss.backward()
    optimiser.step()
    clamp_weights(model)
    return loss.detach(), scores.detach()


@torch.no_grad()
def clamp_weights(model: nn.Module) -> None:
    """Clamp the `bounded_weights` of a model to [-1, 1]: beyond it they change nothing but inertia."""
    weights: list[Tensor] = [*bounded_weights(model)]
    if not weights:
        return
    torch._foreach_clamp_min_(weights, -1.0)
    torch._foreach_clamp_max_(weights, 1.0)
