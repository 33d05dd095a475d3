"""Builds the simulated boards that tests and notebooks use, with FINN's environment: ``make boards``.

In ``build/boards``: ``tfc_w2a2`` and ``tfc_w2a2_fat2``, bundled networks, and ``tfc_w2a2_hardened``, the first one with
copies and voters. Each folder has the library, its description, and the network.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from fat_fpga.finn import setup
from fat_fpga.finn.folding import Fold
from fat_fpga.finn.simulated import build_simulated_board
from fat_fpga.hardening.rewrite import rearranged
from fat_fpga.models.zoo import write_onnx
from fat_fpga.network import Network, load_network

BOARDS = Path(__file__).parents[2] / "build" / "boards"
FOLDS = {"fc0": Fold(16, 49), "fc1": Fold(4, 16), "fc2": Fold(16, 4), "fc3": Fold(2, 16)}
"""64 cycles an image in every layer but the last."""


def bundled(name: str) -> Network:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.onnx"
        write_onnx(name, path)
        return load_network(path)


def hardened(network: Network) -> Network:
    """Copies in every layer: eight channels of fc0 and two of fc1, gathered over beats by their voters, and a third of
    each beat of fc2, whose copies stand in the beats of their channels."""
    some = [*range(1, 64, 8)]
    network = rearranged(network, "fc0", [*range(64), *some, *some[3:], *some[:3]])  # 80 rows, 16 PEs
    network = rearranged(network, "fc1", [*range(64), 5, 40, 40, 5])  # 68 rows, 4 PEs
    rows = []
    for beat in range(0, 64, 4):  # 4 channels a beat, the first of them three times: 6 PEs, 96 rows
        rows += [beat, beat + 1, beat, beat + 2, beat, beat + 3]
    return rearranged(network, "fc2", rows)


HARDENED_FOLDS = {"fc0": Fold(16, 49), "fc1": Fold(4, 16), "fc2": Fold(6, 4), "fc3": Fold(2, 4)}


def main() -> int:
    setup.prepare()
    network = bundled("tfc_w2a2")
    for name, built, folds in (
        ("tfc_w2a2", network, FOLDS),
        ("tfc_w2a2_fat2", bundled("tfc_w2a2_fat2"), FOLDS),
        ("tfc_w2a2_hardened", hardened(network), HARDENED_FOLDS),
    ):
        if name in sys.argv[1:] or len(sys.argv) == 1:
            build_simulated_board(built, folds, BOARDS / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
