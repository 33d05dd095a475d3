"""Builds the simulated boards that tests and notebooks use, with FINN's environment: ``make boards``.

In ``build/boards``: ``tfc_w2a2`` and ``tfc_w2a2_fat2``, bundled networks, and the first one twice more with copies and
voters: ``tfc_w2a2_planned`` as the planner wants them, ``tfc_w2a2_hardened`` with every way of laying them out. Each
folder has the library, its description, and the network. ``small`` has eight channels a layer and random weights: a
campaign on it takes a tenth of a second. With names of boards it builds these alone:

    python hw/sim/build_boards.py tfc_w2a2_planned
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from planned import planned

from fat_fpga.datasets import load
from fat_fpga.engines import get
from fat_fpga.faults import fault_space
from fat_fpga.finn import setup
from fat_fpga.finn.folding import Fold
from fat_fpga.finn.simulated import build_simulated_board
from fat_fpga.hardening.rewrite import rearranged
from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, Network, load_network

BOARDS = Path(__file__).parents[2] / "build" / "boards"
FOLDS = {"fc0": Fold(16, 49), "fc1": Fold(4, 16), "fc2": Fold(16, 4), "fc3": Fold(2, 16)}
"""64 cycles an image in every layer but the last."""


def critical(network: Network, unit: str, count: int) -> list[int]:
    """The channels of a unit that cost the most of the bundled digits when they are stuck."""
    digits = load("demo:mnist")
    faults = list(fault_space(network, "channel", layers=[unit]))
    outcome = get("reference").open(network).run(digits.images, digits.labels, faults)
    worst: dict[int, int] = {}
    for fault, correct in zip(faults, outcome.correct.tolist(), strict=True):
        channel = fault.index[0]
        worst[channel] = min(worst.get(channel, len(digits)), correct)
    return sorted(sorted(worst, key=lambda channel: (worst[channel], channel))[:count])


def apart(channels: list[int], pes: int) -> list[int]:
    """Two more rows for each of ``pes`` channels, behind rows in channel order, so that no PE has two copies of one."""
    rng = np.random.default_rng(0)
    while True:
        first, second = rng.permutation(channels), rng.permutation(channels)
        placed = zip([*first, *second], [*range(pes), *range(pes)], strict=True)
        used = {(int(c), pe) for c, pe in placed} | {(c, c % pes) for c in channels}
        if len(used) == 3 * len(channels):
            return [int(c) for c in (*first, *second)]


def hardened(network: Network) -> Network:
    """Copies in every layer: the sixteen most critical channels of fc0 and two of fc1, gathered over beats by their
    voters, and a quarter of each beat of fc2, whose copies stand in that beat."""
    rows = [*range(64), *apart(critical(network, "fc0", 16), 16)]  # 96 rows, 16 PEs
    network = rearranged(network, "fc0", rows)
    network = rearranged(network, "fc1", [*range(64), 5, 40, 40, 5])  # 68 rows, 4 PEs
    rows = []
    for beat in range(0, 64, 16):  # 16 channels a beat, the first four of them three times: 24 PEs, 96 rows
        rows += [*range(beat, beat + 16), *range(beat, beat + 4), *range(beat, beat + 4)]
    return rearranged(network, "fc2", rows)


def small() -> Network:
    """Two hidden layers of eight channels with three levels, on images of 4 x 4."""
    rng = np.random.default_rng(23)
    table = (np.arange(256)[None] // 86 - 1).astype(np.int32)
    levels = Levels(-1, 1, 3)

    def unit(name: str, channels: int, shape: tuple[int, int, int], last: bool) -> MatrixVectorUnit:
        weights = rng.integers(-1, 2, (channels, *shape)).astype(np.int32)
        thresholds = None if last else np.sort(rng.integers(-3, 4, (channels, 2)), axis=1).astype(np.int32)
        return MatrixVectorUnit(name, weights, thresholds, None if last else levels, weight_type="INT2")

    layers = (unit("fc0", 8, (1, 4, 4), False), unit("fc1", 8, (8, 1, 1), False), unit("fc2", 4, (8, 1, 1), True))
    return Network("small", InputQuantiser((1, 4, 4), table), layers)


SMALL_FOLDS = {"fc0": Fold(4, 16), "fc1": Fold(4, 4), "fc2": Fold(2, 4)}
HARDENED_FOLDS = {"fc0": Fold(16, 49), "fc1": Fold(4, 16), "fc2": Fold(24, 4), "fc3": Fold(2, 16)}


def design(name: str) -> tuple[Network, Mapping[str, Fold]]:
    """The network on a board, and its folding."""
    if name == "tfc_w2a2_hardened":
        return hardened(load_network("tfc_w2a2")), HARDENED_FOLDS
    if name == "tfc_w2a2_planned":
        return planned(load_network("tfc_w2a2"), FOLDS, BOARDS / name)
    if name == "small":
        return small(), SMALL_FOLDS
    return load_network(name), FOLDS


NAMES = ("small", "tfc_w2a2", "tfc_w2a2_fat2", "tfc_w2a2_hardened", "tfc_w2a2_planned")


def main() -> int:
    wanted = sys.argv[1:] or NAMES
    if unknown := set(wanted) - set(NAMES):
        print(f"no such board: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    setup.prepare()
    for name in wanted:
        network, folds = design(name)
        build_simulated_board(network, dict(folds), BOARDS / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
