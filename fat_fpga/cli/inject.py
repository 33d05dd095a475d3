"""``fat-fpga inject``: a model with a fault in it, as a QONNX file."""

from __future__ import annotations

import argparse

from fat_fpga.cli.options import add_model, option, output
from fat_fpga.cli.outputs import check_output
from fat_fpga.cli.parser import Commands

EPILOG = """\
examples:
  fat-fpga inject cnv.onnx "conv1/channel[17] = +1" -o faulty.onnx
  fat-fpga inject cnv_w1a1 "conv2/weight[0,3,1,1].bit[0] ^ 1 & fc6/accumulator[5].bit[9] = 1" -o faulty.onnx

The file takes pixels 0..255 and gives class scores. A fault of a single frame is in it for good: it is the network
while that frame passes. campaign, crosscheck, trace, info and faults read the file as the network with that fault
in it.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "inject",
        help="write a model with a fault in it",
        description="Build a fault into a network, and write it as a QONNX file that any tool can execute.",
        epilog=EPILOG,
    )
    add_model(parser)
    parser.add_argument("fault", metavar="FAULT", help="a fault, or several joined by '&'; docs/faults.md")
    output(parser, "FILE", "the .onnx file to write", required=True)
    option(parser, "--force")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.cli.model import load_model
    from fat_fpga.engines.faulty_graph import write_faulty_qonnx
    from fat_fpga.faults import parse_fault
    from fat_fpga.file_kinds import ONNX

    fault, output = parse_fault(args.fault), check_output(args, args.output, ONNX, args.model)
    write_faulty_qonnx(load_model(args), fault, output)
    print(f"wrote {output} with {fault}")
    return 0
