"""``fat-fpga models``: the networks that come with the package."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

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
    from fat_fpga.text import align

    if not args.names:
        rows = [["network", "data", "method", "epochs", "test accuracy [%]"]]
        for name in (*zoo.bundled(), *zoo.modules()):
            card = zoo.card(name)
            epochs = f"{card['epochs']}{'+' if card.get('start') else ''}"
            rows.append([name, card["data"], card["method"], epochs, f"{100 * card['test_accuracy']:.2f}"])
        print(align(rows, left=(0, 1, 2)))
        if any(row[3].endswith("+") for row in rows):
            print("\n+: epochs after those of another training; fat-fpga models NAME tells which")
        for name in zoo.modules():
            print(f"\n{name} is a PyTorch module: campaign, sweep and faults take it as {zoo.card(name)['factory']}")
    for name in args.names:
        print("\n".join(_lines(zoo.card(name.replace("-", "_")))))
    return 0


def _lines(card: dict[str, Any], indent: str = "") -> Iterator[str]:
    """A model card, one line for each entry that has a value."""
    for key, value in card.items():
        if isinstance(value, dict):
            yield f"{indent}{key}:"
            yield from _lines(value, indent + "  ")
        elif value is not None:
            yield f"{indent}{key}: {value}"
