"""What the matrix-vector units of a board cost, by models fitted to synthesised ones."""

from __future__ import annotations

from typing import NamedTuple

from fat_fpga.arguments import checked
from fat_fpga.luts.matrix import MatrixUnit
from fat_fpga.network import Network
from fat_fpga.rtl.stages import Folds, unit_at


class Cost(NamedTuple):
    """Of one unit, with its memories."""

    lut: int
    bram_18k: int
    dsp: int


@checked
def unit_costs(network: Network, folds: Folds) -> dict[str, Cost]:
    """Of each matrix-vector unit, by name: as built, with memories that a host can write."""
    found = {}
    for number, layer in enumerate(network.layers):
        if layer.unit is None:
            continue
        unit = unit_at(network, number, folds[layer.name])
        model = MatrixUnit(
            unit.inputs, unit.layer.channels, unit.fold.pe, unit.fold.simd, unit.weight_bits, unit.source.bits,
            unit.source.step == 2, unit.sum_bits, 0 if unit.thresholds is None else unit.thresholds.shape[1],
        )  # fmt: skip
        found[layer.name] = Cost(model.luts, model.bram_18k, model.dsp)
    return found
