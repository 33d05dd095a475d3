"""The integers of Brevitas: what a quantiser of a module puts out, with the scale and zero point that it has then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fat_fpga.modules.formats.base import Format

if TYPE_CHECKING:
    from torch import Tensor, dtype


class Quantised(Format):
    """Integers of a Brevitas quantiser: bipolar with one bit (0 is -1, 1 is +1), two's complement, or unsigned.

    Words have no values of their own: `at` gives the format with the scales of some of them.
    """

    maskable = True

    def __init__(self, bits: int, signed: bool) -> None:
        self.bits, self.bipolar = bits, signed and bits == 1
        self.signed = signed and not self.bipolar
        self.maskable = not self.bipolar
        self.name = "bipolar" if self.bipolar else f"{'int' if signed else 'uint'}{bits}"

    @classmethod
    def of(cls, quantised: Any) -> Quantised:
        """The format of an ``IntQuantTensor``."""
        return cls(round(float(quantised.bit_width)), bool(quantised.signed))

    def at(self, quantised: Any, index: tuple[Tensor, ...]) -> Format:
        """The format of the values at ``index`` of an ``IntQuantTensor``."""
        shape = quantised.value.shape
        scale, zero = (part.expand(shape)[index] for part in (quantised.scale, quantised.zero_point))
        return _Scaled(self, scale, zero)

    def encode(self, values: Tensor) -> Tensor:
        raise NotImplementedError("words of a quantiser have a scale: see `at`")

    def decode(self, words: Tensor, dtype: dtype) -> Tensor:
        raise NotImplementedError("words of a quantiser have a scale: see `at`")

    def word_of(self, value: int) -> int:
        return value

    def wrong(self, value: int) -> str:
        return (
            "" if value == 0 and not self.bipolar else f"words of {self.name} can be held at 0, if they are no bipolar"
        )


class _Scaled(Format):
    """Some words, each with its own scale and zero point."""

    def __init__(self, words: Quantised, scale: Tensor, zero: Tensor) -> None:
        self.name, self.bits, self.signed = words.name, words.bits, words.signed
        self._bipolar, self._scale, self._zero = words.bipolar, scale, zero

    def encode(self, values: Tensor) -> Tensor:
        import torch

        integers = (values / self._scale + self._zero).round().to(torch.int64)
        return (integers + 1) // 2 if self._bipolar else integers & (1 << self.bits) - 1

    def decode(self, words: Tensor, dtype: dtype) -> Tensor:
        integers = 2 * words - 1 if self._bipolar else self.integers(words)
        return ((integers - self._zero) * self._scale).to(dtype)
