"""What the memories of a matrix-vector-threshold unit hold, in the order of ``hw/rtl/fat_mvtu.sv``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from fat_fpga.network.layers import IntArray

Bits = npt.NDArray[np.uint8]


def weight_words(weights: IntArray, pe: int, simd: int, bits: int) -> Bits:
    """Words of the weight memory, each as its bits, uint8 [folds x beats, pe x bits x simd], lowest bit first.

    Args:
        weights: int32 [M, C, KH, KW]; a vector comes by kernel row, kernel column, channel.
        bits: 1 for bipolar weights, else those of two's complement.
    """
    rows = weights.transpose(0, 2, 3, 1).reshape(len(weights), -1)
    words = rows > 0 if bits == 1 else rows & (1 << bits) - 1
    places = words.astype(np.int64)[..., None] >> np.arange(bits) & 1
    folded = places.reshape(len(rows) // pe, pe, rows.shape[1] // simd, simd, bits)
    return folded.transpose(0, 2, 1, 4, 3).reshape(-1, pe * bits * simd).astype(np.uint8)


def threshold_words(words: npt.NDArray[np.int64], pe: int, bits: int) -> Bits:
    """Words of the threshold memory, each as its bits, uint8 [folds, pe x thresholds x bits], lowest bit first.

    Args:
        words: int64 [M, T], as thresholds stand in ``bits`` bits.
    """
    places = (words & (1 << bits) - 1)[..., None] >> np.arange(bits) & 1
    return places.reshape(len(words) // pe, -1).astype(np.uint8)


def write_words(path: Path, words: Bits) -> None:
    """A file for ``$readmemh``: a hexadecimal word a line."""
    data = np.packbits(words, axis=1, bitorder="little")[:, ::-1]
    path.write_text("".join(f"{row.tobytes().hex()}\n" for row in data))
