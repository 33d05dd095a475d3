"""What all class scores have in common that are no sums themselves, and those that need no table."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import ModelError
from fat_fpga.network.levels import Levels
from fat_fpga.network.operators.base import IntArray, Layer, Shape

STEPS = ("mul", "div", "add", "sub")


class ClassScores(Layer):
    """A score for each class, of its sum alone. It is the last layer, and its stream has no levels."""

    type: ClassVar[str] = "scores"

    @property
    @abstractmethod
    def count(self) -> int:
        """How many classes it has scores of."""

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        if shape != (self.count, 1, 1):
            raise ModelError(f"{self.name}: it has scores of {self.count} classes, its input is {list(shape)}")
        return shape

    def output_levels(self, *before: Levels) -> Levels | None:
        return None


@dataclass(frozen=True, eq=False)
class AffineScores(ClassScores):
    """``factors[m] * sum[m] + offsets[m]``, kept within int32: biases and scales of each class, on one grid.

    Attributes:
        factors, offsets: int32 [M].
        node: name of the last node in the file.
    """

    name: str
    factors: IntArray
    offsets: IntArray
    node: str = ""
    inputs: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<AffineScores {self.name}: {self.count} classes>"

    def __post_init__(self) -> None:
        for what, values in (("factors", self.factors), ("offsets", self.offsets)):
            if values.dtype != np.int32 or values.shape != (self.count,) or not self.count:
                raise ModelError(f"{self.name}: {what} must be int32 [M], got {values.dtype} {list(values.shape)}")

    @property
    def count(self) -> int:
        return len(self.factors)

    def output(self, *streams: IntArray) -> IntArray:
        (sums,) = streams
        factors, offsets = (values.astype(np.int64)[:, None, None] for values in (self.factors, self.offsets))
        scores: IntArray = np.clip(sums * factors + offsets, -(2**31), 2**31 - 1).astype(np.int32)
        return scores

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, "affine scores", self.count)).encode()
        yield np.ascontiguousarray(self.factors, dtype="<i4").tobytes()
        yield np.ascontiguousarray(self.offsets, dtype="<i4").tobytes()


@dataclass(frozen=True, eq=False)
class OrderedScores(ClassScores):
    """The order of float32 scores: of two scores the larger one has the larger integer, and equal ones have the same.

    The float of a sum is computed as the file does, step by step, rounded to float32 each time as IEEE 754 says, which
    is the same on every machine. Its 32 bits, read as an integer, are in the order of the floats (those below 0 are in
    the opposite order, which is turned round).

    Attributes:
        steps: what is done with the sum: one of `STEPS` each.
        numbers: float32 [S, M], with what, for each class.
        node: name of the last node in the file.
    """

    name: str
    steps: tuple[str, ...]
    numbers: npt.NDArray[np.float32]
    node: str = ""
    inputs: tuple[str, ...] = ()
    ordinal: ClassVar[bool] = True

    def __repr__(self) -> str:
        return f"<OrderedScores {self.name}: {self.count} classes>"

    def __post_init__(self) -> None:
        fits = self.numbers.ndim == 2 and len(self.numbers) == len(self.steps) and self.numbers.dtype == np.float32
        if not fits or not self.numbers.size or not set(self.steps) <= set(STEPS):
            raise ModelError(f"{self.name}: expected float32 [S, M] for steps of {', '.join(STEPS)}, got {self.steps}")
        if not np.all(np.isfinite(self.numbers)):
            raise ModelError(f"{self.name}: its numbers must be finite")

    @property
    def count(self) -> int:
        return int(self.numbers.shape[1])

    def floats(self, sums: npt.NDArray[np.int64] | IntArray) -> npt.NDArray[np.float32]:
        """Float32 scores of sums [N, M, 1, 1]."""
        found: npt.NDArray[np.float32] = sums.astype(np.float32)
        functions = {"mul": np.multiply, "div": np.divide, "add": np.add, "sub": np.subtract}
        for step, numbers in zip(self.steps, self.numbers, strict=True):
            found = functions[step](found, numbers[:, None, None])
        return found

    def output(self, *streams: IntArray) -> IntArray:
        (sums,) = streams
        return order_of(self.floats(sums))

    def executed(self, tensor: npt.NDArray[Any]) -> IntArray:
        return order_of(tensor)

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, "ordered scores", self.steps, self.numbers.shape)).encode()
        yield np.ascontiguousarray(self.numbers, dtype="<f4").tobytes()


def order_of(floats: npt.NDArray[np.float32]) -> IntArray:
    """Integers in the order of floats; -0 and +0 are equal."""
    bits = np.ascontiguousarray(floats, np.float32).view(np.int32)
    ordered: IntArray = np.where(bits < 0, -(bits & np.int32(0x7FFFFFFF)), bits).astype(np.int32)
    return ordered
