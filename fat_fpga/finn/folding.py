"""A folding for a build: how parallel each place's layers are, checked before any long step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from fat_fpga.errors import FaultError, FinnError
from fat_fpga.faults.place import INPUT
from fat_fpga.files import replacing
from fat_fpga.finn.form import is_depthwise
from fat_fpga.finn.layers import UNIT, VOTE, lanes_within, role_of
from fat_fpga.finn.placing import LABELS
from fat_fpga.hardening.plan import Plan
from fat_fpga.network import MajorityVote, Network
from fat_fpga.network.folding import divisors, folding_file, read_folds

STOCK = {"BIPOLAR": "cnv_w1a1", "other": "cnv_w2a2"}
"""The shipped foldings of CNV, by weight type of the first unit: those of FINN's examples."""

RAM = ("auto", "block", "distributed")
"""Where a memory is: ``auto`` counts as block RAM in FINN's estimates."""


@dataclass(frozen=True)
class Fold:
    """How parallel the layers at one place are.

    Attributes:
        pe: channels worked on at once.
        simd: inputs that each PE takes a cycle; 1 for a place that is no unit.
        ram: where weights are kept.
        window_ram: where the window generator in front keeps its lines.
    """

    pe: int = 1
    simd: int = 1
    ram: str = "auto"
    window_ram: str = "distributed"


@dataclass(frozen=True)
class Folding:
    """A `Fold` for each unit, by name, and for other places; those that are missing are folded to the slowest unit.

    Attributes:
        name: what to call it in messages.
    """

    name: str
    folds: Mapping[str, Fold] = field(default_factory=dict)

    def write(self, path: str | PathLike[str]) -> None:
        """As JSON that `read_build_folding`, and ``--folding`` of other commands, take."""
        content = {
            place: {"PE": fold.pe, "SIMD": fold.simd, "ram_style": fold.ram, "window_ram_style": fold.window_ram}
            for place, fold in self.folds.items()
        }
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(content, indent=2) + "\n")


def read_build_folding(text: str, network: Network) -> Folding:
    """The folding ``stock``, or what `fat_fpga.network.folding.read_folds` takes, with SIMD lanes.

    In a file, entries may have ``ram_style`` and ``window_ram_style``, and there may be entries for ``input``,
    ``labels`` and layers that are no units.

    Raises:
        FinnError: it does not fit the network: the unit, what was expected and the possible numbers.
        FaultError: it cannot be read.
    """
    source = stock_file(network) if text == "stock" else text
    folds = read_folds(str(source), network.units, network.name)
    extras: dict[str, Any] = {}
    if Path(source).suffix == ".json" and Path(source).is_file():
        extras = {key: value for key, value in folding_file(Path(source)).value.items() if isinstance(value, dict)}
    found: dict[str, Fold] = {}
    for name, fold in folds.items():
        if fold.simd is None:
            raise FinnError(f"folding {text}: {name} has no SIMD lanes; a list for a build looks like 16x3,32x32")
        found[name] = _fold(text, name, {**extras.get(name, {}), "PE": fold.pe, "SIMD": fold.simd})
    others = (layer.name for layer in network.layers if role_of(layer) not in (UNIT, VOTE))
    for place in (INPUT, LABELS, *others):
        if place in extras:
            found[place] = _fold(text, place, extras[place])
    folding = Folding(text, found)
    check_folding(folding, network)
    return folding


def plan_folding(plan: Plan, network: Network) -> Folding:
    """The folding that a plan was made for.

    Args:
        network: with the plan's copies in it (`fat_fpga.hardening.harden`).

    Raises:
        FinnError: the network is another one, so that the folding does not fit it.
    """
    folding = Folding("plan", {unit.unit: Fold(unit.pe, unit.simd) for unit in plan.units})
    check_folding(folding, network)
    return folding


