"""Fixed point, ``Qm.n``: two's complement with m bits in front of the point, the sign among them, and n behind it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fat_fpga.modules.formats.base import Format

if TYPE_CHECKING:
    from torch import Tensor, dtype

FORM = re.compile(r"Q([0-9]{1,2})\.([0-9]{1,2})")
MOST = 32
"""Bits of a word; a float64 holds each such value."""


class Fixed(Format):
    """A value v is stored as the integer nearest to ``v * 2 ** n`` (of two the even one), clipped to the range; NaN is
    stored as 0.

    ``Q2.6`` has 8 bits, and holds -2 to 1.984375 in steps of 1/64.
    """

    signed = True
    maskable = True

    def __init__(self, integer: int, fraction: int) -> None:
        self.name, self.bits, self.fraction = f"Q{integer}.{fraction}", integer + fraction, fraction

    def encode(self, values: Tensor) -> Tensor:
        import torch

        half = 1 << self.bits - 1
        scaled = torch.nan_to_num(values.to(torch.float64) * 2.0**self.fraction, nan=0.0, posinf=half, neginf=-half)
        integers = scaled.round().clamp(-half, half - 1).to(torch.int64)
        return integers & (1 << self.bits) - 1

    def decode(self, words: Tensor, dtype: dtype) -> Tensor:
        import torch

        return (self.integers(words).to(torch.float64) * 2.0**-self.fraction).to(dtype)
