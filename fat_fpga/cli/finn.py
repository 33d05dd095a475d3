"""``fat-fpga finn``: estimates and builds with FINN; a file for each of its sub-commands."""

from __future__ import annotations

from fat_fpga.cli import finn_build, finn_estimate
from fat_fpga.cli.parser import Commands

EPILOG = """\
examples:
  fat-fpga finn estimate cnv_w1a1 --board Pynq-Z1 --folding stock
  fat-fpga finn build cnv_w1a1 --board ZCU104 --folding auto:1000 -o build --until estimates

FINN is installed in an environment of its own: docker/install-finn.sh VENV.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "finn",
        help="estimate or build the accelerator with FINN",
        description="From a model to FINN's dataflow accelerator, with voters and fault injectors where wanted.",
        epilog=EPILOG,
    )
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (finn_estimate, finn_build):
        command.add(inner)
