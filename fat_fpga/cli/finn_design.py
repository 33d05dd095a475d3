"""What the sub-commands of ``fat-fpga finn`` have in common: model, board, folding, plan, injectors."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fat_fpga.cli import numbers
from fat_fpga.cli.options import add_model, option
from fat_fpga.cli.parser import Parser

if TYPE_CHECKING:
    from fat_fpga.boards import Board
    from fat_fpga.finn.estimates import Estimates
    from fat_fpga.finn.folding import Folding
    from fat_fpga.hardening import Plan
    from fat_fpga.network import Network


def add_design(parser: Parser) -> None:
    """The arguments that `Design` reads."""
    add_model(parser)
    option(parser, "--board", required=True)
    option(
        parser,
        "--folding",
        "; also stock (CNV), auto:FPS (the cheapest that gives so many images a second), plan (that of --plan)",
        required=True,
    )
    option(parser, "--plan", ", whose channels are replicated")
    parser.add_argument(
        "--inject", choices=("thresholds", "stream"),
        help="fault injection on the board: thresholds that a host can write (channels), or a saboteur in every stream",
    )  # fmt: skip
    parser.add_argument(
        "--checksums", action="store_true", help="a checksum hook behind every layer, for fat-fpga trace on the board"
    )
    parser.add_argument(
        "--rtl-only", action="store_true",
        help="without Vitis HLS: our units in the place of what FINN has in HLS only",
    )  # fmt: skip
    option(parser, "--clock", " (default: 100)", default=100.0)


class Design:
    """What the arguments of `add_design` ask for: the network with its plan, and its folding."""

    def __init__(self, args: argparse.Namespace) -> None:
        from fat_fpga.boards import board
        from fat_fpga.cli.model import load_model
        from fat_fpga.hardening import harden, read_plan

        self.board: Board = board(args.board)
        self.clock: float = args.clock
        self.inject: str | None = args.inject
        self.checksums: bool = args.checksums
        self.rtl_only: bool = args.rtl_only
        plan = None if args.plan is None else read_plan(args.plan)
        self.plain: Network = load_model(args)
        self.network: Network = self.plain if plan is None else harden(self.plain, plan)
        self.folding = self._folding(args.folding, plan)

    def stages(self) -> list[tuple[str, Estimates]]:
        """Estimates as `fat_fpga.finn.compare.stages` names them."""
        from fat_fpga.finn.compare import stages

        design = self.folding, self.board, self.clock, self.inject, self.checksums, self.rtl_only
        return stages(self.plain, self.network, *design)

    def _folding(self, text: str, plan: Plan | None) -> Folding:
        if not text.startswith("auto"):
            return design_folding(text, self.network, plan)
        from fat_fpga.finn.auto import auto_folding

        return auto_folding(self.network, _rate(text), self.board, self.clock, self.inject, self.rtl_only)


def design_folding(text: str, network: Network, plan: Plan | None) -> Folding:
    """What ``--folding`` asks for, other than auto:FPS; FinnError where it does not fit the network.

    Args:
        network: with the plan's copies in it.
    """
    from fat_fpga.errors import FinnError
    from fat_fpga.finn.folding import plan_folding, read_build_folding

    if text == "plan":
        if plan is None:
            raise FinnError("folding plan: give --plan, too")
        return plan_folding(plan, network)
    return read_build_folding(text, network)


def _rate(text: str) -> float:
    from fat_fpga.errors import FinnError

    try:
        return numbers.rate(text.removeprefix("auto:"))
    except argparse.ArgumentTypeError as error:
        raise FinnError(f"folding {text}: expected auto: and images a second, as auto:1000") from error
