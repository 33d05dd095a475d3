"""``fat-fpga crosscheck``: the same faults and images in several engines, compared number by number."""

from __future__ import annotations

import argparse
import re
from contextlib import nullcontext
from math import prod
from typing import TYPE_CHECKING, Any

from fat_fpga.cli.fixed_formats import add_formats, fixed_point_asked, formats_of
from fat_fpga.cli.numbers import count
from fat_fpga.cli.options import add_model, option
from fat_fpga.cli.parser import Commands, engines, names
from fat_fpga.cli.renamed import Renamed, note
from fat_fpga.errors import ModelError

if TYPE_CHECKING:
    from fat_fpga.engines import Engine
    from fat_fpga.network import Network

EPILOG = """\
examples:
  fat-fpga crosscheck cnv.onnx
  fat-fpga crosscheck cnv.onnx --engines native,file --sample 30 --images 2
  fat-fpga crosscheck cnv.onnx --engines native,qonnx --data cifar10:data --sample 500 --images 4
  fat-fpga crosscheck cnv.onnx --engines reference,native --faults channel,pe --folding bnn-pynq
  fat-fpga crosscheck cnv.onnx --engines native,reference --sample 1000 --dask local:4
  fat-fpga crosscheck tfc_w2a2 --engines native,board:build/boards/tfc_w2a2 --data demo:mnist
  fat-fpga crosscheck trained/last.pt --weights Q2.6 --activations Q5.3 --faults weight,activation
  fat-fpga crosscheck module:my_nets:lenet --image-shape 1,28,28 --weights Q2.6 --activations Q5.3

A float module is brought into fixed point by two roads: as an integer program, which the engines of networks execute,
and as the module itself in float64 (module, module:plain). Formats are those of fat-fpga quantise.

Exit codes: 0 all equal, 1 not equal, 2 bad input, or engines without a kind of fault in common.
"""

MOST_FAULTS = 100_000
MOST_VALUES = 2**28
"""Input values of all random images."""


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
    option(parser, "--threads")
    option(parser, "--dask")
    option(parser, "--dask-wait")
    kinds = option(parser, "--faults", "; also set, several at once (default: all)", action=_Kinds)
    parser.add_argument("--kinds", action=Renamed, now=kinds)
    option(parser, "--sample", ", as many of each kind as of any other (default: 90)", default=90)
    option(parser, "--seed", default=0)
    option(parser, "--images", " (default: 4)", default=4)
    option(parser, "--data", "; random images by default")
    option(parser, "--roi")
    option(parser, "--folding", "; for faults of PEs (default: up to 8 PEs)")
    option(parser, "--thresholds")
    group = parser.add_argument_group("of a float module in fixed point, MODEL module:PACKAGE:FACTORY or a checkpoint")
    add_formats(group)
    option(group, "--weights-file")
    option(parser, "--quiet")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.cli.model import get_engine, load_model
    from fat_fpga.crosscheck import KINDS, crosscheck, random_images, sample_faults
    from fat_fpga.crosscheck.check import steps
    from fat_fpga.crosscheck.table import crosscheck_text
    from fat_fpga.datasets import load
    from fat_fpga.engines import default_judges
    from fat_fpga.engines.images import check_rows
    from fat_fpga.faults.space import check_in_hardware
    from fat_fpga.network import read_folding
    from fat_fpga.progress import progress_bar

    if fixed_point_asked(args):
        network, judges = _two_roads(args)
    else:
        judges = {name: get_engine(args, name) for name in args.engines or default_judges()}
        network = load_model(args, True, *judges.values())
    _check_size(args, network)
    if args.data is None:
        images = random_images(network, args.images, args.seed)
    else:
        data = load(args.data, limit=args.images, shape=network.input.shape, roi=args.roi)
        check_rows(network, data.images, data.name)
        images = data.images
    pes = None if args.folding is None else read_folding(args.folding, network)
    faults = sample_faults(network, args.kinds or KINDS, args.sample, len(images), args.seed, pes)
    for kind in args.kinds or ():
        check_in_hardware(network, kind)
    total = steps(len(faults), len(judges))
    bar = progress_bar(not args.quiet, total=total, unit=" runs", leave=False)
    with nullcontext() if bar is None else bar:
        check = crosscheck(
            network,
            images,
            faults,
            judges,
            None if bar is None else bar.update,
            dask=args.dask,
            dask_wait=args.dask_wait,
        )
    print(crosscheck_text(check))
    if not check.equal:
        return 1
    return 0 if check.compared else 2


def _two_roads(args: argparse.Namespace) -> tuple[Network, dict[str, Engine]]:
    """A float module in fixed point, and engines for it: of the integer program, and ``module``, which is itself."""
    from fat_fpga.engines import get
    from fat_fpga.fixed_point.sources import open_module
    from fat_fpga.modules.engine import ModuleEngine
    from fat_fpga.modules.fixed.pair import fixed_pair

    if args.thresholds is not None:
        raise ModelError(f"--thresholds is of networks with thresholds in hardware: {args.model} is a module")
    names = args.engines or ["native", ModuleEngine.name]
    if "file" in names:
        raise ModelError(f"{args.model} is no ONNX file, which the file engine executes: fat-fpga quantise writes one")
    formats = formats_of(args)
    module, name, shape = open_module(args.model, args.weights_file, args.image_shape)
    pixels = "unit" if args.pixels == "auto" else args.pixels
    pair = fixed_pair(module, shape, formats, name, pixels=pixels, normalise=args.normalise)
    made: dict[str, Engine] = {}
    for text in names:
        engine = get(text, args.threads)
        made[text] = pair.engine(engine.plain) if isinstance(engine, ModuleEngine) else engine
    return pair.network, made


def _check_size(args: argparse.Namespace, network: Network) -> None:
    """CampaignError for more faults or random images than memory and patience hold."""
    from fat_fpga.errors import CampaignError

    if args.sample > MOST_FAULTS:
        raise CampaignError(f"--sample {args.sample:,}: a cross-check takes {MOST_FAULTS:,} faults at most")
    most = MOST_VALUES // prod(network.input.shape)
    if args.data is None and args.images > most:
        raise CampaignError(
            f"--images {args.images:,}: a cross-check takes {most:,} random images of this size at most"
        )


class _Kinds(argparse.Action):
    """Kinds of fault; a number, which ``--faults`` was before, is the size of the sample."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if len(values) == 1 and re.fullmatch(r"[+-]?[0-9]+", values[0]):
            try:
                namespace.sample = count(values[0])
            except argparse.ArgumentTypeError as error:
                raise argparse.ArgumentError(self, str(error)) from error
            note("--faults with a number", "--sample")
        else:
            setattr(namespace, self.dest, values)
