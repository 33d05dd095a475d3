"""``fat-fpga trace``: a checksum over every layer's stream, to compare a board with."""

from __future__ import annotations

import argparse

from fat_fpga.cli.options import add_model, option
from fat_fpga.cli.outputs import STANDARD_OUTPUT, check_output
from fat_fpga.cli.parser import Commands
from fat_fpga.cli.renamed import note

EPILOG = """\
examples:
  fat-fpga trace cnv_w1a1 --data demo:cifar10 --image 7
  fat-fpga trace cnv.onnx --data cifar10:data --image 7 --fault "conv1/channel[17] = +1" --engine reference
  fat-fpga trace cnv.onnx --image 0 --folding bnn-pynq
  fat-fpga trace cnv_w1a1 --image 0 --json -
  fat-fpga trace tfc_w2a2 --data demo:mnist --image 7 --engine board:build/boards/tfc_w2a2

Without --data the image is random, the same one for the same number. How the checksum is made: docs/finn.md.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "trace",
        help="checksums of every layer's stream for one image",
        description="Checksums as a checksum hook computes them on the board, behind every layer: the first that\n"
        "differs is where a board and a simulation part.",
        epilog=EPILOG,
    )
    add_model(parser)
    option(parser, "--image", required=True)
    option(parser, "--data", "; random images by default")
    option(parser, "--roi")
    parser.add_argument("--fault", metavar="FAULT", help="a fault, or several joined by '&'; docs/faults.md")
    option(parser, "--engine", " (default: reference)", default="reference")
    option(parser, "--threads")
    option(parser, "--folding", "; shows the beats of a frame, the checksums do not depend on it")
    option(parser, "--json", nargs="?", const="")
    option(parser, "--force")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import json

    from fat_fpga.checksums import checksums_by, text_of
    from fat_fpga.cli.model import get_engine, load_model
    from fat_fpga.crosscheck import random_images
    from fat_fpga.datasets import load
    from fat_fpga.engines.images import check_rows
    from fat_fpga.errors import DataError
    from fat_fpga.faults import parse_fault
    from fat_fpga.file_kinds import TRACE
    from fat_fpga.files import replacing
    from fat_fpga.network import read_folding

    if args.json == "":
        note("--json without a file", "--json -")
        args.json = STANDARD_OUTPUT
    if args.json and args.json != STANDARD_OUTPUT:
        check_output(args, args.json, TRACE, args.model)
    engine = get_engine(args, args.engine)
    fault = None if args.fault is None else parse_fault(args.fault)
    network = load_model(args, faulty=True)
    if args.data is None:
        image = random_images(network, 1, args.image)
    else:
        try:
            images = load(args.data, limit=args.image + 1, shape=network.input.shape, roi=args.roi).images
        except DataError:  # it has fewer, or cannot be read at all
            images = load(args.data, shape=network.input.shape, roi=args.roi).images
        if args.image >= len(images):
            raise DataError(f"--image {args.image}: {args.data} has images 0 to {len(images) - 1}")
        image = images[args.image :][:1]
        check_rows(network, image, f"{args.data}, image {args.image}")
    pes = None if args.folding is None else read_folding(args.folding, network)
    found = checksums_by(engine.open(network), image, fault)
    entries = {place: {"checksum": int(sums[0]), "bits": bits} for place, (sums, bits) in found.items()}
    content = json.dumps(entries, indent=2) + "\n"
    if args.json == STANDARD_OUTPUT:
        print(content, end="")
        return 0
    if args.json:
        with replacing(args.json) as temporary:
            temporary.write_text(content, encoding="utf-8")
    print(text_of(network, found, pes))
    return 0
