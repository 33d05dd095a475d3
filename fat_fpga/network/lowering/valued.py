"""The end of a network whose outputs are no class scores, but values: a regression, an autoencoder, an image."""

from __future__ import annotations

import json
import math

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.network.lowering.chain import AFFINE, Chain
from fat_fpga.network.lowering.graph import Graph, refuse
from fat_fpga.network.lowering.matrix import Product
from fat_fpga.network.outputs import OutputValues
from fat_fpga.network.writer import OUTPUTS

FAR = 2.0**20
"""Sum at which the slope of a chain is taken, in float64."""


def slopes(chain: Chain, product: Product, source_scale: float) -> tuple[float, ...]:
    """What the output of each channel is away, for one step of its sum: a chain of scales and biases is a line.

    Raises:
        ModelError: something else than scales and biases is between the sums and the outputs.
    """
    other = [node for node in chain.nodes if node.op_type not in AFFINE]
    if other:
        raise refuse(
            other[0],
            "the outputs are values, and only scales and biases may follow the last product then: end the model with a "
            "quantiser behind it, or without it",
        )
    step = float(np.float32(source_scale)) * product.scale.astype(np.float64)
    ends = [chain((np.full(chain.count, at) * step)[None])[0].astype(np.float64) for at in (0.0, FAR)]
    found = np.abs(ends[1] - ends[0]) / FAR
    if not np.all(np.isfinite(found) & (found > 0)):
        raise ModelError("one of its outputs does not depend on the input")
    return tuple(found.tolist())


def written_scales(graph: Graph) -> OutputValues | None:
    """The scales of a file that was written here; None for other files.

    Raises:
        ModelError: they are none.
    """
    if OUTPUTS not in graph.properties:
        return None
    try:
        scales = json.loads(graph.properties[OUTPUTS])
        if not isinstance(scales, list) or not all(isinstance(s, float) and math.isfinite(s) for s in scales):
            raise ValueError("no list of numbers")
        return OutputValues(tuple(scales))
    except ValueError as error:
        raise ModelError(f"its property '{OUTPUTS}' is damaged: {error}") from error
