"""What planning needs to know of a network: the sizes of its units, as a run file keeps them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from fat_fpga.campaign import LayerRow, Run
from fat_fpga.errors import PlanError
from fat_fpga.network import Levels, Network
from fat_fpga.network.datatypes import smallest_type

CHAIN = ("input", "unit", "pool")
"""Types of layers, as in a run's layer table, of networks whose layers each read the one before."""


@dataclass(frozen=True)
class UnitShape:
    """Sizes of a matrix-vector unit.

    Attributes:
        name: of the unit.
        channels: output channels C; FINN's MH.
        inputs: weights of one output channel; FINN's MW.
        lanes: SIMD lanes must divide this: the input channels of a convolution, whose window generator gives out whole
            pixels, and all inputs of a fully connected unit.
        pixels: output pixels for one image.
        weight_type: QONNX datatype of the weights.
        input_type, output_type: QONNX datatypes of the activations in front and behind; ``output_type`` is empty for
            the last unit, whose outputs are class scores.
        accumulator_bits: what the values of the weights need; 0 where only datatypes are known.
        narrow: whether no weight is the least value of its datatype; None where only datatypes are known.
        groups: of a grouped convolution. Its channels are triplicated all or none, as groups keep equal sizes.
        fill: how many times more inputs than weights it is built with: FINN has no grouped units but depthwise ones, so
            others get zeros for the weights that they do not have.
        joined: whether it reads sums or products of streams, without thresholds behind them.
    """

    name: str
    channels: int
    inputs: int
    lanes: int
    pixels: int
    weight_type: str
    input_type: str
    output_type: str
    accumulator_bits: int = 0
    narrow: bool | None = None
    groups: int = 1
    fill: int = 1
    joined: bool = False

    @property
    def built_inputs(self) -> int:
        """Inputs of one output channel as it is built: FINN's MW, or the places of a depthwise kernel."""
        return self.inputs * self.fill

    @property
    def depthwise(self) -> bool:
        """Whether it is built as a depthwise unit, FINN's VVAU."""
        return self.groups > 1 and self.fill == 1

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one image."""
        return self.channels * self.inputs * self.pixels

    @property
    def bits(self) -> int:
        """Bits of one output activation in the stream; 0 for the last unit."""
        return bits_of(self.output_type) if self.output_type else 0


def bits_of(datatype: str) -> int:
    """Width of a QONNX datatype."""
    if datatype in ("BIPOLAR", "BINARY"):
        return 1
    return 2 if datatype == "TERNARY" else int(re.sub(r"\D", "", datatype))


def design_of(run: Run, network: Network | None = None) -> tuple[UnitShape, ...]:
    """The units of the network that a run was on, in order.

    Args:
        network: the network itself, which tells what reads what: a run does not keep it.

    Raises:
        PlanError: the network has votes: it is planned already; or it branches and is not given.
    """
    votes = [row.name for row in run.layers if row.is_vote]
    if votes:
        raise PlanError(
            f"{run.title}: {run.identity.network} has voters already ({votes[0]}): plan from a campaign on the network "
            "without copies"
        )
    others = [row for row in run.layers if row.type not in CHAIN]
    if not others:
        return units_of(run.layers)
    if network is None:
        raise PlanError(
            f"{run.title}: {run.identity.network} has {others[0].name} (type {others[0].type}): a run does not keep "
            "which layer reads which, so give the model of the campaign too: --model MODEL.onnx"
        )
    return units_of_network(network)


def branching(run: Run, network: Network | None) -> Network | None:
    """The network of a run, where it is no chain of units and pools."""
    return None if all(row.type in CHAIN for row in run.layers) else network


def units_of_network(network: Network) -> tuple[UnitShape, ...]:
    """The units of any network."""
    found = []
    for position, layer in enumerate(network.layers):
        unit = layer.unit
        if unit is None:
            continue
        (stream,) = network.inputs[unit.name]
        matrix, (_, height, width) = network.is_matrix(position), network.shape_of[unit.name]
        inputs, channels = unit.weights[0].size, network.shape_of[stream][0]
        depthwise = unit.groups > 1 and unit.weights.shape[1] == 1
        kernel = unit.kernel[0] * unit.kernel[1]
        levels = network.levels_of.get(unit.name)
        found.append(
            UnitShape(
                unit.name, unit.channels, inputs, inputs if matrix else kernel if depthwise else channels,
                height * width, unit.weight_type, datatype_of(network.levels_of[stream]),
                "" if levels is None else datatype_of(levels),
                groups=unit.groups, fill=1 if depthwise else unit.groups,
            )
        )  # fmt: skip
    return tuple(found)


def datatype_of(levels: Levels) -> str:
    """Narrowest datatype of a stream."""
    return "BIPOLAR" if levels.bipolar else smallest_type(levels.min, levels.max)


def units_of(layers: Sequence[LayerRow]) -> tuple[UnitShape, ...]:
    """The units of a network without votes, from its layer table."""
    units: list[UnitShape] = []
    before = activations_of(layers[0])
    for front, row in pairwise(layers):
        if row.is_unit:
            behind = activations_of(row)
            units.append(
                UnitShape(
                    row.name, row.channels, row.inputs, front.channels if row.reads_windows(front) else row.inputs,
                    row.height * row.width, row.weight_type, before, behind,
                )
            )  # fmt: skip
            before = behind
    return tuple(units)


def activations_of(row: LayerRow) -> str:
    """Datatype of a place's activations; empty where they are class scores."""
    if not row.levels:
        return ""
    values = [int(value) for value in row.levels.split(",")]
    return "BIPOLAR" if values == [-1, 1] else smallest_type(min(values), max(values))
