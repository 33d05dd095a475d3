"""Fault-free runs, from which all else is derived, by whatever way is the cheapest: with AMX in tiles of 16 places."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fat_fpga.engines.native_engine import ENVIRONMENT, NativeEngine, instruction_sets
from fat_fpga.engines.native_session import UPDATE
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.network import Levels, Network
from tests.designs.chain import BIPOLAR, chain
from tests.designs.random_faults import random_faults
from tests.designs.random_network import random_images
from tests.designs.same_predictions import assert_native_like_reference

CHANNELS = (3, 70, 130, 64, 40, 6)


def network(largest: int, count: int, size: tuple[int, int], kernel: int, stride: int, padding: int) -> Network:
    """Units of weights up to ``largest`` (-1 and +1 for 0) and of ``count`` levels."""
    levels = BIPOLAR if count == 2 else Levels(-(count // 2), 1, count)
    weights = range(-largest, largest + 1) if largest else (-1, 1)
    return chain(CHANNELS, size, (kernel, kernel), weights, levels, stride=stride, padding=padding)


SUBJECTS: dict[str, Callable[[], Network]] = {
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
