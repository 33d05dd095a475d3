"""The chain of float nodes between two matrix products, evaluated for every channel at once.

Every node of a chain works on each value by itself, with parameters per tensor or per channel. So it is enough to
execute it on one value per channel: a probe [V, C] of V values for each of C channels, spread to the rank and order
of axes that the graph's tensor has at that place, but with one pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.operators import QUANTISERS, Operator

Probe = npt.NDArray[Any]
"""float32, or float64 where the chain is executed in that."""

MONOTONE = ("Add", "Sub", "Mul", "Div", "Neg", "BatchNormalization", "Relu", "Clip", *QUANTISERS)
"""Operators that are monotone in their one moving input, in float arithmetic too: rounding keeps an order."""
AFFINE = ("Add", "Sub", "Mul", "Div", "Neg", "BatchNormalization")
"""Those that may decrease; the others never do."""
FAR = 2.0**40
"""A value next to which shifts are small, and which no scale takes out of float32."""
NOT_MONOTONE = ("Abs", "Sin", "Cos", "Mod", "Gelu", "Elu", "HardSwish", "Mish", "Swish", "Pow", "Reciprocal")


@dataclass
class _Step:
    operator: Operator
    variable: str
    channels: npt.NDArray[np.intp]  # of the node's tensor, one pixel only: which channel each element belongs to


@dataclass
class Chain:
    """Element-wise nodes in order, for activations of ``count`` channels."""

    graph: Graph
    count: int
    steps: list[_Step] = field(default_factory=list)

    def add(self, node: Node, channels: npt.NDArray[np.intp]) -> None:
        """Append a node.

        Args:
            channels: channel of every element of the node's moving input, without the batch axis.
        """
        if node.op_type == "Div" and node.input[0] in self.graph.constants:
            raise refuse(node, "dividing by an activation is not a monotone function of it")
        if node.op_type == "BatchNormalization" and attributes(node).get("training_mode"):
            raise refuse(node, "it is in training mode: export the model in evaluation mode")
        for axis in range(channels.ndim):
            first = channels.take([0], axis)
            if np.all(channels == first):
                channels = first
        (variable,) = self.graph.moving(node)
        self.steps.append(_Step(Operator(node, self.graph), variable, channels))

    def regroup(self, count: int, size: int) -> None:
        """Take every ``size`` channels as the pixels of one, so that ``count`` are left."""
        self.count = count
        for step in self.steps:
            step.channels = step.channels // size

    @property
    def nodes(self) -> list[Node]:
        return [step.operator.node for step in self.steps]

    def direction(self) -> npt.NDArray[np.int64]:
        """int64 [C]: -1 where the chain decreases, else 1, as the sign of gamma tells FINN.

        Each affine node is looked at by itself, so what saturates in between (a ReLU, a quantiser) hides nothing. A
        channel that is constant counts as one that does not decrease.
        """
        found = np.ones(self.count, np.int64)
        ends = np.repeat(np.array([[-FAR], [FAR]], np.float32), self.count, axis=1)
        for step in self.steps:
            if step.operator.node.op_type in AFFINE:
                low, high = self._execute(step, ends)
                found *= (high > low).astype(np.int64) - (high < low)
        return np.where(found < 0, -1, 1)

    def of_one_channel(self) -> Chain | None:
        """The chain of any single channel, where every parameter is one number for all channels; else None."""
        steps = []
        for step in self.steps:
            node = step.operator.node
            if any(self.graph.constants[name].values.size > 1 for name in node.input if name and name != step.variable):
                return None
            steps.append(replace(step, channels=np.zeros([1] * step.channels.ndim, np.intp)))
        return replace(self, count=1, steps=steps)

    def __call__(self, probe: Probe) -> Probe:
        """Values behind the chain, of the same type [V, C], for values [V, C] in front of it."""
        for step in self.steps:
            probe = self._execute(step, probe)
        return probe

    def _execute(self, step: _Step, probe: Probe) -> Probe:
        node = step.operator.node
        spread = np.ascontiguousarray(probe[:, step.channels])
        constants = {name: self.graph.constants[name].values for name in node.input if name and name != step.variable}
        if probe.dtype != np.float32:
            constants = {name: _as(values, probe.dtype) for name, values in constants.items()}
        result = step.operator({step.variable: spread, **constants})
        if result.shape != spread.shape:
            raise refuse(node, "its parameters differ between the pixels of a channel")
        flat = result.reshape(len(probe), -1)
        where = np.unique(step.channels, return_index=True)[1]
        gathered: Probe = flat[:, where]
        if not np.array_equal(gathered[:, step.channels.ravel()], flat, equal_nan=True):
            raise refuse(node, "its parameters differ between the pixels of a channel")
        if np.any(np.isnan(gathered)):  # far from what sums reach, infinite values are for a quantiser to limit
            raise refuse(node, "it yields values that are not finite")
        return gathered.astype(probe.dtype)


def _as(values: npt.NDArray[Any], dtype: Any) -> npt.NDArray[Any]:
    """Float32 constants in another floating-point type; others as they are."""
    return values.astype(dtype) if values.dtype == np.float32 else values
