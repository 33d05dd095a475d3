"""``fat-fpga crosscheck``: the same faults and images in several engines, compared number by number."""

from __future__ import annotations

import argparse
from contextlib import nullcontext

from fat_fpga.cli.parser import DATA, Commands, add_model, engines, names

EPILOG = """\
examples:
  fat-fpga crosscheck cnv.onnx
  fat-fpga crosscheck cnv.onnx --engines native,file --faults 30 --images 2
  fat-fpga crosscheck cnv.onnx --engines native,qonnx --data cifar10:data --faults 500 --images 4
  fat-fpga crosscheck cnv.onnx --engines reference,native --kinds channel,pe --folding bnn-pynq
  fat-fpga crosscheck tfc_w2a2 --engines native,board:build/boards/tfc_w2a2 --data demo:mnist

Exit codes: 0 all equal, 1 not equal, 2 bad input, or engines without a kind of fault in common.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "crosscheck",
        help="compare engines on the same faults, number by number",
        description="Run sampled faults of every kind on the same images in several engines. Every predicted class,\n"
        "and every activation that two engines both show, is compared; the first difference is located.",
        epilog=EPILOG,
    )
    add_model(parser)
    parser.add_argument(
        "--engines", metavar="A,B", type=names,
        help=engines("two or more (default: native,torch,qonnx; without PyTorch native,reference,qonnx) of"),
    )  # fmt: skip
    parser.add_argument("--faults", metavar="N", type=_count, default=90, help="about how many faults (default: 90)")
    parser.add_argument("--images", metavar="N", type=_count, default=4, help="how many images (default: 4)")
    parser.add_argument("--data", metavar="DATA", help=f"{DATA}; random images by default")
    parser.add_argument("--kinds", metavar="A,B", type=names, help="kinds of fault, and set (default: all)")
    parser.add_argument("--folding", metavar="FOLDING", help="for kind pe: bnn-pynq, a list of PEs, or a JSON file")
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="of the sampled faults and random images")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.cli.model import get_engine, load_model
    from fat_fpga.crosscheck import KINDS, crosscheck, random_images, sample_faults
    from fat_fpga.crosscheck.check import steps
    from fat_fpga.crosscheck.table import crosscheck_text
    from fat_fpga.datasets import load
    from fat_fpga.engines import default_judges
    from fat_fpga.faults import read_folding
    from fat_fpga.progress import progress_bar

    judges = {name: get_engine(args, name) for name in args.engines or default_judges()}
    network = load_model(args, faulty=True)
    if args.data is None:
        images = random_images(network, args.images, args.seed)
    else:
        images = load(args.data, limit=args.images, shape=network.input.shape).images
    pes = None if args.folding is None else read_folding(args.folding, network)
    faults = sample_faults(network, args.kinds or KINDS, args.faults, len(images), args.seed, pes)
    total = steps(len(faults), len(judges))
    bar = progress_bar(not args.quiet, total=total, unit=" runs", leave=False)
    with nullcontext() if bar is None else bar:
        check = crosscheck(network, images, faults, judges, None if bar is None else bar.update)
    print(crosscheck_text(check))
    if not check.equal:
        return 1
    return 0 if check.compared else 2


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of 1 or more, got '{text}'")
    return int(text)
