"""Integers with a scale and a zero point: ``int8:0.05``, ``uint8:0.02:128`` (affine quantisation)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fat_fpga.errors import ModelError
from fat_fpga.modules.formats.base import Format

if TYPE_CHECKING:
    from torch import Tensor, dtype

FORM = re.compile(r"(u?)int([0-9]{1,2})(?::([^:]+)(?::([+-]?[0-9]{1,9}))?)?")
MOST = 16
"""Bits of a word."""


class Integer(Format):
    """A value v is stored as the integer q nearest to ``v / scale + zero`` (of two the even one), clipped to the range,
    and stands for ``(q - zero) * scale``. NaN is stored as the zero point.

    Args:
        bits: 2 to 16; 1 for ``uint1``.
        scale: above 0.
        zero: the integer that stands for 0.
    """

    maskable = True

    def __init__(self, bits: int, signed: bool, scale: float, zero: int = 0) -> None:
        self.bits, self.signed, self.scale, self.zero = bits, signed, scale, zero
        self.low = -(1 << bits - 1) if signed else 0
        self.high = self.low + (1 << bits) - 1
        self.name = f"{'' if signed else 'u'}int{bits}:{scale!r}" + (f":{zero}" if zero else "")
        if not self.low <= zero <= self.high:
            raise ModelError(f"format {self.name}: the zero point has to be {self.low} to {self.high}, got {zero}")
        self.maskable = zero == 0

    def encode(self, values: Tensor) -> Tensor:
        import torch

        scaled = values.to(torch.float64) / self.scale + self.zero
        scaled = torch.nan_to_num(scaled, nan=float(self.zero), posinf=self.high, neginf=self.low)
        return scaled.round().clamp(self.low, self.high).to(torch.int64) & (1 << self.bits) - 1

    def decode(self, words: Tensor, dtype: dtype) -> Tensor:
        import torch

        return ((self.integers(words) - self.zero).to(torch.float64) * self.scale).to(dtype)
