"""``fat-fpga verify``: whether a hardened network kept its plan's promise."""

from __future__ import annotations

import argparse

from fat_fpga.cli.parser import Commands

EPILOG = """\
examples:
  fat-fpga verify plan.json hardened.run
  fat-fpga verify plan.json hardened.run --all > faults.txt

RUN is a campaign on the hardened model (fat-fpga harden, fat-fpga campaign). On the plan's images it is a proof, for
these images. On others it shows how far the worst case carries over: a difference and its interval.
Exit codes: 0 the promise held (other images: chance explains the difference), 1 it did not, 2 bad input.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "verify",
        help="did a hardened network keep its plan's promise, fault by fault",
        description="Compare a campaign on a hardened network with its plan: each fault must do exactly what the\n"
        "plan's campaign foretells, and none but a voter's may leave fewer images correct than promised.",
        epilog=EPILOG,
    )
    parser.add_argument("plan", metavar="PLAN", help="file of fat-fpga plan")
    parser.add_argument("run_file", metavar="RUN", help="run file of a campaign on the hardened model")
    parser.add_argument("--all", action="store_true", help="list every fault, not only those that break the promise")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.campaign import Run
    from fat_fpga.hardening import read_plan, verify
    from fat_fpga.hardening.verification_text import verification_text

    found = verify(read_plan(args.plan), Run.open(args.run_file))
    print(verification_text(found, every=args.all))
    return 0 if found.held else 1
