"""Campaigns on boards in trouble: ``python -m tests.board.trouble_campaigns`` runs many of each and prints a table.

A campaign is a list of faults, in parts of four as they are recorded. It ends untouched, recovered or stopped; a
prediction that was recorded and is not the reference engine's makes it wrong.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from fat_fpga.board.accelerator import Accelerator
from fat_fpga.board.description import Description
from fat_fpga.board.device import Device
from fat_fpga.board.engine import BoardEngine
from fat_fpga.board.injection import SABOTEUR, THRESHOLDS
from fat_fpga.board.simulated import SimulatedBoard
from fat_fpga.datasets import load
from fat_fpga.engines import get
from fat_fpga.engines.images import Images
from fat_fpga.errors import BoardError
from fat_fpga.faults import AnyFault, fault_space
from fat_fpga.network import Network
from fat_fpga.network.network_file import read_network
from tests.board.fake import FakeBoard, describe, small_network
from tests.board.troubles import TROUBLES, Trouble
from tests.designs.random_network import random_images

PART = 4
"""Faults that are recorded together."""
RATES = (0.001, 0.01, 0.05)
UNTOUCHED, RECOVERED, STOPPED, WRONG = ENDS = ("untouched", "recovered", "stopped", "wrong")


@dataclass(frozen=True)
class Setup:
    """A board, and how faults get into it.

    Attributes:
        description: what the host takes the board to be.
        device: makes it.
        faults: what may be asked; predictions: the reference engine's, int32 [F, N].
    """

    name: str
    network: Network
    description: Description
    device: Callable[[], Device]
    channels_by: str
    images: Images
    faults: Sequence[AnyFault]
    predictions: np.ndarray


@dataclass(frozen=True)
class End:
    """How a campaign ended, how often the trouble struck, and why the board was programmed anew first."""

    end: str
    events: int
    first: str


def campaign(setup: Setup, trouble: type[Trouble], rate: float, seed: int, count: int = 12) -> End:
    """A campaign of ``count`` faults that the seed chooses."""
    chosen = random.Random(seed).sample(range(len(setup.faults)), count)
    device = trouble(setup.device(), setup.description, rate, seed)
    labels = np.zeros(len(setup.images), np.int64)
    restarts: list[str] = []
    try:
        engine = BoardEngine(Accelerator(device, setup.description, setup.channels_by))
        restarts = engine.restarts
        session = engine.open(setup.network)
        for start in range(0, count, PART):
            part = chosen[start : start + PART]
            found = session.run(setup.images, labels, [setup.faults[i] for i in part], predictions=True)
            assert found.predictions is not None
            if not np.array_equal(found.predictions, setup.predictions[part]):
                return End(WRONG, device.events, "")
    except BoardError as error:
        return End(STOPPED, device.events, (restarts or [str(error)])[0])
    return End(RECOVERED if restarts else UNTOUCHED, device.events, (restarts or [""])[0])


def _setup(
    name: str, network: Network, found: Description, device: Callable[[], Device], by: str, images: Images
) -> Setup:
    streams = [stream.place for stream in found.streams if stream.levels is not None]
    faults: list[AnyFault] = list(fault_space(network, "channel", layers=streams))
    if by == SABOTEUR:
        faults += [f for kind in ("pixel", "element") for f in fault_space(network, kind, layers=streams)]
        lanes = {stream.place: stream.layout.lanes for stream in found.streams}
        pes = {unit.name: lanes.get(unit.name, 0) if unit.name in streams else 0 for unit in network.units}
        faults += fault_space(network, "pe", layers=streams, pes=pes)
    labels = np.zeros(len(images), np.int64)
    predictions = get("native").open(network).run(images, labels, faults, predictions=True).predictions
    assert predictions is not None
    return Setup(name, network, found, device, by, images, faults, predictions)


def without(description: Description, saboteurs: bool = True, checksums: bool = True) -> Description:
    """The description without blocks of a kind: the host does not know of them."""
    streams = tuple(
        replace(
            stream,
            saboteur=stream.saboteur if saboteurs else None,
            checksum=stream.checksum if checksums else None,
        )
        for stream in description.streams
    )
    return replace(description, streams=streams)


VARIANTS = (
    ("saboteur, checksums", SABOTEUR, True, True),
    ("saboteur", SABOTEUR, True, False),
    ("thresholds, checksums", THRESHOLDS, True, True),
    ("thresholds", THRESHOLDS, True, False),
    ("thresholds, no saboteurs", THRESHOLDS, False, False),
)
"""Name, how channels are held, whether there are saboteurs, whether there are checksum blocks."""


@lru_cache(maxsize=1)
def fake_setups() -> list[Setup]:
    """Fake boards of each variant."""
    network = small_network()
    images, whole = random_images(network, 20, 1), describe(network)
    found = []
    for name, by, saboteurs, sums in VARIANTS:
        built = without(whole, saboteurs, sums)
        found.append(_setup(name, network, built, lambda built=built: FakeBoard(network, built), by, images))  # type: ignore[misc]
    return found


@lru_cache(maxsize=1)
def simulated_setups(folder: Path) -> list[Setup]:
    """A simulated board of TFC W2A2 as each variant; blocks that the host does not know of stay transparent."""
    network, board = read_network(folder / "network.npz"), SimulatedBoard(folder)

    def fresh() -> Device:
        board.restart()
        return board

    images = load("demo:mnist", limit=12).images
    return [
        _setup(name, network, without(board.description, saboteurs, sums), fresh, by, images)
        for name, by, saboteurs, sums in VARIANTS
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.board.trouble_campaigns", description=__doc__)
    parser.add_argument("--board", type=Path, help="folder of a simulated board; by default a fake one")
    parser.add_argument("-n", type=int, default=20, help="campaigns of each trouble, rate and variant (default: 20)")
    parser.add_argument("--rates", default=",".join(map(str, RATES)), help="by default %(default)s")
    parser.add_argument("--only", metavar="A,B", help=f"of {', '.join(t.__name__ for t in TROUBLES)}")
    parser.add_argument("--faults", type=int, default=12, help="of a campaign (default: %(default)s)")
    args = parser.parse_args()
    setups = simulated_setups(args.board) if args.board else fake_setups()
    wrong = total = 0
    for trouble in TROUBLES:
        if args.only is not None and trouble.__name__ not in args.only.split(","):
            continue
        for setup in setups:
            for rate in map(float, args.rates.split(",")):
                ends = [campaign(setup, trouble, rate, seed, args.faults) for seed in range(args.n)]
                counts = Counter(end.end for end in ends)
                wrong, total = wrong + counts[WRONG], total + args.n
                struck = sum(end.events for end in ends)
                shown = " ".join(f"{counts[end]:3} {end}" for end in ENDS)
                print(f"{trouble.__name__:20} {setup.name:25} {rate:<6} {struck:6} times: {shown}", flush=True)
    print(f"{total:,} campaigns, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
