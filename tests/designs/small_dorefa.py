"""DoReFa-Net with few channels, for 3x64x64 images: every kind of layer that the full-size one has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from fat_fpga.models.builder import FamilyNetwork, assemble
from fat_fpga.models.export import export_qonnx
from fat_fpga.models.topology import Convolution, NetworkSpec, Topology
from fat_fpga.training.norms import estimate_norms

TOPOLOGY = Topology(
    (3, 64, 64),
    (
        Convolution(8, kernel=11, stride=4, padding=2, pool=(3, 2)),
        Convolution(12, kernel=5, padding=2, pool=(3, 2)),
        Convolution(16, padding=1),
        Convolution(16, padding=1),
        Convolution(12, padding=1, pool=(2, 1)),  # leaves 2x2 pixels, where 3, 2 would leave one
    ),
    (24, 20),
    input_bits=8,
    outer_weight_bits=8,
    unsigned=True,
)
SPEC = NetworkSpec("small-dorefa-w1a2", TOPOLOGY, weight_bits=1, activation_bits=2, classes=5)


@torch.no_grad()
def small_dorefa(seed: int = 0) -> FamilyNetwork:
    """Random weights and random batch norms, gamma of either sign, under which activations take all levels."""
    torch.manual_seed(seed)
    model = assemble(SPEC).eval()
    estimate_norms(model, [torch.rand(16, *TOPOLOGY.input_shape)])
    norm: Any
    for name, norm in model.named_children():
        if name.endswith("_norm"):
            norm.weight.normal_(0.3, 1)
            norm.bias.normal_(0.5, 0.5)
    return model


def export_small_dorefa(path: Path, seed: int = 0) -> None:
    """Write it as a QONNX file."""
    export_qonnx(small_dorefa(seed), path, (1, *TOPOLOGY.input_shape))
