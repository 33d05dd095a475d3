"""Random faults of every kind, for property tests over random networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fat_fpga.crosscheck.sample import KINDS, every_place, sample_kind
from fat_fpga.crosscheck.sample import any_folding as folding_of
from fat_fpga.faults import AnyFault
from fat_fpga.network import Network

__all__ = ["every_place", "folding_of", "mixed_faults", "random_faults"]


def random_faults(network: Network, kind: str, count: int, seed: int, frames: int) -> Sequence[AnyFault]:
    """Up to ``count`` different faults of a kind, or sets of two or three of any kinds for ``set``; at every place,
    the input, pools, and the whole loopback array too."""
    return sample_kind(network, kind, count, frames, seed, folding_of(network))


def mixed_faults(network: Network, count: int, seed: int, frames: int) -> list[AnyFault]:
    """Up to ``count`` faults of every kind and sets of them, shuffled: each starts from what the one before left."""
    faults = [fault for kind in KINDS for fault in random_faults(network, kind, count // len(KINDS), seed, frames)]
    return [faults[i] for i in np.random.default_rng(seed).permutation(len(faults))]
