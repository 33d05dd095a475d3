"""``fat-fpga finn estimate``: what a build would cost and how fast it would be."""

from __future__ import annotations

import argparse
from functools import partial

from fat_fpga.cli.options import option
from fat_fpga.cli.outputs import Outputs, add_outputs, check_output
from fat_fpga.cli.parser import Commands
from fat_fpga.cli.renamed import Replaced

EPILOG = """\
examples:
  fat-fpga finn estimate cnv_w1a1 --board Pynq-Z1 --folding stock
  fat-fpga finn estimate cnv_w1a1 --board ZCU104 --folding auto:3000 --save-folding fast.json
  fat-fpga finn estimate cnv.onnx --board ZCU104 --folding plan --plan plan.json --inject stream --figures estimates

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
    option(parser, "--save-folding")
    add_outputs(parser)
    parser.add_argument("--report", metavar="DIR", action=Replaced, told="--json FILE --figures DIR")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.cli.finn_design import Design
    from fat_fpga.file_kinds import ESTIMATES, FOLDING
    from fat_fpga.finn.estimates import check_fits
    from fat_fpga.finn.report import (
        FIGURE,
        comparison_text,
        estimates_text,
        write_estimates_figures,
        write_estimates_json,
        write_report,
    )

    if args.save_folding:
        check_output(args, args.save_folding, FOLDING, args.model)
    inputs = [args.model, *filter(None, [args.plan])]
    outputs = Outputs(args, inputs, json=ESTIMATES, figures=[FIGURE])
    design = Design(args)
    found = design.stages()
    outputs.say(estimates_text(found[-1][1], design.board))
    if len(found) > 1:
        outputs.say("\n" + comparison_text(found))
    if args.save_folding:
        design.folding.write(args.save_folding)
        outputs.say(f"wrote {args.save_folding}")
    outputs.write("json", partial(write_estimates_json, found))
    outputs.draw(partial(write_estimates_figures, found))
    if args.report:
        for path in write_report(found, args.report):
            outputs.say(f"wrote {path}")
    check_fits(found[-1][1], design.board)
    return 0
