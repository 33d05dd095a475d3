"""A checksum over every layer's output stream, as FINN's checksum hook and our checksum block compute it on the board.

A frame is the stream of one image: pixels in raster order, the channels of a pixel in ascending order. The values
stand in as many bits as their datatype has, two's complement or unsigned; -1 and +1 are 0 and 1 in one bit. Value
number i (from 0) is the word v_i; words wider than 23 bits are folded by XOR of their slices of 23 bits from the
least significant one. Then

    checksum = sum over i of (1 + i mod 3) * v_i    modulo 2^24.

The hook's register holds it in its low 24 bits, and in its high 8 the number of frames since reset, modulo 256, minus
one: `register_word`. With PE channels a beat FINN's stream has channel f * PE + l in lane l of fold f, so the order
of values, and with it the checksum, is the same under every folding.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, log2
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from fat_fpga.engines.images import Images
from fat_fpga.engines.session import Session
from fat_fpga.faults import AnyFault, places
from fat_fpga.faults.place import INPUT
from fat_fpga.faults.register import Register
from fat_fpga.network import MatrixVectorUnit, Network
from fat_fpga.network.layers import IntArray
from fat_fpga.network.words import unit_weight_type
from fat_fpga.text import align

FOLD, MODULUS = 23, 1 << 24
"""Bits that wider words are folded into; checksums are below the second."""

Found = dict[str, tuple[npt.NDArray[np.int64], int]]
"""By place, checksums int64 [N] of N images, and the bits that a value has."""


def checksum(words: npt.NDArray[np.int64], bits: int) -> int:
    """The checksum of a frame's words int64 [values], unsigned, in the stream's order."""
    return int(frame_checksums(words[None], bits)[0])


def frame_checksums(words: npt.NDArray[np.int64], bits: int) -> npt.NDArray[np.int64]:
    """The checksum of each frame, int64 [N], of words int64 [N, values]."""
    folded = np.zeros_like(words)
    for low in range(0, bits, FOLD):
        folded ^= words >> low & (1 << FOLD) - 1
    weights = 1 + np.arange(words.shape[1]) % 3
    sums: npt.NDArray[np.int64] = (folded * weights % MODULUS).sum(axis=1) % MODULUS
    return sums


def register_word(value: int, frame: int) -> int:
    """What the hook's register reads after ``frame`` frames before this one."""
    return (frame % 256) << 24 | value


def stream_words(network: Network, place: str, stream: IntArray) -> tuple[npt.NDArray[np.int64], int]:
    """The unsigned words int64 [N, values] of a stream int32 [N, C, H, W] in the hardware's order, and their bits."""
    levels = places(network)[place].levels
    values = stream.astype(np.int64).transpose(0, 2, 3, 1).reshape(len(stream), -1)
    if levels is None:
        values, bits = _scores(network, values)
    elif levels.bipolar:
        values, bits = (values + 1) // 2, 1
    else:
        raw = place == INPUT and network.input.raw_pixels
        bits = 8 if raw else Register.of_type(levels.stored_as).bits
    return values & ((1 << bits) - 1), bits


def checksums(network: Network, streams: Mapping[str, IntArray]) -> Found:
    """Checksums of the streams that an engine's ``trace`` gives, in their order, but for ranks of class scores."""
    found: Found = {}
    for place, stream in streams.items():
        if places(network)[place].levels is None and places(network)[place].unit is None:
            continue
        words, bits = stream_words(network, place, stream)
        found[place] = frame_checksums(words, bits), bits
    return found


@runtime_checkable
class SumsLayers(Protocol):
    """A session that gives checksums without the streams, as a board's does."""

    def layer_checksums(self, images: Images, fault: AnyFault | None = None) -> Found:
        """The checksums of every stream that it can sum up."""


def checksums_by(session: Session, images: Images, fault: AnyFault | None = None) -> Found:
    """An engine's checksums for images uint8 [N, C, H, W], under a fault or without."""
    if isinstance(session, SumsLayers):
        return session.layer_checksums(images, fault)
    return checksums(session.network, session.trace(images, fault))


def text_of(network: Network, found: Found, pes: Mapping[str, int] | None = None) -> str:
    """A table of the first image's checksums; with PEs by unit, the beats of a frame, too.

    A folding says how many lanes the streams of units and votes have; for the others, as those of pools, there is "-".
    """
    rows = [["place", "stream", "bits", *(["beats"] if pes else []), "checksum"]]
    known = places(network)
    for place, (sums, bits) in found.items():
        shape = known[place].shape
        lanes = (pes or {}).get(network.voted_units.get(place, place))
        beats = f"{shape[1] * shape[2] * ceil(shape[0] / lanes):,}" if lanes else "-"
        rows.append([place, "x".join(map(str, shape)), str(bits), *([beats] if pes else []), f"{int(sums[0]):06x}"])
    return align(rows)


def _scores(network: Network, values: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], int]:
    """Class scores as FINN streams them: counts of agreeing bits behind XNOR, else accumulators of minimal width."""
    unit = network.units[-1]
    levels = network.source(network.position(unit.name)).levels
    inputs = unit.weights[0].size
    if levels.bipolar and unit_weight_type(unit) == "BIPOLAR":
        return (values + inputs) // 2, _accumulator_bits(unit, 0, 1)
    if levels.bipolar:
        return values, _accumulator_bits(unit, -1, 1)
    return values, _accumulator_bits(unit, *Register.of_type(levels.stored_as).span)


def _accumulator_bits(unit: MatrixVectorUnit, low: int, high: int) -> int:
    """Bits of FINN's narrowest accumulator for inputs in ``low..high``, the whole range of their datatype.

    (qonnx's calculate_matvec_accumulator_range, and the rule of FINN's MinimizeAccumulatorWidth.)
    """
    flat = unit.weights.reshape(unit.channels, -1).astype(np.int64)
    plus, minus = np.maximum(flat, 0).sum(1), np.minimum(flat, 0).sum(1)
    smallest, largest = int((plus * low + minus * high).min()), int((plus * high + minus * low).max())
    if smallest >= 0:
        return max(ceil(log2(largest + 1)), 1)
    return ceil(log2(max(-smallest, 1 + largest)) + 1)
