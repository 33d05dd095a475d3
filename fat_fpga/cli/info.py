"""``fat-fpga info``: what a model file holds, and how many faults it can have."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fat_fpga.cli.options import add_model
from fat_fpga.cli.parser import Commands

if TYPE_CHECKING:
    from fat_fpga.network import Network

EPILOG = """\
example:
  fat-fpga info cnv.onnx

The fingerprint stands for the function: the same network has the same one from every form of file. "memories" stands
for what faults of bits meet beyond it: stored thresholds, widths, signs.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "info",
        help="layers, sizes, datatypes and fault counts of a model",
        description="The integer network in a model file: what is executed, and where faults can sit.",
        epilog=EPILOG,
    )
    add_model(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.cli.model import load_model

    print(f"{describe(load_model(args, faulty=True))}\n\nfaults of all kinds: fat-fpga faults MODEL")
    return 0


def describe(network: Network) -> str:
    """The network as a table: layers in order, then totals and fingerprint."""
    from fat_fpga.faults import fault_space, memory_fingerprint
    from fat_fpga.reports.layers import row_of
    from fat_fpga.text import align, shown

    branches = any(layer.inputs for layer in network.layers)
    reads = ["reads"] if branches else []
    rows = [["layer", *reads, "weights", "type", "activations", "output", "MACs", "channel faults"]]
    faults = {block.place: len(block) for block in fault_space(network).blocks}
    weights = macs = 0
    for layer, before, behind in network.walk():
        unit = layer.unit
        number = f"{faults.get(layer.name, 0):,}" if unit is not None or layer.name in faults else ""
        count = "" if unit is None else f"{unit.macs(before):,}"
        sources = network.inputs[layer.name]
        what, weight_type, activations = row_of(layer)
        levels = network.levels_of.get(layer.name)
        if not activations and levels != network.levels_of.get(sources[0]):
            activations = str(levels)
        reads = [", ".join(sources)] if branches else []
        rows.append([layer.name, *reads, what, weight_type, activations, "x".join(map(str, behind)), count, number])
        if unit is not None:
            weights += unit.weights.size
            macs += unit.macs(before)
    rows.append(
        ["total", *([""] if branches else []), f"{weights:,}", "", "", "", f"{macs:,}", f"{sum(faults.values()):,}"]
    )
    head = (
        f"{shown(network.name)}: {input_text(network)} to {outputs_text(network)}; "
        f"first layer sees integers {network.input.min}..{network.input.max}"
    )
    if network.fault:
        head += f"\nfault in it {network.fault}"
    return (
        f"{head}\nfingerprint {network.fingerprint}\nmemories    {memory_fingerprint(network)}\n\n"
        f"{align(rows, left=tuple(range(6 if branches else 5)))}"
    )


def input_text(network: Network) -> str:
    """What the input is: ``3x32x32 pixels``, ``490 finite real values``."""
    source = network.input
    if source.pixels:
        return f"{'x'.join(map(str, source.shape))} pixels"
    return f"{'x'.join(map(str, source.row_shape))} {source.takes}"


def outputs_text(network: Network) -> str:
    """What the outputs are: ``10 classes``, ``640 values``."""
    if network.outputs is not None:
        return f"{network.values:,} output value{'' if network.values == 1 else 's'}"
    if network.shapes[-1][0] == 1:
        return "2 classes by one score"
    return f"{network.classes} classes"
