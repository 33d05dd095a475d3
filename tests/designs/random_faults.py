"""Random faults of every kind, for property tests over random networks."""

from __future__ import annotations

import numpy as np

from fat_fpga.faults import MODELS, AnyFault, Effect, FaultSet, fault_space, places
from fat_fpga.faults.fault import FLIP
from fat_fpga.faults.model import Setting
from fat_fpga.network import Network


def folding_of(network: Network) -> dict[str, int]:
    """A folding: the largest number of PEs of 1, 2, 4 and 8 that divides each unit's channels."""
    return {unit.name: max(pes for pes in (1, 2, 4, 8) if unit.channels % pes == 0) for unit in network.units}


def every_place(network: Network, kind: str) -> list[str]:
    """Every place with faults of a kind: the input, pools, and the whole loopback array too."""
    setting = Setting(folding_of(network), 1)
    found = [p.name for p in places(network).values() if MODELS[kind].block(network, p, setting) is not None]
    return [*found, "*"] if kind == "pe" and _one_level_set(network) else found


def _one_level_set(network: Network) -> bool:
    return bool(network.units[:-1]) and len({unit.levels for unit in network.units[:-1]}) == 1


def random_faults(network: Network, kind: str, count: int, seed: int, frames: int) -> list[AnyFault]:
    """Up to ``count`` different faults of a kind, or sets of two or three of any kinds for ``set``."""
    if kind == "set":
        return _sets(network, count, seed, frames)
    effects = [FLIP, Effect(0), Effect(1)] if kind in ("weight", "threshold", "accumulator") else None
    layers = every_place(network, kind)
    if not layers:
        return []
    return list(fault_space(network, kind, layers, effects, folding_of(network), frames).sample(count, seed))


def _sets(network: Network, count: int, seed: int, frames: int) -> list[AnyFault]:
    rng = np.random.default_rng(seed)
    pool = [fault for kind in MODELS for fault in random_faults(network, kind, 12, seed, frames)]
    sets = {}
    for _ in range(count):
        chosen = rng.permutation(len(pool))[: rng.integers(2, 4)]
        together = FaultSet(tuple(part for i in chosen for part in pool[i].faults))
        sets[str(together)] = together
    return list(sets.values())
