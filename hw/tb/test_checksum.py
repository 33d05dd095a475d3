"""fat_checksum over its parameters, against the checksums that Python computes."""

from __future__ import annotations

import pytest
from cases import words_of
from simulator import simulate

CASES = [
    {"seed": seed, "lanes": lanes, "beats": beats, "bits": bits}
    for seed, (lanes, beats, bits) in enumerate(
        [
            (1, 1, 1),
            (1, 40, 20),
            (3, 5, 24),
            (5, 6, 32),
            (7, 1, 2),
            (13, 9, 23),
            (16, 50, 1),
            (128, 4, 1),
        ]
    )
] + [{"seed": 20, "network": "some"}]


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(str(value) for value in case.values()))
def test_checksum(case: dict[str, int | str]) -> None:
    words = words_of(case)
    simulate(
        "fat_checksum",
        "bench_checksum",
        {"LANES": words.lanes, "BEATS": words.frames.shape[1] // words.lanes, "BITS": words.bits},
        dict(case),
        f"checksum_{case['seed']}",
    )
