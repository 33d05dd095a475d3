"""How activations stand in a FINN stream: LANES channels a beat, the beats of a pixel one after another, pixels in
raster order. Channel c is lane ``c mod LANES`` of beat ``c div LANES``; lane 0 has the lowest bits; a beat is filled up
to whole bytes with zeros.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import BoardError
from fat_fpga.faults.register import Register

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class StreamLayout:
    """One stream of an accelerator.

    Attributes:
        channels, height, width: of one frame.
        lanes: channels a beat; it divides ``channels``.
        register: how one value stands in bits.
    """

    channels: int
    height: int
    width: int
    lanes: int
    register: Register

    def __post_init__(self) -> None:
        if self.lanes < 1 or self.channels % self.lanes:
            raise BoardError(f"a stream of {self.channels} channels cannot carry {self.lanes} a beat: choose a divisor")

    @property
    def folds(self) -> int:
        """Beats of a pixel."""
        return self.channels // self.lanes

    @property
    def beats(self) -> int:
        """Beats of a frame."""
        return self.folds * self.height * self.width

    @property
    def beat_bytes(self) -> int:
        """Bytes of a beat."""
        return (self.lanes * self.register.bits + 7) // 8

    @property
    def word_bytes(self) -> int:
        """Bytes that hold one value: 1, 2, 4 or 8."""
        return 1 << max((self.register.bits - 1).bit_length() - 3, 0)

    def word(self, value: int) -> int:
        """The bits of one value, as an unsigned number; BoardError if they cannot hold it."""
        low, high = self.register.span
        if not low <= value <= high or (value - self.register.offset) % self.register.step:
            raise BoardError(f"{value} does not fit {self.register.bits} bits that hold {low} to {high}")
        return (value - self.register.offset) // self.register.step & ((1 << self.register.bits) - 1)

    def words(self, activations: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
        """The bits of activations [N, C, H, W], as unsigned numbers int64 [N, beats, lanes]."""
        if activations.shape[1:] != (self.channels, self.height, self.width):
            raise BoardError(
                f"the stream takes frames of {[self.channels, self.height, self.width]}, "
                f"got {list(activations.shape[1:])}"
            )
        words = (activations.astype(np.int64) - self.register.offset) // self.register.step
        words &= (1 << self.register.bits) - 1
        return words.transpose(0, 2, 3, 1).reshape(len(activations), self.beats, self.lanes)

    def pack(self, activations: npt.NDArray[np.integer]) -> Bytes:
        """Activations [N, C, H, W] as uint8 [N, beats, beat_bytes]."""
        frames, ordered = len(activations), self.words(activations)
        if self.register.bits == 8:
            return ordered.astype(np.uint8)
        bits = (ordered[..., None] >> np.arange(self.register.bits)) & 1
        flat = bits.reshape(frames, self.beats, self.lanes * self.register.bits).astype(np.uint8)
        return np.packbits(flat, axis=2, bitorder="little")

    def unpack(self, data: Bytes) -> npt.NDArray[np.int32]:
        """What ``pack`` made, as int32 [N, C, H, W]."""
        frames = len(data)
        used = self.lanes * self.register.bits
        bits = np.unpackbits(data, axis=2, bitorder="little")[..., :used]
        weights = 1 << np.arange(self.register.bits, dtype=np.int64)
        if self.register.signed:
            weights[-1] = -weights[-1]
        words = bits.reshape(frames, self.beats, self.lanes, self.register.bits).astype(np.int64) @ weights
        values = self.register.offset + self.register.step * words
        ordered = values.reshape(frames, self.height, self.width, self.channels)
        return ordered.transpose(0, 3, 1, 2).astype(np.int32)
