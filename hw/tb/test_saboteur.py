"""fat_saboteur over its parameters, against the reference engine."""

from __future__ import annotations

import pytest
from cases import stream_of
from simulator import simulate

CASES = [
    (seed, lanes, register)
    for seed, (lanes, register) in enumerate(
        [("few", 1), ("some", 1), ("all", 1), ("few", 0), ("some", 0), ("all", 0), ("some", 1), ("some", 0)]
    )
]


@pytest.mark.parametrize(("seed", "lanes", "register"), CASES)
def test_saboteur(seed: int, lanes: str, register: int) -> None:
    layout = stream_of(seed, lanes).layout
    simulate(
        "fat_saboteur",
        "bench_saboteur",
        {
            "LANES": layout.lanes,
            "FOLDS": layout.folds,
            "WIDTH": layout.width,
            "HEIGHT": layout.height,
            "BITS": layout.register.bits,
            "OUTPUT_REGISTER": f"1'b{register}",
        },
        {"seed": seed, "lanes": lanes, "register": register},
        f"saboteur_{seed}_{lanes}_{register}",
    )
