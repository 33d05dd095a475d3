"""``fat-fpga harden``: a plan's copies and voters, built into a model."""

from __future__ import annotations

import argparse

from fat_fpga.cli.options import add_model, option, output
from fat_fpga.cli.outputs import check_output
from fat_fpga.cli.parser import Commands
from fat_fpga.cli.renamed import Renamed

EPILOG = """\
examples:
  fat-fpga plan cnv.run --worst-error 20 -o plan.json
  fat-fpga harden cnv.onnx plan.json -o hardened.onnx --save-folding hardened.json
  fat-fpga campaign hardened.onnx --data cifar10:data -o hardened.run
  fat-fpga verify plan.json hardened.run

In the hardened model the copies are ordinary channels, and each voter is an operator MajorityVote behind its unit, all
of them faultable: conv1/channel[70] is a row of the unit, conv1.vote/channel[17] an output of its voter.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "harden",
        help="build a plan's copies and voters into a model",
        description="Write the model with the channels of a plan triplicated and majority-voted. Without faults it\n"
        "computes what it did; that is checked before it is written.",
        epilog=EPILOG,
    )
    add_model(parser)
    parser.add_argument("plan", metavar="PLAN", help="file of fat-fpga plan")
    output(parser, "FILE", "the .onnx file to write", required=True)
    folding = option(parser, "--save-folding")
    parser.add_argument("--folding-file", action=Renamed, now=folding)
    option(parser, "--force")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import json

    from fat_fpga.cli.model import load_model
    from fat_fpga.file_kinds import FOLDING, ONNX
    from fat_fpga.files import replacing
    from fat_fpga.hardening import check_same_function, folding_of, harden, read_plan
    from fat_fpga.network import write_qonnx

    plan, output = read_plan(args.plan), check_output(args, args.output, ONNX, args.model, args.plan)
    if args.save_folding:
        check_output(args, args.save_folding, FOLDING, args.model, args.plan, str(output))
    network = load_model(args)
    hardened = harden(network, plan)
    check_same_function(network, hardened)
    write_qonnx(hardened, output)
    voters = sum(bool(unit.replicated) for unit in plan.units)
    print(f"wrote {output}: {plan.replicated} channels three times, voters behind {voters} layers")
    if args.save_folding:
        with replacing(args.save_folding) as temporary:
            temporary.write_text(json.dumps(folding_of(plan), indent=1) + "\n")
        print(f"wrote {args.save_folding}: its folding")
    return 0
