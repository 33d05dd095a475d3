"""Random patterns of every action and kind, and the sets of their single faults, for property tests over networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fat_fpga.errors import FaultError
from fat_fpga.faults import AnyFault, Pattern, check_faults, expand, parse_fault
from fat_fpga.network import Network

FORMS = (
    "*/weight[*].bit[*] ^ 1",
    "*/weight+threshold[*].bit[*] = 1",
    "*/weight[*].bit[0] = 0",
    "*/threshold[*].bit[*] ^ 1",
    "*/threshold[*] = uniform",
    "*/accumulator[*].bit[*] ^ 1",
    "*/accumulator[*] = uniform",
    "*/activation[*].bit[*] ^ 1",
    "*/activation[*].bit[0] = 1",
    "*/activation[*] = uniform",
    "input/activation[*].bit[*] ^ 1",
    "*/weight+activation[*].bit[*] ^ 1",
)
"""What fits every network of two layers."""
MORE_FORMS = (
    "*/weight[*] = uniform",
    "*/weight[*] = 1",
    "*/weight[*].bit[*] = masked",
    "*/threshold[*].bit[*] = masked",
    "*/activation[*] = 1",
    "*/channel+pixel+element[*] = 1",
    "*/weight+threshold+activation+accumulator[*].bit[*] ^ 1",
    "*/weight[*].bit[*] ^ 1 burst[2]",
    "*/weight[*].bit[*] ^ 1 with secded[8]",
    "*/weight[*].bit[*] ^ 1 with parity[16] detected[reload]",
)
"""What fits some."""
RATES = (0.003, 0.03, 0.2)
MOST_SINGLES = 2000
"""Single faults of a pattern that the reference engine still executes soon."""


def pattern(text: str) -> Pattern:
    found = parse_fault(text)
    assert isinstance(found, Pattern)
    return found


def fits(network: Network, form: str, frames: int = 1) -> bool:
    """Whether a network has the cells of a form."""
    try:
        check_faults(network, [pattern(f"{form} ~ 0 @ sample[0]")], frames)
    except FaultError:
        return False
    return True


def random_patterns(network: Network, count: int, seed: int, frames: int) -> Sequence[AnyFault]:
    """Up to ``count`` patterns of any forms and rates; every other one as the set of its single faults."""
    rng = np.random.default_rng(seed)
    forms = [form for form in (*FORMS, *MORE_FORMS) if fits(network, form, frames)]
    found: list[AnyFault] = []
    for number in range(count):
        form, rate = forms[int(rng.integers(len(forms)))], RATES[int(rng.integers(len(RATES)))]
        drawn = pattern(f"{form} ~ {rate} @ sample[{seed + number}]")
        singles = expand(network, drawn, 0, frames)
        if len(singles.faults) > MOST_SINGLES:
            drawn = pattern(f"{form} ~ {rate * MOST_SINGLES / len(singles.faults) / 2!r} @ sample[{seed + number}]")
            singles = expand(network, drawn, 0, frames)
        found.append(drawn if number % 2 else singles)
    return found
