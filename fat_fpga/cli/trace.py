"""``fat-fpga trace``: a checksum over every layer's stream, to compare a board with."""

from __future__ import annotations

import argparse

from fat_fpga.cli.parser import DATA, Commands, add_model, engines

EPILOG = """\
examples:
  fat-fpga trace cnv_w1a1 --data demo:cifar10 --image 7
  fat-fpga trace cnv.onnx --data cifar10:data --image 7 --fault "conv1/channel[17] = +1" --engine reference
  fat-fpga trace cnv.onnx --image 0 --folding bnn-pynq
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
    parser.add_argument("--image", metavar="K", type=_number, required=True, help="number of the image, from 0")
    parser.add_argument("--data", metavar="DATA", help=f"{DATA}; random images by default")
    parser.add_argument("--fault", metavar="FAULT", help="a fault, or several joined by '&'; docs/faults.md")
    parser.add_argument(
        "--engine",
        metavar="NAME",
        default="reference",
        help=engines("what computes, by default reference"),
    )
    parser.add_argument(
        "--folding", metavar="FOLDING",
        help="show the beats of a frame under this folding; the checksums do not depend on it",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import json

    from fat_fpga.checksums import checksums_by, text_of
    from fat_fpga.cli.model import get_engine, load_model
    from fat_fpga.crosscheck import random_images
    from fat_fpga.datasets import load
    from fat_fpga.errors import DataError
    from fat_fpga.faults import parse_fault, read_folding

    engine = get_engine(args, args.engine)
    fault = None if args.fault is None else parse_fault(args.fault)
    network = load_model(args, faulty=True)
    if args.data is None:
        image = random_images(network, 1, args.image)
    else:
        try:
            images = load(args.data, limit=args.image + 1, shape=network.input.shape).images
        except DataError:  # it has fewer, or cannot be read at all
            images = load(args.data, shape=network.input.shape).images
        if args.image >= len(images):
            raise DataError(f"--image {args.image}: {args.data} has images 0 to {len(images) - 1}")
        image = images[args.image :][:1]
    pes = None if args.folding is None else read_folding(args.folding, network)
    found = checksums_by(engine.open(network), image, fault)
    if args.json:
        entries = {place: {"checksum": int(sums[0]), "bits": bits} for place, (sums, bits) in found.items()}
        print(json.dumps(entries, indent=2))
    else:
        print(text_of(network, found, pes))
    return 0


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a number of 0 or more, got '{text}'")
    return int(text)
