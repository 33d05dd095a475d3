"""Matrix-vector units of random sizes, by a seed: the model of ``fat_fpga/luts/matrix.py`` was found with some."""

from __future__ import annotations

import random

Size = tuple[str, int, int, int, int, int, int, int, int]
"""Name, inputs, channels, PE, SIMD, bits of weights, inputs and sums, thresholds."""
CHANNELS = (1, 2, 3, 4, 8, 16, 24, 32, 64, 128)
PIXELS = (1, 9, 9, 16)
OUTPUTS = (4, 8, 10, 16, 24, 32, 48, 64, 128, 256)


def drawn(seed: int, count: int, most: int = 256) -> list[Size]:
    """So many units; inputs of 1 bit are bipolar, others signed, and sums have as many bits as the largest one needs.

    Args:
        most: products of bits in a cycle.
    """
    generator = random.Random(seed)
    found: list[Size] = []
    while len(found) < count:
        weight_bits, input_bits = generator.choice((1, 2)), generator.choice((1, 2, 8))
        inputs = generator.choice(CHANNELS) * generator.choice(PIXELS)
        channels = generator.choice(OUTPUTS)
        pe, simd = generator.choice(_divisors(channels)), generator.choice(_divisors(inputs))
        thresholds = generator.choice((0, 1, 2, 3))
        taken = pe * simd * weight_bits
        if inputs < 8 or taken * input_bits > most or taken > most // 2:
            continue
        largest = inputs * weight_bits * 2 ** (input_bits - 1)
        sum_bits = largest.bit_length() + (weight_bits > 1 or input_bits > 1)
        name = f"drawn {seed}.{len(found)}"
        found.append((name, inputs, channels, pe, simd, weight_bits, input_bits, sum_bits, thresholds))
    return found


def products(size: Size) -> int:
    """Products of bits in a cycle."""
    _, _, _, pe, simd, weight_bits, input_bits, _, _ = size
    return pe * simd * weight_bits * input_bits


def _divisors(number: int) -> list[int]:
    return [n for n in range(1, number + 1) if number % n == 0]
