"""The chain of float nodes between two matrix products, evaluated for every channel at once.

Every node of a chain works on each value by itself, with parameters per tensor or per channel. So it is enough to
execute it on one value per channel: a probe [V, C] of V values for each of C channels, spread to the rank and order
of axes that the graph's tensor has at that place, but with one pixel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import ModelError
from fat_fpga.network.lowering.constants import Array
from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.monotone import not_monotone
from fat_fpga.network.lowering.operators import Operator
from fat_fpga.network.lowering.sizes import MOST_STEPS

Probe = npt.NDArray[Any]
"""float32, or float64 where the chain is executed in that."""
Channels = npt.NDArray[np.intp]
AFFINE = ("Add", "Sub", "Mul", "Div", "Neg", "BatchNormalization")
"""Operators that may decrease; the other monotone ones never do."""
FAR = 2.0**40
"""A value next to which shifts are small, and which no scale takes out of float32."""


class DifferError(ModelError):
    """Parameters differ between the pixels of a channel."""


@dataclass
class Step:
    operator: Operator
    variable: str
    channels: Channels  # of the node's tensor, one pixel only: which channel each element belongs to
    constants: dict[str, Array]
    dtype: np.dtype[Any]  # of the moving input
    otherwise: str | None = None  # why it is not monotone, if it is not

    @property
    def nodes(self) -> list[Node]:
        return [self.operator.node]


@dataclass
class _Joint:
    """A node that reads several functions of what is in front of this step, as in ``x * sigmoid(x)``."""

    operator: Operator
    sides: dict[str, list[AnyStep]]  # by the node's moving inputs
    channels: Channels
    constants: dict[str, Array]
    dtypes: dict[str, np.dtype[Any]]  # of the moving inputs
    otherwise: str | None = "it joins several functions of one accumulator"

    @property
    def nodes(self) -> list[Node]:
        return [*(node for side in self.sides.values() for step in side for node in step.nodes), self.operator.node]


AnyStep = Step | _Joint


@dataclass
class Chain:
    """Element-wise nodes in order, for activations of ``count`` channels."""

    graph: Graph
    count: int
    steps: list[AnyStep] = field(default_factory=list)

    def add(self, node: Node, channels: Channels, dtype: np.dtype[Any] | None = None) -> None:
        """Append a node.

        Args:
            channels: channel of every element of the node's moving input, without the batch axis; -1 for those that
                nothing reads.
            dtype: type of the moving input; float32 by default.
        """
        if len(self.steps) >= MOST_STEPS:
            raise refuse(node, f"more than {MOST_STEPS} element-wise nodes follow each other, which no network needs")
        otherwise = not_monotone(node, self.graph)
        (variable,) = self.graph.moving(node)
        constants, channels = self._of_one_pixel(node, channels)
        self.steps.append(
            Step(Operator(node, self.graph), variable, channels, constants, dtype or np.dtype(np.float32), otherwise)
        )

    def join(self, node: Node, chains: list[Chain], channels: Channels, dtypes: list[np.dtype[Any]]) -> None:
        """Append a node that reads the ends of chains which begin like this one.

        Args:
            chains, dtypes: of each of the node's moving inputs, and its type.
            channels: as in `add`.
        """
        start, moving = len(self.steps), self.graph.moving(node)
        constants, channels = self._of_one_pixel(node, channels)
        sides = {name: chain.steps[start:] for name, chain in zip(moving, chains, strict=True)}
        types = dict(zip(moving, dtypes, strict=True))
        self.steps.append(_Joint(Operator(node, self.graph), sides, channels, constants, types))

    def _of_one_pixel(self, node: Node, channels: Channels) -> tuple[dict[str, Array], Channels]:
        """A node's constants, and the channels of its tensor, for one pixel where they are the same for all."""
        moving = self.graph.moving(node)
        constants = {name: self.graph.constants[name].values for name in node.input if name and name not in moving}
        sliced = _one_pixel(node, constants, -1, channels.ndim)
        if sliced is None:
            raise refuse(
                node, "its parameters differ between the images of a batch: export the model with a batch of 1"
            )
        constants = sliced
        for axis in range(channels.ndim):
            kept = _different(channels, axis)
            if len(kept) < channels.shape[axis] or len(kept) == 1:
                sliced = _one_pixel(node, constants, axis, channels.ndim)
                if sliced is not None:
                    channels, constants = channels.take(kept, axis), sliced
        return constants, channels

    def copy(self) -> Chain:
        return replace(self, steps=list(self.steps))

    @property
    def otherwise(self) -> tuple[Node, str] | None:
        """The first node that is not monotone, and why; None where all are."""
        found = ((step.nodes[-1], step.otherwise) for step in self.steps if step.otherwise is not None)
        return next(found, None)

    def regroup(self, count: int, size: int) -> None:
        """Take every ``size`` channels as the pixels of one, so that ``count`` are left."""
        self.count = count
        for step in self.steps:
            step.channels = step.channels // size
            if isinstance(step, _Joint):
                raise refuse(step.operator.node, "it joins several functions of an image that is reshaped later")

    @property
    def nodes(self) -> list[Node]:
        return [node for step in self.steps for node in step.nodes]

    def part(self, start: int, stop: int) -> Chain:
        """The nodes from ``start`` to ``stop``, that one left out."""
        return replace(self, steps=self.steps[start:stop])

    def direction(self) -> npt.NDArray[np.int64]:
        """int64 [C]: -1 where the chain decreases, else 1, as the sign of gamma tells FINN.

        Each affine node is looked at by itself, so what saturates in between (a ReLU, a quantiser) hides nothing. A
        channel that is constant counts as one that does not decrease.
        """
        found = np.ones(self.count, np.int64)
        ends = np.repeat(np.array([[-FAR], [FAR]], np.float32), self.count, axis=1)
        for step in self.steps:
            if isinstance(step, Step) and step.operator.node.op_type in AFFINE:
                low, high = self._execute(step, ends)
                found *= (high > low).astype(np.int64) - (high < low)
        return np.where(found < 0, -1, 1)

    def of_one_channel(self) -> Chain | None:
        """The chain of any single channel, where every parameter is one number for all channels; else None."""
        single = [step for step in self.steps if isinstance(step, Step)]
        if len(single) < len(self.steps) or any(v.size > 1 for step in single for v in step.constants.values()):
            return None
        steps: list[AnyStep] = [replace(step, channels=np.zeros([1] * step.channels.ndim, np.intp)) for step in single]
        return replace(self, count=1, steps=steps)

    def __call__(self, probe: Probe) -> Probe:
        """Values behind the chain, of the same type [V, C], for values [V, C] in front of it."""
        for step in self.steps:
            probe = self._execute(step, probe)
        return probe

    def _execute(self, step: AnyStep, probe: Probe) -> Probe:
        sides = step.sides if isinstance(step, _Joint) else {step.variable: []}
        dtypes = step.dtypes if isinstance(step, _Joint) else {step.variable: step.dtype}
        constants = step.constants
        if probe.dtype != np.float32 and np.float32 in dtypes.values():
            dtypes = {name: probe.dtype if dtype == np.float32 else dtype for name, dtype in dtypes.items()}
            constants = {name: _as(values, probe.dtype) for name, values in constants.items()}
        spread = {
            name: np.ascontiguousarray(_stored(self._behind(side, probe)[:, step.channels], dtypes[name]))
            for name, side in sides.items()
        }
        return self._gathered(step, step.operator({**spread, **constants}), probe)

    def _behind(self, side: list[AnyStep], probe: Probe) -> Probe:
        """Values behind some steps."""
        return replace(self, steps=side)(probe) if side else probe

    def _gathered(self, step: AnyStep, result: Array, probe: Probe) -> Probe:
        """One value for each channel of what a node makes."""
        node = step.operator.node
        if result.shape != (len(probe), *step.channels.shape):
            raise refuse(node, f"its parameters turn activations of {step.channels.ndim + 1} axes into other ones")
        flat = result.reshape(len(probe), -1)
        read = np.flatnonzero(step.channels.ravel() >= 0)
        flat, channels = flat[:, read], step.channels.ravel()[read]
        gathered: Probe = flat[:, np.unique(channels, return_index=True)[1]]
        if not np.array_equal(gathered[:, channels], flat, equal_nan=flat.dtype.kind == "f"):
            raise DifferError(
                str(
                    refuse(
                        node,
                        "its parameters differ between the pixels of a channel: take one for the tensor or for each "
                        "channel",
                    )
                )
            )
        if np.any(np.isnan(gathered)):  # far from what sums reach, infinite values are for a quantiser to limit
            raise refuse(node, "it yields values that are not finite")
        return gathered.astype(probe.dtype)


