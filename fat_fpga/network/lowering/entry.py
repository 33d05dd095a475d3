"""What enters a file: pixels, integers of a datatype, or real values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy.typing as npt

from fat_fpga.network.layers import Data, Input, IntArray, Shape
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.graph import Node
from fat_fpga.network.lowering.grid import Grid

Chains = Callable[[bool], Chain]
"""The element-wise nodes from the input on, for one value of each channel (False), or of each position (True)."""


class Entry(ABC):
    """What enters a file.

    Attributes:
        grid: which integers stand behind its float values, or why there are none.
    """

    grid: Grid | str

    def of_channels(self, channels: Sequence[int]) -> Entry:
        """What enters, where only some channels are read."""
        return self

    @abstractmethod
    def read(self, chains: Chains, shape: Shape, order: IntArray | None, grid: Grid, node: Node) -> Input:
        """How rows become integers.

        Args:
            shape, order: of the input, see `Input`.
            grid: in front of ``node``, the first one that needs integers.

        Raises:
            ModelError: the chain leads to no integers on the grid.
        """

    @abstractmethod
    def real(self, rows: Data) -> npt.NDArray[Any]:
        """What the file takes for rows [N, C, H, W], as `Input.taken` gives them; its type may be another one yet."""
