"""Small networks that our RTL has modules for, with foldings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fat_fpga.errors import BoardError
from fat_fpga.network import MajorityVote, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.folding import divisors
from fat_fpga.rtl.board import check_network
from fat_fpga.rtl.stages import Fold, windowed
from tests.designs.random_network import random_network

SEEDS = range(400)


def fitting() -> Iterator[tuple[int, Network]]:
    """Random networks that become boards, with their seeds."""
    for seed in SEEDS:
        network = random_network(seed)
        try:
            check_network(network)
        except BoardError:
            continue
        yield seed, network


def random_folds(network: Network, seed: int, most: int = 8) -> dict[str, Fold]:
    """Random PEs and SIMD lanes, at most so many of each."""
    rng, found = np.random.default_rng(seed), {}
    for layer, shape, _ in network.walk():
        if isinstance(layer, MatrixVectorUnit):
            inputs = shape[0] if windowed(layer, shape) else int(layer.weights[0].size)
            pe, simd = (int(rng.choice([d for d in divisors(n) if d <= most])) for n in (layer.channels, inputs))
            found[layer.name] = Fold(pe, simd)
    return found


def small_boards() -> list[tuple[int, Network]]:
    """A few networks that together have what a board can: padding, strides, pools, votes, XNOR units and others."""
    wanted = {"window", "padding", "stride", "pool", "vote", "counting", "wide"}
    found: list[tuple[int, Network]] = []
    small = [(s, n) for s, n in fitting() if len(n.units) > 2 and sum(u.weights.size for u in n.units) < 6000]
    while wanted and len(found) < 3:
        seed, network = max(
            small,
            key=lambda one: (len(wanted & parts(one[1])), -sum(u.weights.size for u in one[1].units)),
        )
        found.append((seed, network))
        wanted -= parts(network)
    assert not wanted, wanted
    return found


def parts(network: Network) -> set[str]:
    """What a board of a network has."""
    found = set()
    for layer, shape, _ in network.walk():
        if isinstance(layer, MatrixVectorUnit):
            bipolar = network.levels_of[network.inputs[layer.name][0]].bipolar
            found |= {"window"} if windowed(layer, shape) else set()
            found |= {"padding"} if any(layer.padding) else set()
            found |= {"stride"} if layer.stride != (1, 1) and windowed(layer, shape) else set()
            found |= {"counting"} if bipolar and layer.weight_type == "BIPOLAR" else {"wide"}
        found |= {"pool"} if isinstance(layer, MaxPool) else set()
        found |= {"vote"} if isinstance(layer, MajorityVote) else set()
    return found
