"""Units of 65 to 128 outputs and small weights, which AVX-512 follows with several pixels in a vector of bits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from fat_fpga.engines.native_engine import ENVIRONMENT, instruction_sets
from fat_fpga.engines.native_session import UPDATE
from fat_fpga.faults import fault_space
from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, Network
from tests.designs.random_faults import mixed_faults
from tests.designs.same_predictions import assert_native_like_reference

BIPOLAR, TERNARY = Levels(-1, 2, 2), Levels(-1, 1, 3)


CHANNELS = (3, 40, 100, 128, 65, 5)
SUBJECTS = [
    ((-1, 1), BIPOLAR, (3, 3), 0),
    ((-1, 1), TERNARY, (3, 3), 1),
    ((-1, 0, 1), TERNARY, (3, 3), 0),
    ((-1, 0, 1), BIPOLAR, (2, 3), 0),
    ((-1, 1), BIPOLAR, (3, 2), 0),
    ((-1, 0, 1), TERNARY, (1, 1), 0),
]
"""Weights, levels, kernel and padding."""


def network(
    weights: tuple[int, ...],
    levels: Levels,
    kernel: tuple[int, int],
    padding: int,
    channels: tuple[int, ...] = CHANNELS,
) -> Network:
    rng = np.random.default_rng(len(weights) * 10 + kernel[1])
    height, width = 11, 10
    units = []
    for i, (before, behind) in enumerate(pairwise(channels)):
        last, around = i == len(channels) - 2, padding if i > 0 else 0
        size = (height, width) if last else kernel
        drawn = rng.choice(weights, (behind, before, *size)).astype(np.int32)
        spread = 1000 if i == 0 else int(np.sqrt(drawn[0].size)) + 1
        thresholds = np.sort(rng.integers(-spread, spread, (behind, levels.count - 1)), axis=1).astype(np.int32)
        if last:
            units.append(MatrixVectorUnit(f"fc{i}", drawn, None, None))
            continue
        units.append(MatrixVectorUnit(f"conv{i}", drawn, thresholds, levels, (1, 1), (around,) * 4))
        height, width = height + 2 * around - size[0] + 1, width + 2 * around - size[1] + 1
    table = np.stack([np.arange(-128, 128)] * 3).astype(np.int32)
    return Network("sliding", InputQuantiser((3, 11, 10), table), tuple(units))


@pytest.mark.parametrize("update", ["automatic", "sparse"])
@pytest.mark.parametrize("instruction_set", ["neon", "avx2", "avx512", "amx"])
@pytest.mark.parametrize(("weights", "levels", "kernel", "padding"), SUBJECTS)
def test_equals_reference(
    weights: tuple[int, ...], levels: Levels, kernel: tuple[int, int], padding: int, instruction_set: str,
    update: str, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Faults of every kind, and PEs of so many channels that there are more changes than sums in bits have room for."""
    if instruction_set not in instruction_sets():
        pytest.skip(f"this processor does not run {instruction_set}")
    monkeypatch.setenv(ENVIRONMENT, instruction_set)
    monkeypatch.setenv(UPDATE, update)
    subject = network(weights, levels, kernel, padding)
    pes = {f"conv{i}": pes for i, pes in enumerate((4, 2, 1, 5))}
    faults = [*mixed_faults(subject, 50, 1, 2), *fault_space(subject, "pe", pes=pes)]
    assert_native_like_reference(subject, faults)
