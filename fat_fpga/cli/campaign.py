"""``fat-fpga campaign``: every fault on every image, into a run file."""

from __future__ import annotations

import argparse

from fat_fpga.cli.parser import DATA, Commands, add_model, names
from fat_fpga.cli.stopped import stopped

EPILOG = """\
examples:
  fat-fpga campaign cnv.onnx --data cifar10:data -o cnv.run
  fat-fpga campaign cnv.onnx --data cifar10:data --images 1000 --layers conv0,conv1 -o quick.run

Stop it with Ctrl-C, or lose power: the same command continues where it was, and no finished fault is repeated.
A run file that belongs to another model, data set or fault list is left alone, with a word on what differs.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "campaign",
        help="inject every fault, count the images it costs",
        description="Stick every channel of every layer at every value, one at a time, and count on the whole test\n"
        "set how many images are still classified correctly. Exact; resumable.",
        epilog=EPILOG,
    )
    add_model(parser)
    parser.add_argument("--data", metavar="DATA", required=True, help=DATA)
    parser.add_argument("-o", "--output", metavar="RUN", required=True, help="the run file, made or continued")
    parser.add_argument("--images", metavar="N", type=int, help="only the first N images")
    parser.add_argument("--layers", metavar="A,B", type=names, help="only faults in these layers")
    parser.add_argument("--faults", metavar="KIND", default="channel", help="kind of fault (default: channel)")
    parser.add_argument("--engine", metavar="NAME", default="native", help="native (default) or reference")
    parser.add_argument("--chunk", metavar="N", type=int, help="save after every N faults (default: some ten seconds)")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar, no table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.campaign import run_campaign
    from fat_fpga.cli.model import load_model
    from fat_fpga.datasets import load
    from fat_fpga.faults import fault_space
    from fat_fpga.files import check_writable
    from fat_fpga.reports import report_text

    check_writable(args.output)
    network = load_model(args)
    faults = fault_space(network, args.faults, args.layers)
    data = load(args.data, limit=args.images, shape=network.input.shape)
    try:
        finished = run_campaign(
            network, data, faults, args.output, args.engine, chunk=args.chunk, progress=not args.quiet
        )
    except KeyboardInterrupt:
        return stopped(args.output)
    if not args.quiet:
        print(report_text(finished))
        print(f"\nfigures and tables: fat-fpga report {args.output} --figures DIR --csv FILE --json FILE")
    return 0
