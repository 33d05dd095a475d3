"""``fat-fpga info``: what a model file holds, and how many faults it can have."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fat_fpga.cli.parser import Commands, add_model

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

    print(describe(load_model(args, faulty=True)))
    return 0


def describe(network: Network) -> str:
    """The network as a table: layers in order, then totals and fingerprint."""
    from fat_fpga.faults import fault_space, memory_fingerprint
    from fat_fpga.network import MajorityVote, MatrixVectorUnit
    from fat_fpga.reports.text import align

    rows = [["layer", "weights", "type", "activations", "output", "MACs", "channel faults"]]
    faults = {block.place: len(block) for block in fault_space(network).blocks}
    weights = macs = 0
    for layer, before, behind in network.walk():
        output = "x".join(map(str, behind))
        if not isinstance(layer, MatrixVectorUnit):
            if isinstance(layer, MajorityVote):
                what = f"vote on {layer.voted.sum()}"
            else:
                what = f"max {'x'.join(map(str, layer.kernel))}"
            number = f"{faults[layer.name]:,}" if layer.name in faults else ""
            rows.append([layer.name, what, "", "", output, "", number])
            continue
        shape = "x".join(map(str, layer.weights.shape))
        levels = str(layer.levels) if layer.levels else "scores"
        numbers = [f"{layer.macs(before):,}", f"{faults.get(layer.name, 0):,}"]
        rows.append([layer.name, shape, layer.weight_type, levels, output, *numbers])
        weights += layer.weights.size
        macs += layer.macs(before)
    rows.append(["total", f"{weights:,}", "", "", "", f"{macs:,}", f"{sum(faults.values()):,}"])
    shape = "x".join(map(str, network.input.shape))
    head = (
        f"{network.name}: {shape} pixels to {network.classes} classes; "
        f"first layer sees integers {network.input.min}..{network.input.max}"
    )
    if network.fault:
        head += f"\nfault in it {network.fault}"
    return (
        f"{head}\nfingerprint {network.fingerprint}\nmemories    {memory_fingerprint(network)}\n\n"
        f"{align(rows, left=(0, 1, 2, 3, 4))}\n\n"
        "faults of all kinds: fat-fpga faults MODEL"
    )
