"""``fat-fpga models``: the networks that come with the package."""

from __future__ import annotations

import argparse

from fat_fpga.cli.parser import Commands

EPILOG = """\
example:
  fat-fpga models cnv_w1a1

The names can be given wherever a command takes a MODEL.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "models",
        help="the bundled networks and their model cards",
        description="List the trained networks that come with the package, or show the model cards of some.",
        epilog=EPILOG,
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="show the cards of these")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.models import zoo

    if not args.names:
        print("\n".join(zoo.bundled()))
    for name in args.names:
        print(name)
        for key, value in zoo.card(name.replace("-", "_")).items():
            print(f"  {key}: {value}")
    return 0
