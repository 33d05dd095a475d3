"""``fat-fpga finn estimate``: what a build would cost and how fast it would be."""

from __future__ import annotations

import argparse

from fat_fpga.cli.parser import Commands

EPILOG = """\
examples:
  fat-fpga finn estimate cnv_w1a1 --board Pynq-Z1 --folding stock
  fat-fpga finn estimate cnv_w1a1 --board ZCU104 --folding auto:3000 --save-folding fast.json
  fat-fpga finn estimate cnv.onnx --board ZCU104 --folding plan --plan plan.json --inject stream --report estimates

With a plan or injectors, the totals without them stand beside.
"""


def add(commands: Commands) -> None:
    from fat_fpga.cli.finn_design import add_design

    parser = commands.add_parser(
        "estimate",
        help="LUTs, BRAMs, DSPs, cycles and images a second",
        description="FINN's estimates of each layer and of the whole accelerator, before any synthesis.",
        epilog=EPILOG,
    )
    add_design(parser)
    parser.add_argument("--report", metavar="FOLDER", help="write estimates.json and estimates.png there")
    parser.add_argument("--save-folding", metavar="FILE", help="write the folding as JSON, for --folding")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.cli.finn_design import Design
    from fat_fpga.files import check_writable
    from fat_fpga.finn.estimates import check_fits
    from fat_fpga.finn.report import comparison_text, estimates_text, write_report

    if args.save_folding:
        check_writable(args.save_folding)
    design = Design(args)
    found = design.stages()
    print(estimates_text(found[-1][1], design.board))
    if len(found) > 1:
        print("\n" + comparison_text(found))
    if args.save_folding:
        design.folding.write(args.save_folding)
        print(f"wrote {args.save_folding}")
    if args.report:
        for path in write_report(found, args.report):
            print(f"wrote {path}")
    check_fits(found[-1][1], design.board)
    return 0
