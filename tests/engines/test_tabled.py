"""Units behind a single channel that differs, as a changed word leaves it: by tables of sums of its columns."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fat_fpga.engines.native_engine import ENVIRONMENT, instruction_sets
from fat_fpga.engines.native_session import UPDATE
from fat_fpga.network import Levels, Network
from tests.designs.chain import BIPOLAR, TERNARY, chain
from tests.designs.random_faults import random_faults
from tests.designs.same_predictions import assert_native_like_reference

CHANNELS = (3, 40, 60, 130, 5)
SIGNS, SMALL, FOUR = (-1, 1), (-2, -1, 0, 1, 2), Levels(-1, 1, 4)
SUBJECTS: dict[str, Callable[[], Network]] = {
    "signs": lambda: chain(CHANNELS, (11, 10), (3, 3), SIGNS, BIPOLAR),
    "three levels": lambda: chain(CHANNELS, (11, 10), (3, 3), (-1, 0, 1), TERNARY, padding=1),
    "four levels": lambda: chain(CHANNELS, (9, 10), (2, 3), SMALL, FOUR, padding=1),
    "stride": lambda: chain(CHANNELS, (13, 14), (3, 2), SIGNS, TERNARY, stride=2, padding=1),
    "five columns": lambda: chain(CHANNELS, (7, 17), (2, 5), SMALL, BIPOLAR),
    "long rows": lambda: chain((1, 8, 70, 4), (6, 75), (3, 3), SIGNS, TERNARY, padding=1),
    "beyond a byte": lambda: chain(CHANNELS, (9, 10), (3, 3), range(-40, 41), TERNARY),
    "wide": lambda: chain(CHANNELS, (9, 10), (3, 1), range(-120, 121), Levels(-8, 1, 16)),  # sums of 32 bits
}


@pytest.mark.parametrize("update", ["automatic", "chance"])
@pytest.mark.parametrize("instruction_set", ["portable", "neon", "avx2", "avx512", "amx"])
@pytest.mark.parametrize("name", SUBJECTS)
def test_equals_reference(name: str, instruction_set: str, update: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words of one channel or of several, in the same places as whole channels that are stuck."""
    if instruction_set not in instruction_sets():
        pytest.skip(f"this processor does not run {instruction_set}")
    monkeypatch.setenv(ENVIRONMENT, instruction_set)
    monkeypatch.setenv(UPDATE, update)
    subject = SUBJECTS[name]()
    kinds = ("weight", "threshold", "channel", "accumulator", "element")
    drawn = [random_faults(subject, kind, 12, 1, 2) for kind in kinds]
    assert_native_like_reference(subject, [fault for together in zip(*drawn, strict=True) for fault in together])
