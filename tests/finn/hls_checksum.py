"""FINN's checksum hook (``custom_hls/checksum.hpp``), statement by statement in Python: beats in, one word out."""

from __future__ import annotations

from collections.abc import Sequence


def checksum_hook(beats: Sequence[int], lanes: int, bits: int) -> int:
    """The low 24 bits of the register after one frame of beats, each of ``lanes`` subwords of ``bits`` bits."""
    coeff = [1, 2, 3]
    s = 0
    for x in beats:
        for j in range(lanes):
            v = x >> j * bits & (1 << bits) - 1  # DefaultSubwordSlicer: little-endian
            w = 0
            for k in range(1 + (bits - 1) // 23):
                w ^= v >> 23 * k & (1 << 23) - 1
            c = coeff[j % 3]
            s += (w << 1 if c & 2 else 0) + (w if c & 1 else 0)
            s &= (1 << 24) - 1
        for j in range(3):  # re-align coefficients: 2 bits and an end-around carry
            cc = coeff[j] + lanes % 3
            coeff[j] = (cc & 3) + (cc >> 2)
    return s
