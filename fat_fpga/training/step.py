"""One step of training, whatever was put into the network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fat_fpga.models.builder import latent_weights
from fat_fpga.training.loss import squared_hinge
from fat_fpga.training.recipe import Precision


def train_step(
    model: nn.Module, optimiser: torch.optim.Optimizer, images: Tensor, labels: Tensor, precision: Precision
) -> tuple[Tensor, Tensor]:
    """Forward, backward, update, clamp.

    Args:
        model: in training mode.
        optimiser: of its parameters.
        images: float32 [B, C, H, W] in [0, 1], on the model's device.
        labels: int64 [B].
        precision: of the matrix products.

    Returns:
        The loss, a scalar, and the class scores [B, classes], both without gradient.
    """
    optimiser.zero_grad(set_to_none=True)
    with torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        scores = model(images)
    loss = squared_hinge(scores, labels)
    loss.backward()
    optimiser.step()
    clamp_weights(model)
    return loss.detach(), scores.detach()


@torch.no_grad()
def clamp_weights(model: nn.Module) -> None:
    """Clamp the latent weights of every quantised layer to [-1, 1]: beyond it they change nothing but inertia."""
    for weight in latent_weights(model):
        weight.clamp_(-1, 1)
