"""Channels stuck at one level after another: the unit behind them is computed at all of the levels at once."""

from __future__ import annotations

import numpy as np
import pytest

from fat_fpga.engines.native_engine import ENVIRONMENT, instruction_sets
from fat_fpga.faults import Fault, fault_space
from fat_fpga.network import Levels
from tests.designs.chain import BIPOLAR, TERNARY, chain
from tests.designs.same_predictions import assert_native_like_reference


@pytest.mark.parametrize("instruction_set", instruction_sets())
@pytest.mark.parametrize(
    ("weights", "levels", "padding"),
    [
        ((-1, 1), BIPOLAR, 0),
        ((-1, 0, 1), TERNARY, 0),
        ((-1, 0, 1), TERNARY, 1),
        ((-2, -1, 0, 1), Levels(0, 1, 4), 0),
        ((-1, 0, 1), Levels(-3, 2, 4), 0),
    ],
)
@pytest.mark.parametrize("kind", ["channel", "pe"])
def test_equals_reference(
    kind: str, weights: tuple[int, ...], levels: Levels, padding: int, instruction_set: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Levels that rise, fall, are left out and come twice; images in between."""
    monkeypatch.setenv(ENVIRONMENT, instruction_set)
    subject = chain((3, 20, 70, 66, 5), (11, 10), (3, 3), weights, levels, padding=padding)
    pes = {f"conv{i}": (5, 35, 33)[i] for i in range(3)}
    space = list(fault_space(subject, kind, pes=pes if kind == "pe" else None))
    places = [space[i : i + levels.count] for i in range(0, len(space), levels.count)]
    rng = np.random.default_rng(0)
    faults: list[Fault] = []
    for n in rng.choice(len(places), 25, replace=False):
        assert len({str(fault).split(" = ")[0] for fault in places[n]}) == 1
        faults += [places[n][i] for i in rng.choice(levels.count, rng.integers(2, levels.count + 2))]
        faults += places[n]
    assert_native_like_reference(subject, faults)
