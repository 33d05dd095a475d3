"""The factor between rates of erasures and of masked bits."""

from __future__ import annotations

import numpy as np
import pytest

from fat_fpga.energy import equivalent
from fat_fpga.errors import EnergyError
from fat_fpga.reports.curves import Curve, Point

RATES = (1e-4, 1e-3, 1e-2, 1e-1)


def curve(rates: tuple[float, ...], factor: float = 1.0) -> Curve:
    """Accuracy that falls with the logarithm of factor x rate, two samples of each."""
    points = tuple(
        Point(rate, 50 - 10 * np.log10(rate * factor) + np.array([-0.5, 0.5]), np.array([1, 1]), None) for rate in rates
    )
    return Curve("cells", "*", "weight", points, 95.0, 1000)


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0, 5.0])
def test_the_factor_of_two_equal_curves(factor: float) -> None:
    found = equivalent(curve(RATES, factor), curve(RATES))
    assert found.factor == pytest.approx(factor, rel=0.01)
    assert found.agree
    assert len(found.rows) >= 2


def test_rates_that_have_nothing_in_common() -> None:
    with pytest.raises(EnergyError, match="too little in common"):
        equivalent(curve((0.5, 0.9)), curve((1e-8, 1e-7)))
    with pytest.raises(EnergyError, match="two rates"):
        equivalent(curve((1e-8,)), curve(RATES))