def stock_file(network: Network) -> Path:
    """The shipped folding of a CNV; FinnError for any other network."""
    folder = Path(__file__).parent / "data"
    path = folder / f"{STOCK['BIPOLAR' if network.units[0].weight_type == 'BIPOLAR' else 'other']}.json"
    places = [INPUT, *(layer.name for layer in network.layers if role_of(layer) != VOTE), LABELS]
    if [*json.loads(path.read_text())] != places:
        raise FinnError(
            f"folding stock: it is for CNV, and {network.name} has other layers: take auto:FPS, a "
            f"list as 16x3,32x32, or a JSON file"
        )
    return path


def check_folding(folding: Folding, network: Network) -> None:
    """FinnError unless every PE and SIMD count divides, and copies of a channel are on different PEs."""
    for unit in network.units:
        if unit.name not in folding.folds:
            raise FinnError(f"folding {folding.name}: there is no entry for {unit.name}")
    channels = {INPUT: network.input.shape[0], LABELS: network.classes}
    for layer in network.layers:
        streams = (layer.name, *network.inputs[layer.name])
        channels[layer.name] = lanes_within(layer, [network.shape_of[stream][0] for stream in streams])
    for name, fold in folding.folds.items():
        if name not in channels:
            raise FinnError(f"folding {folding.name}: {network.name} has no place '{name}'")
        _divides(folding, name, "PE", fold.pe, channels[name], "channels")
    for unit in network.units:
        name, fold = unit.name, folding.folds[unit.name]
        _divides(folding, name, "SIMD", fold.simd, lanes_of(network, network.position(name)), "inputs")
        if is_depthwise(network, unit) and fold.simd > 1 and fold.pe < unit.channels:
            raise FinnError(
                f"folding {folding.name}: {name} is depthwise, it takes more than one SIMD lane only with all of its "
                f"{unit.channels} PEs, got {fold.pe}"
            )
        vote = network.vote_behind(name)
        shared = None if vote is None else shared_pes(vote, fold.pe)
        if shared is not None:
            raise FinnError(
                f"folding {folding.name}: {name} computes two copies of channel {shared} on the "
                f"same of its {fold.pe} PEs: "
                "one stuck PE would outvote the third; take a folding that the plan was made for"
            )


def shared_pes(vote: MajorityVote, pes: int) -> int | None:
    """The first channel with two copies on one PE, if there is one."""
    for channel, rows in enumerate(vote.sources):
        if vote.voted[channel] and len({int(row) % pes for row in rows}) < 3:
            return channel
    return None


def lanes_of(network: Network, position: int) -> int:
    """What the SIMD lanes of a unit must divide: the input channels of a convolution, whose window generator gives out
    parts of a pixel; the places of the kernel where it is depthwise; all inputs of a fully connected unit."""
    unit = network.layers[position].unit
    assert unit is not None
    if is_depthwise(network, unit):
        return unit.kernel[0] * unit.kernel[1]
    return int(unit.weights[0].size if network.is_matrix(position) else unit.weights.shape[1] * unit.groups)


def _divides(folding: Folding, name: str, what: str, count: int, whole: int, of: str) -> None:
    if count < 1 or whole % count:
        raise FinnError(
            f"folding {folding.name}: {name} has {whole} {of}, which {what} {count} does not divide: possible are "
            f"{', '.join(map(str, divisors(whole)))}"
        )


def _fold(text: str, name: str, entry: dict[str, Any]) -> Fold:
    try:
        fold = Fold(
            int(entry.get("PE", 1)),
            int(entry.get("SIMD", 1)),
            str(entry.get("ram_style", "auto")),
            str(entry.get("window_ram_style", "distributed")),
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise FaultError(f"folding {text}: expected numbers under PE and SIMD of {name}") from error
    for ram in (fold.ram, fold.window_ram):
        if ram not in RAM:
            raise FinnError(f"folding {text}: {name} has the memory '{ram}', expected one of {', '.join(RAM)}")
    return fold
