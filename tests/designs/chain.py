"""Units one behind the other, of shapes that are chosen and weights and thresholds that are random."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, Network

BIPOLAR, TERNARY = Levels(-1, 2, 2), Levels(-1, 1, 3)
IMAGE = np.arange(-128, 128)
"""Integers of the image."""


def chain(
    channels: Sequence[int],
    size: tuple[int, int],
    kernel: tuple[int, int],
    weights: Sequence[int],
    levels: Levels,
    *,
    stride: int = 1,
    padding: int = 0,
) -> Network:
    """Convolutions of ``kernel``, and a last unit whose window is all of the frame.

    Args:
        channels: of the image, behind each convolution, and classes.
        size: height and width of the image.
        weights: what weights are drawn from.
        levels: of all activations; thresholds lie where sums do, so that many are met and many are not.
        stride: of the second unit.
        padding: on each side, but for the first unit.
    """
    rng = np.random.default_rng(0)
    height, width = size
    units = []
    for i, (before, behind) in enumerate(pairwise(channels)):
        last, around, step = i == len(channels) - 2, padding if i > 0 else 0, stride if i == 1 else 1
        taps = (height, width) if last else kernel
        drawn = rng.choice(weights, (behind, before, *taps)).astype(np.int32)
        if last:
            units.append(MatrixVectorUnit(f"fc{i}", drawn, None, None))
            continue
        seen = IMAGE if i == 0 else levels.base + levels.step * np.arange(levels.count)
        middle = int(seen.mean() * np.mean(weights) * drawn[0].size)
        spread = int(np.sqrt((seen**2).mean() * np.square(weights).mean() * drawn[0].size)) + 1
        sums = rng.integers(middle - spread, middle + spread + 1, (behind, levels.count - 1))
        thresholds = np.sort(sums, axis=1).astype(np.int32)
        units.append(MatrixVectorUnit(f"conv{i}", drawn, thresholds, levels, (step, step), (around,) * 4))
        height, width = ((n + 2 * around - k) // step + 1 for n, k in zip((height, width), kernel, strict=True))
    table = np.stack([IMAGE] * channels[0]).astype(np.int32)
    return Network("chain", InputQuantiser((channels[0], *size), table), tuple(units))
