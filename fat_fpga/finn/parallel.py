"""Setting a folding on FINN's graph."""

from __future__ import annotations

import math
from collections.abc import Iterable

from fat_fpga.finn.folding import Fold, Folding
from fat_fpga.finn.graph import MAKERS, nodes_of
from fat_fpga.finn.layers import CONCAT, JOIN, POOL, SUM, UNIT, UPSAMPLE, VOTE
from fat_fpga.finn.placing import COPY, HOOK, INJECTOR, LABELS, SPREAD, WINDOW, Node
from fat_fpga.finn.steps import Model
from fat_fpga.network import Network
from fat_fpga.network.folding import divisors


def apply_folding(model: Model, network: Network, folding: Folding) -> None:
    """Set PE, SIMD and memories of every hardware layer, in place.

    Places that the folding does not name get the fewest PEs that keep up with its slowest unit.
    """
    nodes = nodes_of(model, network)
    groups = grouped(nodes, network)
    for place, group in groups.items():
        if place in folding.folds:
            set_fold(group, folding.folds[place])
    slowest = max((cycles_of(groups[unit.name]) for unit in network.units), default=1)
    for place, group in groups.items():
        if place not in folding.folds:
            for pe in divisors(group_channels(group)):
                set_fold(group, Fold(pe))
                if cycles_of(group) <= slowest:
                    break


def grouped(nodes: Iterable[Node], network: Network) -> dict[str, list[Node]]:
    """Nodes by the place that folds them: a voter goes with its unit, a saboteur or hook with what it stands behind."""
    groups: dict[str, list[Node]] = {}
    for node in nodes:
        groups.setdefault(network.voted_units.get(node.place, node.place), []).append(node)
    return groups


def group_channels(group: Iterable[Node]) -> int:
    """What the PEs of a place must divide."""
    group = list(group)
    made = [node for node in group if node.role in MAKERS] or [node for node in group if node.role == COPY]
    return math.gcd(*(count for node in made if node.role != VOTE for count in _channels(node))) or 1


def _channels(node: Node) -> list[int]:
    """What the lanes of a node must divide."""
    custom = node.custom
    if node.role == CONCAT:  # a beat holds channels of one stream
        return [int(count) for count in custom.get_nodeattr("ChannelsPerStream")]
    if node.role == JOIN:
        return [int(custom.get_nodeattr("out_shape")[-1])]
    name = next(name for name in ("Labels", "MH", "Channels", "NumChannels") if _has(custom, name))
    return [int(custom.get_nodeattr(name))]


def cycles_of(group: Iterable[Node]) -> int:
    """Cycles for one image of the slowest layer."""
    return max(int(node.custom.get_exp_cycles()) for node in group)


def set_fold(group: Iterable[Node], fold: Fold) -> None:
    """Set the layers of one place.

    A window generator in front of a pool or a depthwise unit gives out channels as these take them, a window after the
    other; in front of a unit that takes several places of a window at once, whole windows.
    """
    group, lanes = list(group), fold.pe
    whole = any(node.role in (POOL, SUM) or node.proto.op_type.startswith("VVAU") for node in group)
    for node in group:
        custom = node.custom
        if node.role == WINDOW:
            channels = int(custom.get_nodeattr("IFMChannels" if _has(custom, "IFMChannels") else "NumChannels"))
            simd = _common(channels, fold.pe if whole else fold.simd)
            custom.set_nodeattr("SIMD", simd)
            if _has(custom, "parallel_window"):
                custom.set_nodeattr("parallel_window", int(whole and fold.simd > 1))
            if _has(custom, "ram_style"):
                custom.set_nodeattr("ram_style", fold.window_ram)
        elif node.role == VOTE:
            lanes = voter_lanes(custom.channels_out, int(custom.get_nodeattr("NumChannels")) // fold.pe)
            custom.set_nodeattr("PE", fold.pe)
            custom.set_nodeattr("PEOut", lanes)
        elif node.role == SPREAD:
            most = custom.channels_out // fold.pe
            custom.set_nodeattr("PE", voter_lanes(int(custom.get_nodeattr("NumChannels")), most))
            custom.set_nodeattr("PEOut", fold.pe)
        elif node.role in (INJECTOR, HOOK, COPY):
            custom.set_nodeattr("PE", lanes)
        elif node.role in (CONCAT, UPSAMPLE):
            custom.set_nodeattr("SIMD", fold.pe)
        else:
            custom.set_nodeattr("PE", fold.pe)
            if node.role == UNIT and node.place != LABELS:
                custom.set_nodeattr("SIMD", fold.simd)
                custom.set_nodeattr("ram_style", fold.ram)


def voter_lanes(channels: int, folds: int) -> int:
    """The fewest lanes on a side of a voter that pass a pixel in no more beats than the other side, ``folds``."""
    return next(lanes for lanes in divisors(channels) if channels // lanes <= folds)


def _common(channels: int, lanes: int) -> int:
    """The most lanes, up to ``lanes``, that divide the channels."""
    return max(part for part in divisors(channels) if part <= lanes)


def _has(custom: object, attribute: str) -> bool:
    return attribute in custom.get_nodeattr_types()  # type: ignore[attr-defined]