def _stored(values: Probe, dtype: np.dtype[Any]) -> Probe:
    """Values in a type; integers beyond those that it holds become the nearest, and never others."""
    if dtype.kind in "iu":
        values = np.clip(values, np.iinfo(dtype).min, np.iinfo(dtype).max)
    return values.astype(dtype, copy=False)


def _as(values: Array, dtype: Any) -> Array:
    """Float32 constants in another floating-point type; others as they are."""
    return values.astype(dtype) if values.dtype == np.float32 else values


def _one_pixel(node: Node, constants: Mapping[str, Array], axis: int, rank: int) -> dict[str, Array] | None:
    """Parameters for the first pixel along an axis of the node's tensor; None where they differ along it.

    Args:
        axis: the batch not counted, which is -1.
    """
    sliced = dict(constants)
    for name, values in constants.items():
        along = _parameter_axis(node, values, axis, rank)
        if along is not None and values.shape[along] > 1:
            first = values.take([0], along)
            if not np.all(values == first):
                return None
            sliced[name] = first
    return sliced


def _different(channels: Channels, axis: int) -> Channels:
    """Positions along an axis at which channels lie otherwise than at all before: one in most files, and one for each
    place within a block where channels have become pixels."""
    if np.all(channels == channels.take([0], axis)):
        return np.zeros(1, np.intp)
    rows = np.moveaxis(channels, axis, 0).reshape(channels.shape[axis], -1)
    return np.sort(np.unique(rows, axis=0, return_index=True)[1])


def _parameter_axis(node: Node, values: Array, axis: int, rank: int) -> int | None:
    """Which axis of a parameter lies along ``axis`` of a tensor with so many axes, batch not counted; None: no one."""
    options = attributes(node)
    if node.op_type == "BatchNormalization":
        return 0 if axis == 0 else None
    if node.op_type == "MultiThreshold":
        layout = options.get("data_layout") or {2: "NC", 3: "NWC", 4: "NCHW"}.get(rank + 1, "NC")
        channels = layout.index("C") if "C" in layout else 1
        return 0 if channels == axis + 1 else None
    if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
        return 0 if values.ndim == 1 and options.get("axis", 1) % (rank + 1) == axis + 1 else None
    along = values.ndim - (rank - axis)
    return along if along >= 0 else None
