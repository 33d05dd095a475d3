"""The finite set of values an activation can take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import ModelError
from fat_fpga.network.datatypes import OPERAND, holds_span, is_word, smallest_type


@dataclass(frozen=True)
class Levels:
    """Evenly spaced integer levels ``base, base + step, ..., base + (count - 1) * step``.

    Bipolar activations are ``Levels(-1, 2, 2)``, symmetric two-bit ones ``Levels(-1, 1, 3)``.
    A FINN MultiThreshold with N thresholds yields N + 1 of them: level ``i`` is reached when
    ``i`` thresholds are met.

    Attributes:
        datatype: QONNX datatype that the file gives the stream, if it does. It decides what a changed bit means, not
            what the levels are: it does not count when levels are compared.
    """

    base: int
    step: int
    count: int
    datatype: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.step < 1 or self.count < 2:
            raise ModelError(f"activation levels need step >= 1 and at least 2 levels, got {self}")

    @property
    def levels(self) -> Levels:
        """Itself. What decides the integers in front of a unit, these or the input, has levels."""
        return self

    @property
    def values(self) -> range:
        return range(self.base, self.base + self.count * self.step, self.step)

    @property
    def min(self) -> int:
        return self.base

    @property
    def max(self) -> int:
        return self.base + (self.count - 1) * self.step

    @property
    def bipolar(self) -> bool:
        """Whether they are -1 and +1."""
        return (self.base, self.step, self.count) == (-1, 2, 2)

    @property
    def stored_as(self) -> str:
        """QONNX datatype of the stream: the file's, where that holds the levels, else the narrowest."""
        held = holds_span(self.datatype, self.min, self.max) and (self.datatype != "BIPOLAR" or 0 not in self.values)
        if is_word(self.datatype, OPERAND) and held:
            return self.datatype
        return "BIPOLAR" if self.bipolar else smallest_type(self.min, self.max)

    def __contains__(self, value: object) -> bool:
        return value in self.values

    def __iter__(self) -> Iterator[int]:
        return iter(self.values)

    def hold(self, integers: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Which of some integers are levels; of the same shape."""
        above = integers.astype(np.int64) - self.base
        found: npt.NDArray[np.bool_] = (above >= 0) & (above <= self.max - self.base) & (above % self.step == 0)
        return found

    def index(self, value: int) -> int:
        """Position of ``value`` among the levels; ValueError if it is none of them."""
        i, rest = divmod(value - self.base, self.step)
        if rest or not 0 <= i < self.count:
            raise ValueError(f"{value} is none of the levels {self}")
        return i

    def __str__(self) -> str:
        if self.count <= 4:
            return "{" + ", ".join(f"{v:+d}" if v else "0" for v in self) + "}"
        by = f" step {self.step}" if self.step > 1 else ""
        return f"{{{self.min}..{self.max}{by}}}"
