"""Blocks of a network from sweeps in which one block alone has errors."""

from __future__ import annotations

from collections.abc import Sequence

from fat_fpga.arguments import checked
from fat_fpga.campaign import Run
from fat_fpga.campaign.layer_table import LayerRow
from fat_fpga.energy.blocks import Block
from fat_fpga.errors import EnergyError
from fat_fpga.faults.pattern import EVERY, JOIN

WEIGHTS, ACTIVATIONS = "weight", ("activation", "output")
"""Kinds of cells that have accesses."""


@checked
def blocks_of(runs: Sequence[Run]) -> list[Block]:
    """A block for each curve of sweeps, in their order.

    A curve of ``conv0+conv1/weight`` makes these layers one block. Its accesses are the words that are hit: weights,
    activations, or both. Its points are the rates of the sweep with the mean loss of accuracy in points.

    Raises:
        EnergyError: a curve is of the whole network or of other cells, two have a layer and a kind in common, or runs
            are of several networks or data.
    """
    from fat_fpga.reports.curves import curves

    found: list[Block] = []
    known: dict[tuple[str, str], str] = {}
    for run in runs:
        own = curves(run) if run.has_patterns else []
        if not own:
            raise EnergyError(f"{run.title} has no finished samples of a sweep: fat-fpga sweep makes them")
        networks, images = (
            {one.identity.network_fingerprint for one in (run, runs[0])},
            {one.identity.dataset_fingerprint for one in (run, runs[0])},
        )
        if len(networks) > 1 or len(images) > 1:
            raise EnergyError(f"{run.title} is of another network or on other images than {runs[0].title}")
        rows = {row.name: row for row in run.layers}
        for curve in own:
            layers, kinds = curve.layer.split(JOIN), curve.kind.split(JOIN)
            if EVERY in layers:
                raise EnergyError(
                    f"{run.title} has errors in the whole network: a block needs --scope layer or --layers"
                )
            for layer in layers:
                for kind in kinds:
                    if (layer, kind) in known:
                        raise EnergyError(f"{layer}/{kind} is in two blocks, {known[layer, kind]} and {curve.layer}")
                    known[layer, kind] = curve.layer
            accesses = sum(_accesses(rows[layer], kind) for layer in layers for kind in kinds)
            points = tuple((point.rate, curve.error_free - point.mean) for point in curve.points if point.rate > 0)
            found.append(Block(curve.layer if kinds == [WEIGHTS] else f"{curve.layer}/{curve.kind}", accesses, points))
    names = [block.name for block in found]
    if len(set(names)) < len(names):
        raise EnergyError(f"two blocks are called {next(name for name in names if names.count(name) > 1)}")
    return found


def _accesses(row: LayerRow, kind: str) -> int:
    if kind == WEIGHTS:
        return row.weights
    if kind in ACTIVATIONS:
        return row.channels * row.height * row.width
    raise EnergyError(f"{row.name}/{kind}: blocks are of weights and activations")
