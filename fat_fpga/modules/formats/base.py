"""What a format is: how real values stand in words of bits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor, dtype


Ints = npt.NDArray[np.int64]


class Format(ABC):
    """How values stand in words of bits; bit 0 is the least significant one. ``str`` gives the name.

    Words are int64, 0 to 2 ** bits - 1; of formats of 64 bits the int64 with the same bits.

    Attributes:
        name: as `fat_fpga.modules.formats.format_of` reads it.
        bits: of a word.
        signed: whether words are two's complement.
        maskable: whether bit masking is defined: words are integers, with one for 0.
    """

    name: str
    bits: int
    signed: bool = False
    maskable: bool = False

    @abstractmethod
    def encode(self, values: Tensor) -> Tensor:
        """The words that hold values, int64 of the same shape: the nearest where no word has a value."""

    @abstractmethod
    def decode(self, words: Tensor, dtype: dtype) -> Tensor:
        """The values of words, as ``dtype`` holds them."""

    def edit(self, tensor: Tensor, size: int, rows: Ints, cells: Ints, keep: Ints, flip: Ints) -> None:
        """Have some words of a tensor become ``word & keep ^ flip``, in place.

        Args:
            tensor: values, contiguous.
            size: of a row: word ``c`` of row ``r`` is word ``r * size + c`` of the tensor.
            rows, cells: int64 [H], which words, none twice; of row -1 the word of every row.
            keep, flip: int64 [H].
        """
        import torch

        where, keep, flip = each_word(tensor.numel() // size if size else 0, size, rows, cells, keep, flip)
        words = tensor.view(-1)
        index, kept, flipped = (torch.from_numpy(part).to(words.device) for part in (where, keep, flip))
        words[index] = self.decode(self.encode(words[index]) & kept ^ flipped, words.dtype)

    def unseen(self, tensor: Tensor) -> bool:
        """Whether PyTorch does not count what `edit` does to a tensor as a change, so that it can be taken back."""
        return False

    def in_memory(self, tensor: Tensor) -> npt.NDArray[Any] | None:
        """The words of a tensor as integers that share its memory, flat; None where its values are not stored so."""
        return None

    def stored(self, values: Tensor) -> Tensor:
        """The values after they were stored in the format, in their own dtype."""
        return self.decode(self.encode(values), values.dtype)

    def keeps(self, dtype: dtype) -> bool:
        """Whether every value of a dtype is stored as it is."""
        return False

    def word_of(self, value: int) -> int:
        """The word of an integer."""
        import torch

        return int(self.encode(torch.tensor([float(value)], dtype=torch.float64))[0])

    def wrong(self, value: int) -> str:
        """Why no word holds an integer; empty where one does."""
        import torch

        found = float(self.stored(torch.tensor([float(value)], dtype=torch.float64))[0])
        return "" if found == value else f"no {self.name} word is {value}, the nearest is {found:g}"

    def integers(self, words: Tensor) -> Tensor:
        """Words as the integers that they are in two's complement, or without sign, int64."""
        if not self.signed:
            return words
        return words - ((words >> self.bits - 1) << self.bits)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<Format {self.name}: {self.bits} bits>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Format) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


def each_word(count: int, size: int, rows: Ints, cells: Ints, keep: Ints, flip: Ints) -> tuple[Ints, Ints, Ints]:
    """Numbers of words in a tensor of ``count`` rows, and how each changes, as `Format.edit` takes them, int64 [W]."""
    every = rows < 0
    if not every.any():
        return rows * size + cells, keep, flip
    many = np.where(every, count, 1)
    rows = np.concatenate([np.arange(count) if row < 0 else [row] for row in rows.tolist()])
    cells, keep, flip = (np.repeat(part, many) for part in (cells, keep, flip))
    return rows * size + cells, keep, flip
