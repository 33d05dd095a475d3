"""Fault-free runs, from which all else is derived, by whatever way is the cheapest: with AMX in tiles of 16 places."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from fat_fpga.engines.native_engine import ENVIRONMENT, NativeEngine, instruction_sets
from fat_fpga.engines.native_session import UPDATE
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, Network
from tests.designs.random_faults import random_faults
from tests.designs.random_network import random_images
from tests.designs.same_predictions import assert_native_like_reference

CHANNELS = (3, 70, 130, 64, 40, 6)


def network(largest: int, count: int, size: tuple[int, int], kernel: int, stride: int, padding: int) -> Network:
    """Units of weights up to ``largest`` (-1 and +1 for 0) and of ``count`` levels; the last has the whole frame."""
    rng = np.random.default_rng(largest * 100 + count + size[1])
    levels = Levels(-1, 2, 2) if count == 2 else Levels(-(count // 2), 1, count)
    height, width = size
    units = []
    for i, (before, behind) in enumerate(pairwise(CHANNELS)):
        last, around = i == len(CHANNELS) - 2, padding if i > 0 else 0
        taps = (height, width) if last else (kernel, kernel)
        shape = (behind, before, *taps)
        drawn = rng.integers(-largest, largest + 1, shape) if largest else rng.choice((-1, 1), shape)
        weights = drawn.astype(np.int32)
        if last:
            units.append(MatrixVectorUnit(f"fc{i}", weights, None, None))
            continue
        step = stride if i == 1 else 1
        spread = (100 if i == 0 else count // 2) * max(1, largest) * int(np.sqrt(weights[0].size))
        thresholds = np.sort(rng.integers(-spread, spread + 1, (behind, count - 1)), axis=1).astype(np.int32)
        units.append(MatrixVectorUnit(f"conv{i}", weights, thresholds, levels, (step, step), (around,) * 4))
        height, width = ((n + 2 * around - kernel) // step + 1 for n in (height, width))
    table = np.stack([np.arange(-128, 128)] * 3).astype(np.int32)
    return Network("golden", InputQuantiser((3, *size), table), tuple(units))


SUBJECTS = {
    "signs": lambda: network(0, 2, (11, 20), 3, 1, 0),  # rows of more than 16 places
    "framed": lambda: network(0, 3, (16, 15), 3, 1, 1),  # tiles go on from row to row
    "gathered": lambda: network(1, 3, (13, 8), 3, 2, 1),
    "flat": lambda: network(3, 4, (5, 6), 1, 1, 0),
    "fifteen": lambda: network(2, 16, (7, 21), 2, 1, 0),
    "wide": lambda: network(120, 16, (9, 12), 3, 1, 1),  # accumulators of 32 bits
}


@pytest.mark.parametrize("update", ["automatic", "bytes", "popcount"])
@pytest.mark.parametrize("instruction_set", ["portable", "neon", "avx2", "avx512", "amx"])
@pytest.mark.parametrize("name", SUBJECTS)
def test_streams_and_accumulators(
    name: str, instruction_set: str, update: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All streams without a fault; and answers that depend on each bit of the accumulators that are kept."""
    if instruction_set not in instruction_sets():
        pytest.skip(f"this processor does not run {instruction_set}")
    monkeypatch.setenv(ENVIRONMENT, instruction_set)
    monkeypatch.setenv(UPDATE, update)
    subject = SUBJECTS[name]()
    images = random_images(subject, 2, 1)
    expected = ReferenceEngine().open(subject).trace(images)
    for stream, integers in NativeEngine(1).open(subject).trace(images).items():
        np.testing.assert_array_equal(integers, expected[stream], str(stream))
    kinds = ("accumulator", "weight", "threshold", "channel")
    assert_native_like_reference(subject, [fault for kind in kinds for fault in random_faults(subject, kind, 10, 1, 2)])
