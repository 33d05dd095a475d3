"""Units of more than 128 outputs and weights of -1, 0 and +1, whose columns are added as bits."""

from __future__ import annotations

import pytest

from fat_fpga.engines.native_engine import ENVIRONMENT, instruction_sets
from fat_fpga.engines.native_session import UPDATE
from fat_fpga.faults import fault_space
from fat_fpga.network import Levels
from tests.designs.chain import BIPOLAR, TERNARY, chain
from tests.designs.random_faults import mixed_faults
from tests.designs.same_predictions import assert_native_like_reference

CHANNELS = {"two to nine blocks": (3, 130, 200, 520, 300, 7), "scores in bits": (3, 70, 330, 129, 64, 150)}
SUBJECTS = [
    ((-1, 0, 1), BIPOLAR, (3, 3)),
    ((-1, 0, 1), TERNARY, (2, 3)),
    ((-1, 0, 1), Levels(-3, 2, 4), (3, 2)),
    ((-1, 1), TERNARY, (2, 2)),
]
"""Weights, levels and kernel."""


@pytest.mark.parametrize("update", ["automatic", "sparse"])
@pytest.mark.parametrize("instruction_set", instruction_sets())
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize(("weights", "levels", "kernel"), SUBJECTS)
def test_equals_reference(
    weights: tuple[int, ...], levels: Levels, kernel: tuple[int, int], channels: str, instruction_set: str,
    update: str, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Faults of every kind, and PEs of so many channels that more changes than margins in bits have room for."""
    monkeypatch.setenv(ENVIRONMENT, instruction_set)
    monkeypatch.setenv(UPDATE, update)
    subject = chain(CHANNELS[channels], (11, 10), kernel, weights, levels)
    pes = {f"conv{i}": 1 + i % 2 for i in range(4)}
    faults = [*mixed_faults(subject, 30, 1, 2), *fault_space(subject, "pe", pes=pes)]
    assert_native_like_reference(subject, faults)
