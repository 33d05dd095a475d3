"""Thresholds of random networks stand where numpy puts them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.designs.random_network import quantiles_of


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 60), st.sampled_from([1, 3, 100_000_000]))
def test_quantiles_of_all_rows_are_those_of_each(seed: int, rows: int, columns: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(-most, most + 1, (rows, columns)).astype(np.int32)
    shares = np.sort(rng.choice([0.0, 0.1, 0.25, 0.5, 1.0, rng.random(), rng.random()], (rows, 5)), axis=1)
    right = np.stack([np.quantile(row, share) for row, share in zip(values, shares, strict=True)])
    assert np.array_equal(quantiles_of(values, shares), right)
