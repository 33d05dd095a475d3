"""Values of a stream at other places: pixel shuffles, which make rows and columns of channels, and their inverse."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fat_fpga.errors import ModelError
from fat_fpga.network.operators.base import IntArray, Layer, Shape


@dataclass(frozen=True, eq=False)
class Shuffle(Layer):
    """All values of a stream, each once: reshaped to ``sizes``, their axes in another ``order``, reshaped to ``shape``.

    It is named after the layer in front: ``conv1.shuffle``. A DepthToSpace of a stream [4, 5, 6] by 2 has the sizes
    (2, 2, 5, 6), the order (2, 0, 3, 1), and the shape (1, 10, 12). FINN's Shuffle.

    Attributes:
        sizes: of axes that the stream's values, in the order [C, H, W], are split into.
        order: numbers of these axes, as they follow each other behind it.
        shape: channels, height, width behind it.
        node: name of its node in the file.
    """

    name: str
    sizes: tuple[int, ...]
    order: tuple[int, ...]
    shape: Shape
    node: str = ""
    inputs: tuple[str, ...] = ()
    type: ClassVar[str] = "shuffle"

    def __repr__(self) -> str:
        return f"<Shuffle {self.name}: to {' x '.join(map(str, self.shape))}>"

    def __post_init__(self) -> None:
        if sorted(self.order) != list(range(len(self.sizes))) or min(*self.sizes, *self.shape, 1) < 1:
            raise ModelError(
                f"{self.name}: expected sizes above 0 and each of their axes once, got {list(self.sizes)} and "
                f"{list(self.order)}"
            )
        if len(self.shape) != 3 or math.prod(self.sizes) != math.prod(self.shape):
            raise ModelError(f"{self.name}: axes of {list(self.sizes)} do not make a stream of {list(self.shape)}")

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        if math.prod(shape) != math.prod(self.shape):
            raise ModelError(f"{self.name}: it makes {list(self.shape)} of its input {list(shape)}")
        if shape == self.shape and self.order == tuple(range(len(self.order))):
            raise ModelError(f"{self.name}: it leaves its input {list(shape)} as it is: leave it out")
        return self.shape

    def output(self, *streams: IntArray) -> IntArray:
        (activations,) = streams
        count = len(activations)
        axes = (0, *(axis + 1 for axis in self.order))
        return activations.reshape(count, *self.sizes).transpose(axes).reshape(count, *self.shape)

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, "shuffle", *self._fewest(), self.shape)).encode()

    def _fewest(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Sizes and order with the fewest axes: none of size 1, and as one those that stay beside each other."""
        runs: list[list[int]] = []
        for axis in (axis for axis in self.order if self.sizes[axis] > 1):
            between = self.sizes[runs[-1][-1] + 1 : axis] if runs and axis > runs[-1][-1] else (0,)
            if all(size == 1 for size in between):
                runs[-1].append(axis)
            else:
                runs.append([axis])
        first = sorted(runs)
        sizes = tuple(math.prod(self.sizes[axis] for axis in run) for run in first)
        return sizes, tuple(first.index(run) for run in runs)
