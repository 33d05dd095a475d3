"""fat_word_guard and fat_clip over their parameters."""

from __future__ import annotations

from typing import Any

import pytest
from simulator import simulate

GUARDS = [
    {"WORDS": words, "DATA": data, "SECDED": secded, "ERASE": erase}
    for words, data, secded, erase in (
        (1, 1, 1, 0), (1, 4, 0, 1), (3, 8, 1, 0), (2, 16, 1, 1), (2, 26, 1, 1), (1, 66, 1, 0), (2, 64, 0, 1),
        (1, 127, 0, 0),
    )
]  # fmt: skip
CLIPS = [
    {"LANES": lanes, "BITS": bits, "SIGNED": signed, "BOUND": bound}
    for lanes, bits, signed, bound in ((1, 1, 0, 0), (4, 3, 0, 5), (2, 8, 1, 93), (2, 11, 0, 1365), (1, 24, 1, 70000))
]


CASES = [("fat_word_guard", parameters) for parameters in GUARDS] + [("fat_clip", parameters) for parameters in CLIPS]


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: f"{CASES[number][0]}-{number}")
def test_guards(number: int) -> None:
    top, parameters = CASES[number]
    case: dict[str, Any] = {"seed": number, "top": top, "parameters": parameters}
    simulate(top, "bench_guards", parameters, case, f"guard_{number}", [top])
