"""Floating-point numbers: a sign, an exponent, a mantissa (IEEE 754; bfloat16; the 8-bit forms of OCP).

The bits are those of memory: of float32 bit 31 is the sign, bits 30 to 23 are the exponent, bits 22 to 0 the mantissa.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fat_fpga.modules.formats.base import Format, Ints

if TYPE_CHECKING:
    from torch import Tensor, dtype

NAMES = {
    "float64": 64,
    "float32": 32,
    "float16": 16,
    "bfloat16": 16,
    "float8_e4m3fn": 8,
    "float8_e5m2": 8,
}
"""Bits of a word, by what PyTorch calls the type."""
_EXACT = {
    "float64": ("float64", "float32", "float16", "bfloat16"),
    "float32": ("float32", "float16", "bfloat16"),
    "float16": ("float16",),
    "bfloat16": ("bfloat16",),
}
"""The types whose every value a format holds, by its name."""


class Floating(Format):
    """A floating-point type of PyTorch, called by its name."""

    def __init__(self, name: str) -> None:
        self.name, self.bits = name, NAMES[name]

    @property
    def _type(self) -> dtype:
        import torch

        found: dtype = getattr(torch, self.name)
        return found

    def encode(self, values: Tensor) -> Tensor:
        import torch

        integer = {8: torch.uint8, 16: torch.int16, 32: torch.int32, 64: torch.int64}[self.bits]
        words = values.to(self._type).contiguous().view(integer).to(torch.int64)
        return words if self.bits == 64 else words & (1 << self.bits) - 1

    def decode(self, words: Tensor, dtype: dtype) -> Tensor:
        import torch

        integer = {8: torch.uint8, 16: torch.int16, 32: torch.int32, 64: torch.int64}[self.bits]
        if self.bits in (16, 32):  # to the signed integer of the same bits
            words = words - ((words >> self.bits - 1) << self.bits)
        return words.to(integer).view(self._type).to(dtype)

    def edit(self, words: Tensor, where: Ints, keep: Ints, flip: Ints) -> None:
        """As of `Format`. On a CPU values of the format's own type are changed as the integers that they are in memory,
        by numpy, which takes half the time of PyTorch for some hundred words."""
        import torch

        if words.dtype != self._type or words.device.type != "cpu":
            return super().edit(words, where, keep, flip)
        integer = {8: torch.uint8, 16: torch.int16, 32: torch.int32, 64: torch.int64}[self.bits]
        found = words.view(integer).numpy()
        found[where] = found[where] & keep.astype(found.dtype) ^ flip.astype(found.dtype)
        torch.autograd.graph.increment_version(words)

    def keeps(self, dtype: dtype) -> bool:
        return str(dtype).removeprefix("torch.") in _EXACT.get(self.name, ())
