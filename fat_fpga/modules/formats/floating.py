"""Floating-point numbers: a sign, an exponent, a mantissa (IEEE 754; bfloat16; the 8-bit forms of OCP).

The bits are those of memory: of float32 bit 31 is the sign, bits 30 to 23 are the exponent, bits 22 to 0 the mantissa.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from fat_fpga.modules.formats.base import Format, Ints

try:
    from fat_fpga.faults._hits import edit as _edit
except ImportError:  # where nothing is compiled
    _edit = None  # type: ignore[assignment]

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

    @cached_property
    def _type(self) -> dtype:
        import torch

        found: dtype = getattr(torch, self.name)
        return found

    @cached_property
    def _integer(self) -> dtype:
        import torch

        return {8: torch.uint8, 16: torch.int16, 32: torch.int32, 64: torch.int64}[self.bits]

    def encode(self, values: Tensor) -> Tensor:
        import torch

        words = values.to(self._type).contiguous().view(self._integer).to(torch.int64)
        return words if self.bits == 64 else words & (1 << self.bits) - 1

    def decode(self, words: Tensor, dtype: dtype) -> Tensor:
        if self.bits in (16, 32):  # to the signed integer of the same bits
            words = words - ((words >> self.bits - 1) << self.bits)
        return words.to(self._integer).view(self._type).to(dtype)

    def edit(self, tensor: Tensor, size: int, rows: Ints, cells: Ints, keep: Ints, flip: Ints) -> None:
        """As of `Format`. On a CPU values of the format's own type are changed as the integers that they are in memory,
        by compiled code, which touches nothing but these. PyTorch does not know of that, so who has the tensor already
        has to be told otherwise."""
        if not self.unseen(tensor):
            return super().edit(tensor, size, rows, cells, keep, flip)
        count = tensor.numel() // size if size else 0
        _edit(tensor.data_ptr(), self.bits // 8, count, size, rows, cells, keep, flip)

    def unseen(self, tensor: Tensor) -> bool:
        return _edit is not None and tensor.dtype is self._type and tensor.is_cpu

    def in_memory(self, tensor: Tensor) -> npt.NDArray[Any] | None:
        if tensor.dtype is not self._type or not tensor.is_cpu or not tensor.is_contiguous():
            return None
        words: npt.NDArray[Any] = tensor.detach().view(-1).view(self._integer).numpy()
        return words

    def keeps(self, dtype: dtype) -> bool:
        return str(dtype).removeprefix("torch.") in _EXACT.get(self.name, ())
