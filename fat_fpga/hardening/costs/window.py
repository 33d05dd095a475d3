"""FINN's estimates of a window generator (``ConvolutionInputGenerator_rtl``, lines in distributed RAM) as formulas.

A run keeps the sizes of places, not kernels, strides and paddings: kernels are taken as square where they can be,
strides and paddings as those that fit best. So figures of oblong kernels and of padding that is larger than needed are
near FINN's, others are equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

from fat_fpga.campaign import LayerRow
from fat_fpga.hardening.design import activations_of, bits_of

BASE, LUT_DEPTH = 300, 38
"""LUTs of a window generator without its lines, and words of one bit that a LUT holds (FINN's constants)."""


@dataclass(frozen=True)
class Generator:
    """A window generator.

    Attributes:
        channels: of the stream in front.
        bits: of one activation of it.
        size: height and width of the image, padding included.
        kernel, stride: of the windows; vertical, horizontal.
        windows: rows and columns of windows.
        depthwise: whether a beat holds one place of some channels of a window, all places of these first: in front of
            pools and depthwise units.
        plain: height and width of the image without padding.
        dilation: of the windows.
    """

    channels: int
    bits: int
    size: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    windows: tuple[int, int]
    depthwise: bool = False
    plain: tuple[int, int] = (2, 2)
    dilation: tuple[int, int] = (1, 1)

    def lut(self, lanes: int) -> int:
        """LUTs, with so many channels a beat: lines as many as a window is high, less one, and a part of the next, and
        room for what comes in while a stride is made."""
        (high, wide), (down, right) = self.kernel, self.stride
        words, pixels = self._held, high * wide
        words += max(0, right - 1 - pixels) + max(0, (down - 1) * self.size[1] - pixels)
        depth = words * (self.channels // lanes) if pixels > 1 else 1
        return BASE + lanes * self.bits * -(-depth // LUT_DEPTH)

    def cycles(self, lanes: int) -> int:
        """Clock cycles for an image."""
        beats, (down, right), (high, wide) = self.channels // lanes, self.stride, self.kernel
        if (high, wide) == (1, 1):
            return self.plain[0] * self.plain[1] * beats + 2
        if 1 in self.plain:
            return self.windows[0] * self.windows[1] * high * wide * beats + 2
        row = max(self.windows[1] * high * wide * beats, right * self.size[1] * beats)
        rest = 0
        if self.depthwise:
            row += self.windows[1] * (right - 1) * (beats - 1)
            rest = (down - 1) * self.size[1] * beats
        return self._held * beats + self.windows[0] * row + rest

    @property
    def _held(self) -> int:
        """Pixels of the first window and of the lines that it reaches over."""
        (high, wide), (down, right) = self.kernel, self.dilation
        return (high - 1) * down * self.size[1] + (wide - 1) * right + 1


@dataclass(frozen=True)
class Window:
    """What forms the windows of a convolution or a pool.

    Attributes:
        front: the place whose pixels come in.
        place: the convolution or pool.
    """

    front: LayerRow
    place: LayerRow

    @property
    def pool(self) -> bool:
        return self.place.is_pool

    @property
    def kernel(self) -> tuple[int, int]:
        """Height and width of a window."""
        if self.pool:
            return self.front.height // self.place.height, self.front.width // self.place.width
        pixels = self.place.inputs // self.front.channels
        if self.front.height == 1 or self.front.width == 1:
            return (1, pixels) if self.front.height == 1 else (pixels, 1)
        high = next(part for part in range(isqrt(pixels), 0, -1) if pixels % part == 0)
        return high, pixels // high

    @property
    def stride(self) -> tuple[int, int]:
        """Vertical and horizontal step."""
        if self.pool:
            return self.kernel
        (high, wide), front, place = self.kernel, self.front, self.place
        return _step(front.height, high, place.height), _step(front.width, wide, place.width)

    @property
    def needed(self) -> bool:
        """Whether there is one at all: pixels that are taken one by one are no windows."""
        return self.kernel != (1, 1) or self.stride != (1, 1)

    def lut(self, lanes: int) -> int:
        """LUTs, with so many channels a beat."""
        return self._generator.lut(lanes)

    def cycles(self, lanes: int) -> int:
        """Clock cycles for an image."""
        return self._generator.cycles(lanes)

    @property
    def _generator(self) -> Generator:
        front, place = self.front, self.place
        return Generator(
            front.channels, bits_of(activations_of(front)), (front.height, self._width), self.kernel, self.stride,
            (place.height, place.width), depthwise=self.pool, plain=(front.height, front.width),
        )  # fmt: skip

    @property
    def _width(self) -> int:
        """Of the padded place in front."""
        return max(self.front.width, (self.place.width - 1) * self.stride[1] + self.kernel[1])


def _step(size: int, kernel: int, windows: int) -> int:
    """The least step that gives so many windows without padding; where none does, the one that needs least padding."""
    if windows == 1:
        return 1
    plain = [step for step in range(1, size + 1) if (size - kernel) // step + 1 == windows]
    return plain[0] if plain else min(range(1, size + 1), key=lambda step: abs((windows - 1) * step + kernel - size))
