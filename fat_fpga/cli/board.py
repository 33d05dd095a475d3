"""``fat-fpga board``: accelerators in our own RTL."""

from __future__ import annotations

from fat_fpga.cli import board_build
from fat_fpga.cli.parser import Commands

EPILOG = """\
examples:
  fat-fpga board build cnv_w1a1 --folding stock -o boards/cnv_w1a1
  fat-fpga crosscheck cnv_w1a1 --data demo:cifar10 --images 20 --sample 40 --engines native,board:boards/cnv_w1a1

Neither FINN nor Vivado is needed. A build for a real board is fat-fpga finn build.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "board",
        help="build a simulated board in our own RTL",
        description="From a model to an accelerator in our own RTL, with voters and injectors, and to its simulation.",
        epilog=EPILOG,
    )
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    board_build.add(inner)
