"""Campaigns on boards in trouble: ``python -m tests.board.trouble_campaigns`` runs many of each and prints a table.

A campaign is a list of faults, in parts of four as they are recorded. It ends untouched, recovered or stopped; a
prediction that was recorded and is not the reference engine's makes it wrong. Every other campaign is of a host without
compiled kernels, as a board is one. With ``--results`` each end is written down as it comes, and a run that was
interrupted goes on.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from unittest.mock import patch

import numpy as np

from fat_fpga.board import foretold
from fat_fpga.board.accelerator import Accelerator
from fat_fpga.board.description import Description
from fat_fpga.board.device import Device
from fat_fpga.board.engine import BoardEngine
from fat_fpga.board.injection import SABOTEUR, THRESHOLDS
from fat_fpga.board.simulated import SimulatedBoard
from fat_fpga.datasets import load
from fat_fpga.engines import get
from fat_fpga.engines.engine import Engine
from fat_fpga.engines.images import Images
from fat_fpga.errors import BoardError, EngineError
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


def _no_kernels(name: str) -> Engine:
    raise EngineError(f"no kernels are compiled for {name}")


def campaign(setup: Setup, trouble: type[Trouble], rate: float, seed: int, count: int = 12) -> End:
    """A campaign of ``count`` faults that the seed chooses; where it is odd, the host has no compiled kernels."""
    with patch.object(foretold, "get", _no_kernels) if seed % 2 else nullcontext():
        return _campaign(setup, trouble, rate, seed, count)


def _campaign(setup: Setup, trouble: type[Trouble], rate: float, seed: int, count: int) -> End:
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
    """A simulated board as each variant; blocks that the host does not know of stay transparent."""
    network, board = read_network(folder / "network.npz"), SimulatedBoard(folder)

    def fresh() -> Device:
        board.restart()
        return board

    digits = load("demo:mnist", limit=12).images
    images = digits if board.description.shape == digits.shape[1:] else random_images(network, 12, 1)
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
    parser.add_argument("--results", type=Path, help="file of ends: what is in it is not run again")
    args = parser.parse_args()
    setups = simulated_setups(args.board) if args.board else fake_setups()
    troubles = [t for t in TROUBLES if args.only is None or t.__name__ in args.only.split(",")]
    ends = _read(args.results) if args.results else {}
    for seed, rate, trouble, setup in product(range(args.n), map(float, args.rates.split(",")), troubles, setups):
        key = trouble.__name__, setup.name, rate, seed
        if key not in ends:
            ends[key] = campaign(setup, trouble, rate, seed, args.faults)
            if args.results:
                with args.results.open("a") as file:
                    file.write(json.dumps([*key, *asdict(ends[key]).values()]) + "\n")
    return _print(ends)


Key = tuple[str, str, float, int]
"""Trouble, variant, rate, seed."""


def _read(path: Path) -> dict[Key, End]:
    rows = map(json.loads, path.read_text().splitlines()) if path.exists() else ()
    return {(name, variant, rate, seed): End(*end) for name, variant, rate, seed, *end in rows}


def _print(ends: dict[Key, End]) -> int:
    """A table, by trouble, variant and rate; 1 if anything wrong was recorded."""
    rows: dict[tuple[str, str, float], list[End]] = {}
    for (name, variant, rate, _), end in ends.items():
        rows.setdefault((name, variant, rate), []).append(end)
    names = [trouble.__name__ for trouble in TROUBLES]
    for row in sorted(rows, key=lambda row: (names.index(row[0]), *row[1:])):
        counts = Counter(end.end for end in rows[row])
        struck = sum(end.events for end in rows[row])
        shown = " ".join(f"{counts[end]:3} {end}" for end in ENDS)
        print(f"{row[0]:20} {row[1]:25} {row[2]:<6} {struck:6} times: {shown}")
    wrong = sum(end.end == WRONG for end in ends.values())
    print(f"{len(ends):,} campaigns, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
