"""Units of 65 to 128 outputs and small weights, which AVX-512 follows with several pixels in a vector of bits."""

from __future__ import annotations

import pytest

from fat_fpga.engines.native_engine import ENVIRONMENT, instruction_sets
from fat_fpga.engines.native_session import UPDATE
from fat_fpga.faults import fault_space
from fat_fpga.network import Levels
from tests.designs.chain import BIPOLAR, TERNARY, chain
from tests.designs.random_faults import mixed_faults
from tests.designs.same_predictions import assert_native_like_reference

CHANNELS, SIZE = (3, 40, 100, 128, 65, 5), (11, 10)
SUBJECTS = [
    ((-1, 1), BIPOLAR, (3, 3), 0),
    ((-1, 1), TERNARY, (3, 3), 1),
    ((-1, 0, 1), TERNARY, (3, 3), 0),
    ((-1, 0, 1), BIPOLAR, (2, 3), 0),
    ((-1, 1), BIPOLAR, (3, 2), 0),
    ((-1, 0, 1), TERNARY, (1, 1), 0),
]
"""Weights, levels, kernel and padding."""


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
    subject = chain(CHANNELS, SIZE, kernel, weights, levels, padding=padding)
    pes = {f"conv{i}": pes for i, pes in enumerate((4, 2, 1, 5))}
    faults = [*mixed_faults(subject, 50, 1, 2), *fault_space(subject, "pe", pes=pes)]
    assert_native_like_reference(subject, faults)
