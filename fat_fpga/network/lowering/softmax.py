"""A softmax whose results are integers of 8 bits: whether the largest score is still the largest behind it."""

from __future__ import annotations

import math

from fat_fpga.network.lowering.graph import Graph, Node, refuse

ROUNDED = "fat_fpga.rounded_softmax."
"""Key of a model's properties, followed by the output of a Softmax, in a file that rounds its results to integers: the
step of its scores, the steps that 1 is, and those from its zero point to its largest integer."""
MARGIN = 2.0**-8
"""What onnxruntime's table of exponentials may be off, in steps; its entries have 31 bits less those of the count."""


def check_rounded(node: Node, graph: Graph, count: int) -> None:
    """ModelError where integers behind a softmax over ``count`` scores may be equal, of the largest score and another.

    The two differ least where all others are one step below the largest: by p (1 - exp(-step)), with the
    largest p = 1 / (1 + (count - 1) exp(-step)). No other result is above 1/2.
    """
    told = graph.properties.get(ROUNDED + node.output[0])
    if told is None:
        return
    step, one, room = (float(number) for number in told.split())
    below = math.exp(-step)
    apart = one * (1 - below) / (1 + (count - 1) * below)
    if apart < 1 + MARGIN or one / 2 + 1 > room:
        raise refuse(
            node,
            f"of {count} scores with steps of {step:g}, several can be its largest 8-bit integer, so that the class is "
            "not that of the largest score: end the model in front of it",
        )
