"""fat_voter over its parameters, against the reference engine."""

from __future__ import annotations

import pytest
from cases import vote_of
from simulator import simulate

from fat_fpga.board.voter import signature, sources_literal

CASES = [
    (1, "whole", 1, 8),
    (2, "whole", 0, 3),
    (3, "whole", 1, 29),
    (4, "whole", 0, 1),
    (5, "lanes", 1, 8),
    (6, "lanes", 0, 2),
    (7, "mixed", 0, 8),
    (8, "mixed", 1, 4),
    (9, "none", 1, 8),
    (10, "whole", 0, 8),
]


@pytest.mark.parametrize(("seed", "structure", "register", "count_bits"), CASES)
def test_voter(seed: int, structure: str, register: int, count_bits: int) -> None:
    vote = vote_of(seed, structure)
    simulate(
        "fat_voter",
        "bench_voter",
        {
            "CHANNELS": vote.behind.channels,
            "ROWS": vote.front.layout.channels,
            "LANES_IN": vote.front.layout.lanes,
            "LANES_OUT": vote.behind.lanes,
            "BITS": vote.front.layout.register.bits,
            "SOURCES": sources_literal(vote.sources),
            "SIGNATURE": f"32'h{signature(vote.sources):08x}",
            "COUNT_BITS": count_bits,
            "OUTPUT_REGISTER": f"1'b{register}",
        },
        {"seed": seed, "structure": structure, "register": register, "count_bits": count_bits},
        f"voter_{seed}_{structure}_{register}",
    )
