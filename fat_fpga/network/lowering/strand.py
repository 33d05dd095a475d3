"""What is known of one tensor on the way from image to scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.network.lowering.domains import RANKS, check_attributes
from fat_fpga.network.lowering.geometry import NONE, Padding
from fat_fpga.network.lowering.graph import Graph, Node, attributes, label, refuse
from fat_fpga.network.lowering.grid import Grid, behind
from fat_fpga.network.lowering.image import PendingImage
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.monotone import ELEMENT_WISE, SOFTMAX, refusal
from fat_fpga.network.lowering.operators import MOVES, PASSIVE, QUANTISERS, Operator
from fat_fpga.network.lowering.padding import read_pad
from fat_fpga.network.lowering.pooling import POOLS
from fat_fpga.network.lowering.shuffling import BLOCKS
from fat_fpga.network.lowering.softmax import check_rounded
from fat_fpga.network.lowering.stream import PendingStream
from fat_fpga.network.lowering.tail import SELECTORS, check_selector
from fat_fpga.network.lowering.types import FLOAT, DType, check_arithmetic, type_behind
from fat_fpga.network.lowering.unit import PendingUnit
from fat_fpga.network.lowering.vote import VOTE


@dataclass
class Strand:
    """A tensor, and what leads to it since the last finished stream.

    Attributes:
        head: the image, a matrix product or a finished stream, and the nodes behind it.
        tensor: the latest.
        layout: how activations lie in it.
        grid: which integers stand behind its values, or why there are none.
        dtype: of its elements.
        pad: a Pad right in front, and its zeros.
        before: the tensor in front of the latest node.
        selected: whether the class has been chosen.
        normalised: the tensor in front of a softmax, if there has been one.
        affine: a node of factors and offsets of class scores, behind a stream that has levels.
        ends: tensors that may be the file's output.
        scores: tensors since the last matrix product.
    """

    head: PendingImage | PendingUnit | PendingStream
    tensor: str
    layout: Layout
    grid: Grid | str
    dtype: DType
    pad: tuple[Node, Padding] | None = None
    before: str = ""
    selected: bool = False
    normalised: str = ""
    affine: Node | None = None
    ends: set[str] = field(default_factory=set)
    scores: set[str] = field(default_factory=set)

    def take(self, node: Node, graph: Graph) -> Strand:
        """Take in a node that is no matrix product and reads this tensor alone."""
        if self.normalised and node.op_type not in (*MOVES, *PASSIVE, *SELECTORS, *SOFTMAX):
            raise refuse(node, "behind a softmax only the choice of the class is supported")
        zeros = NONE
        if node.op_type == "MaxPool":
            zeros = self.take_pad(node)
        if self.pad is not None and node.op_type not in (*PASSIVE, "Transpose"):
            raise self.lost_pad(label(node))
        if node.op_type in POOLS:
            check_attributes(node, graph.opset)  # all others are executed, which finds it out
            self.layout = self.head.add_pool(node, graph, self.layout, zeros)
        elif node.op_type == VOTE:
            self.layout = self.head.add_vote(node, self.grid, self.layout)
        elif node.op_type == "AffineScores" and isinstance(self.grid, Grid):
            self.affine = node
        elif node.op_type in (RANKS, "AffineScores"):
            if not isinstance(self.head, PendingUnit):
                raise refuse(node, "expected right behind a matrix product")
            self.head.add_ranks(node, graph)
        elif node.op_type in (*MOVES, *BLOCKS):
            self._move(node, graph)
        elif node.op_type == "Pad":
            if not self.layout.channels_last:
                self.face_image()
            self.pad = node, read_pad(node, graph, self.layout)
        elif node.op_type in SELECTORS:
            self._select(node, graph)
        elif node.op_type in SOFTMAX:
            self._normalise(node, graph)
        elif node.op_type in ELEMENT_WISE:
            self._element_wise(node, graph)
        elif node.op_type not in PASSIVE:
            raise refusal(node)
        return self

    def move_to(self, node: Node, graph: Graph, output: int = 0) -> None:
        """Go on to what a node makes, which has been taken in."""
        self.dtype = type_behind(node, self.dtype, graph)
        self.before, self.tensor = self.tensor, node.output[output]
        self.ends = set(node.output[1:]) if node.op_type == "TopK" else {node.output[output]}
        self.scores.update(node.output)
        if self.pad is None and isinstance(self.grid, Grid) and not self.selected and self.dtype == FLOAT:
            self.head.show(self.tensor, self.layout, self.grid)

    def lost_pad(self, found: str) -> ModelError:
        """The error that something else than a convolution follows a Pad."""
        assert self.pad is not None
        return refuse(self.pad[0], f"expected a convolution or a pool behind it, got {found}")

    def take_pad(self, node: Node) -> Padding:
        """The zeros of a Pad in front of a pool, which are its own then."""
        if self.pad is None:
            return NONE
        _, zeros = self.pad
        grid = self.grid
        if node.op_type == "MaxPool" and (isinstance(grid, str) or grid.levels is None or grid.levels.min < 0):
            raise self.lost_pad(f"{label(node)} of values that may be below 0")
        self.pad = None
        return zeros

    def _move(self, node: Node, graph: Graph) -> None:
        operator, tensor = Operator(node, graph), self.tensor
        rest = {name: graph.constants[name].values for name in node.input[1:] if name}

        def operation(array: Any) -> Any:
            if node.op_type in BLOCKS:  # onnxruntime has them for floats only
                return operator({tensor: array.astype(np.float64)}).astype(np.intp)
            return operator({tensor: array, **rest})

        moved = self.layout.moved(operation, graph.batch)
        if moved is None:
            raise refuse(
                node, "it must keep the batch axis, and each image by itself: flatten from axis 1 on (start_dim=1)"
            )
        self.layout = moved
        if isinstance(self.head, PendingImage) and self.pad is None:
            self._adopt_image_shape()

    def _element_wise(self, node: Node, graph: Graph) -> None:
        check_arithmetic(node, self.dtype)
        if isinstance(self.head, PendingImage):
            self.head.add_step(node, self.layout, self.dtype)
        elif not self.head.voted:  # what follows a vote only scales, and has other channels
            self.head.chain.add(node, self.layout.channels, self.dtype)
        self.grid = behind(node, self.grid, graph)
        if node.op_type in (*QUANTISERS, "Relu", "Clip"):
            self.head.streams = {}  # in front of it are other integers than the unit's
        if self.head.voted and (node.op_type not in ("Mul", "Div") or isinstance(self.grid, str)):
            raise refuse(node, "behind a vote only a positive scale common to all channels is supported")

    def _normalise(self, node: Node, graph: Graph) -> None:
        """A softmax: the largest score stays the largest, so it is left out. Nothing but the choice may follow."""
        axis = attributes(node).get("axis", -1 if graph.opset >= 13 else 1)
        if self.layout.index.shape[axis - 1 if axis > 0 else axis] != self.layout.index.size:
            raise refuse(node, f"expected it over all classes, got axis {axis} of {list(self.layout.index.shape)}")
        check_rounded(node, graph, self.layout.index.size)
        self.normalised = self.normalised or self.tensor

    def _select(self, node: Node, graph: Graph) -> None:
        check_selector(node, graph)
        axis = attributes(node).get("axis", -1)
        if self.layout.index.shape[axis - 1 if axis > 0 else axis] != self.layout.index.size:
            raise refuse(node, f"expected the choice among all classes, got axis {axis} of {list(self.layout.shape)}")
        self.selected = True

    def face_image(self) -> None:
        """Get ready for a node that takes an image: where an input lies with its channels last, or flat, the file has
        moved its axes, and they are those of the image now."""
        if isinstance(self.head, PendingImage):
            self.layout = self.head.as_image(self.layout)

    def face_steps(self) -> None:
        """Get ready for a product of each step of a sequence: in an input [N, L, F], the last axis is the channels'."""
        if isinstance(self.head, PendingImage):
            self.layout = self.head.as_steps(self.layout)

    def _adopt_image_shape(self) -> None:
        """Take an input that is reshaped to [N, C, H, W] as an image of that shape."""
        index = self.layout.index
        if index.ndim in (2, 3) and np.array_equal(index.ravel(), np.arange(index.size)):
            self.face_image()
