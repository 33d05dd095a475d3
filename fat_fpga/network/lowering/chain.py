"""The chain of float nodes between two matrix products, evaluated for every channel at once.

Every node of a chain works on each value by itself, with parameters per tensor or per channel. So it is enough to
execute it on one value per channel: a probe [V, C] of V values for each of C channels, spread to the rank and order
of axes that the graph's tensor has at that place, but with one pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.operators import QUANTISERS, Operator

Probe = npt.NDArray[np.float32]

MONOTONE = ("Add", "Sub", "Mul", "Div", "Neg", "BatchNormalization", "Relu", "Clip", *QUANTISERS)
"""Operators that are monotone in their one moving input, in float arithmetic too: rounding keeps an order."""
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

    def in_front_of_quantiser(self) -> Chain:
        """The chain without its last quantiser and what follows it."""
        last = max(i for i, node in enumerate(self.nodes) if node.op_type in QUANTISERS)
        return replace(self, steps=self.steps[:last])

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
        """Values behind the chain, float32 [V, C], for values [V, C] in front of it."""
        for step in self.steps:
            probe = self._execute(step, probe)
        return probe

    def _execute(self, step: _Step, probe: Probe) -> Probe:
        node = step.operator.node
        spread = np.ascontiguousarray(probe[:, step.channels])
        constants = {name: self.graph.constants[name].values for name in node.input if name and name != step.variable}
        result = step.operator({step.variable: spread, **constants})
        if result.shape != spread.shape:
            raise refuse(node, "its parameters differ between the pixels of a channel")
        flat = result.reshape(len(probe), -1)
        where = np.unique(step.channels, return_index=True)[1]
        gathered: Probe = flat[:, where]
        if not np.array_equal(gathered[:, step.channels.ravel()], flat, equal_nan=True):
            raise refuse(node, "its parameters differ between the pixels of a channel")
        if not np.all(np.isfinite(gathered)):
            raise refuse(node, "it yields values that are not finite")
        return gathered.astype(np.float32)
