"""How the words of a memory are protected: ``secded[64] interleave[4] detected[erase]``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from fat_fpga.errors import FaultError
from fat_fpga.faults.codes import Code, code

DATA = 64
"""Data bits of a word unless told: those of a block RAM with built-in ECC."""
MOST = 1024
"""Most words that lie bit by bit beside each other."""


class OnDetect(Enum):
    """What is done about a word that the code tells to be wrong and cannot correct."""

    KEEP = "keep"
    ERASE = "erase"
    RELOAD = "reload"


@dataclass(frozen=True)
class Protection:
    """A code over the words of a memory; ``str`` gives the text form.

    Attributes:
        code: name of the code, of `fat_fpga.faults.codes.CODES`.
        data: data bits of a word.
        interleave: so many words lie bit by bit beside each other, so that neighbouring cells belong to different ones.
        detected: what is done about a word that cannot be corrected. ``KEEP``: its bits are used as they are read.
            ``ERASE``: every value with a bit in it becomes 0 (Hacene et al. 2019). ``RELOAD``: it is written anew from
            where it came from before it is used, so it does no harm; the count tells how often that is needed.
    """

    code: str
    data: int = DATA
    interleave: int = 1
    detected: OnDetect = OnDetect.KEEP

    def __post_init__(self) -> None:
        code(self.code, self.data)
        if not 1 <= self.interleave <= MOST:
            raise FaultError(f"1 to {MOST:,} words lie beside each other, got interleave[{self.interleave}]")

    @property
    def decoder(self) -> Code:
        return code(self.code, self.data)

    def __str__(self) -> str:
        interleave = f" interleave[{self.interleave}]" if self.interleave > 1 else ""
        detected = f" detected[{self.detected.value}]" if self.detected is not OnDetect.KEEP else ""
        return f"{self.code}[{self.data}]{interleave}{detected}"
