"""The networks of the benchmarks that are not bundled, with random weights: how fast they run does not depend on what
they have learned. Thresholds and batch norms are set to what the bundled images give."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fat_fpga.datasets import load
from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, Network, load_network
from fat_fpga.network.layers import Layer, SumPool

SETTLING = 16
"""Images that thresholds and batch norms are set by."""

MOBILENET = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1),
)  # fmt: skip
"""Of each depthwise-separable block of MobileNet-v1 (Howard et al. 2017): channels that it puts out, stride."""


def subject(name: str) -> Network:
    """A network by name: one of these, or a bundled one."""
    makers = {"resnet8_w2a2": resnet8, "mobilenet_w4a4": mobilenet}
    return makers[name]() if name in makers else load_network(name)


def resnet8() -> Network:
    """``resnet8-w2a2`` of the family: three residual blocks of 16, 32 and 64 channels."""
    import torch

    from fat_fpga.models import build
    from fat_fpga.models.export import export_qonnx

    torch.manual_seed(0)
    model = build("resnet8-w2a2").train()
    images = torch.from_numpy(load("demo:cifar10", limit=SETTLING).images / np.float32(255))
    with torch.no_grad():
        for _ in range(8):
            model(images)
    with tempfile.TemporaryDirectory() as folder:
        export_qonnx(model.eval(), path := Path(folder) / "resnet8.onnx", (1, 3, 32, 32))
        return load_network(path)


def mobilenet() -> Network:
    """MobileNet-v1 for images of 32x32 (without its first stride and pool), 4-bit weights and activations."""
    rng = np.random.default_rng(0)
    table = np.tile(np.arange(-128, 128, dtype=np.int32), (3, 1))
    images = load("demo:cifar10", limit=SETTLING).images
    stream = images.astype(np.int32) - 128
    layers: list[Layer] = []

    def unit(channels: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        nonlocal stream
        weights = rng.integers(-7, 8, (channels, stream.shape[1] // groups, kernel, kernel)).astype(np.int32)
        around = (kernel // 2,) * 4
        bare = MatrixVectorUnit(
            f"conv{len(layers)}", weights, None, None, (stride, stride), around, "INT4", groups=groups
        )
        thresholds = _quantiles(bare.accumulate(stream))
        layers.append(whole := _with(bare, thresholds))
        stream = whole.output(stream)

    unit(32, 3)
    for channels, stride in MOBILENET:
        unit(stream.shape[1], 3, stride, stream.shape[1])
        unit(channels, 1)
    side: tuple[int, int] = stream.shape[2:]
    layers.append(SumPool(f"{layers[-1].name}.sum", side, side))
    last = rng.integers(-7, 8, (10, stream.shape[1], 1, 1)).astype(np.int32)
    layers.append(MatrixVectorUnit(f"fc{len(layers) - 1}", last, None, None, weight_type="INT4"))
    return Network("mobilenet_w4a4", InputQuantiser((3, 32, 32), table), tuple(layers))


def _quantiles(accumulators: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Thresholds by which a third of the activations of each channel are 0 and no other level is rare."""
    by_channel = accumulators.swapaxes(0, 1).reshape(accumulators.shape[1], -1)
    found = np.quantile(by_channel, np.linspace(0.33, 0.98, 15), axis=1).T
    return np.ascontiguousarray(np.ceil(found), np.int32)


def _with(unit: MatrixVectorUnit, thresholds: npt.NDArray[np.int32]) -> MatrixVectorUnit:
    return replace(unit, thresholds=thresholds, levels=Levels(0, 1, 16))
