"""Random files in FINN form, as other tools write them: integer weights, thresholds anywhere, hardly an annotation.

Thresholds lie inside and outside of what fault-free sums reach, on and off their lattice, in any order, some with a
fraction; a row may be shared by all channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx

from tests.designs.float_graph import Choose, GraphBuilder

ACTIVATIONS = {  # number of levels, out_scale, out_bias, out_dtype
    "bipolar": (2, 2.0, -1.0, "BIPOLAR"),
    "one bit": (2, 1.0, 0.0, "BINARY"),
    "two bits": (4, 1.0, 0.0, "UINT2"),
    "signed": (4, 1.0, -2.0, "INT2"),
    "symmetric": (7, 1.0, -3.0, "INT3"),
    "four bits": (16, 1.0, 0.0, "UINT4"),
}
WEIGHTS: dict[str, Sequence[int]] = {
    "bipolar": (-1, 1),
    "ternary": (-1, 0, 1),
    "INT2": range(-2, 2),
    "INT3": range(-4, 4),
    "INT4": range(-8, 8),
}


def random_finn_graph(choose: Choose, rng: np.random.Generator, images: int = 1) -> onnx.ModelProto:
    """A file of two to four products on ``images`` images of raw pixels at once."""
    channels, side = choose([1, 2]), choose([1, 4])
    convolutions = choose([0, 1]) if side > 1 else 0
    builder = GraphBuilder([images, channels, side, side], "UINT8")
    low, high = 0, 255
    if choose([True, False]):
        low, high = _thresholds(builder, choose, rng, channels, 0, 255)
    shape = (channels, side, side)
    hidden = choose([1, 2])
    for index in range(convolutions + hidden + 1):
        outputs = choose([3, 4, 6])
        values = np.array(list(WEIGHTS[choose(list(WEIGHTS))]))
        if index < convolutions:
            kernel = choose([2, 3])
            padding = choose([0, 1]) if low <= 0 <= high and (low, high) != (-1, 1) else 0
            weights = rng.choice(values, (outputs, shape[0], kernel, kernel))
            builder.node("Conv", weights, kernel_shape=[kernel] * 2, pads=[padding] * 4)
            size = shape[1] + 2 * padding - kernel + 1
            shape = (outputs, size, size)
        else:
            if index == convolutions:
                builder.node("Flatten", axis=1)
            weights = rng.choice(values, (int(np.prod(shape)), outputs))
            builder.node("MatMul", weights)
            shape = (outputs, 1, 1)
        rows = weights.reshape(outputs, -1) if index < convolutions else weights.T
        positive, negative = np.maximum(rows, 0).sum(1), np.minimum(rows, 0).sum(1)
        least = int((positive * min(low, 0) + negative * high).min())
        most = int((positive * high + negative * min(low, 0)).max())
        if index < convolutions + hidden:
            low, high = _thresholds(builder, choose, rng, outputs, least, most)
    return builder.model()


def _thresholds(
    builder: GraphBuilder, choose: Choose, rng: np.random.Generator, channels: int, least: int, most: int
) -> tuple[int, int]:
    """A MultiThreshold on sums of ``least`` to ``most``; the smallest and the largest level."""
    count, scale, bias, datatype = ACTIVATIONS[choose(list(ACTIVATIONS))]
    reach = choose([1.0, 0.5, 1.6])
    middle, half = (least + most) / 2, max(most - least, 2) / 2 * reach
    rows = choose([channels, channels, 1])
    values: Any = rng.uniform(middle - half, middle + half, (rows, count - 1))
    values = np.rint(values * 2) / 2 if choose([False, False, True]) else np.rint(values)
    options = {"out_dtype": datatype, "out_scale": scale, "out_bias": bias}
    builder.node("MultiThreshold", values if choose([False, True]) else np.sort(values, axis=1), **options)
    return int(bias), int(bias + scale * (count - 1))
