"""``fat-fpga quantise``: a float network in fixed point."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from fat_fpga.cli import numbers
from fat_fpga.cli.fixed_formats import add_formats, formats_given, formats_of
from fat_fpga.cli.options import option, output
from fat_fpga.cli.outputs import check_output
from fat_fpga.cli.parser import Commands
from fat_fpga.errors import ModelError

if TYPE_CHECKING:
    from fat_fpga.datasets import Dataset
    from fat_fpga.fixed_point import FloatModel, Formats, Quantised
    from fat_fpga.network import Network

EPILOG = """\
examples:
  fat-fpga quantise lenet.onnx --weights Q2.6 --activations Q5.3 -o lenet_q.onnx
  fat-fpga quantise lenet.onnx --weights Q2.6 --activations Q5.3 --layer conv1=Q2.8:Q4.4 --layer fc3=Q1.7 -o q.onnx
  fat-fpga quantise lenet.onnx --minimal --data mnist:data -o smallest.onnx
  fat-fpga quantise lenet.onnx --minimal --per-layer --until-loss 0.5 --data mnist:data -o smaller.onnx
  fat-fpga quantise trained/last.pt --weights Q2.6 --activations Q5.3 -o lenet_q.onnx
  fat-fpga quantise module:my_nets:lenet --weights-file lenet.pt --image-shape 1,28,28 --format-table q.toml -o q.onnx

Qm.n is a word of m + n bits in two's complement: m bits before the point, the sign among them, and n after it. Q2.6
holds -2 to 1.984375 in steps of 1/64. Batch norms are folded into weights and biases. Weights and activations are
rounded to the nearest word, halves to the even one, and what is beyond the ends becomes the end. Sums are exact; the
class scores are sums. What comes out is a QONNX file, which every command takes.

--minimal searches on the validation part of DATA, unless DATA names another one. A table of formats is TOML:
  weights = "Q2.6"
  activations = "Q5.3"
  [layers.conv1]
  weights = "Q2.8"
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "quantise",
        help="turn a float network into fixed point",
        description="Turn a float network (ONNX, or a torch module) into an integer program whose weights and\n"
        "activations are words of fixed point, or find the smallest words that lose no accuracy.",
        epilog=EPILOG,
    )
    parser.add_argument(
        "model", metavar="MODEL",
        help="an .onnx file of floats, a checkpoint of fat-fpga train --model lenet-fc, or module:PACKAGE:FACTORY",
    )  # fmt: skip
    output(parser, "FILE", "the .onnx file to write", required=True)
    group = parser.add_argument_group("formats")
    add_formats(group)
    group.add_argument("--save-formats", metavar="FILE", help="write the formats as JSON, for --format-table")
    group = parser.add_argument_group("search")
    group.add_argument("--minimal", action="store_true", help="find the smallest formats that lose no accuracy")
    group.add_argument("--per-layer", action="store_true", help="with --minimal, smaller ones of each layer, too")
    group.add_argument(
        "--until-loss", metavar="W", type=numbers.decimal(0, 100, "percentage points"), default=0.0,
        help="with --minimal, accuracy that may be lost, in percentage points (default: 0)",
    )  # fmt: skip
    option(parser, "--data", "; --minimal searches on its validation part, else the accuracy on it is shown")
    option(parser, "--images")
    option(parser, "--weights-file")
    for name in ("--pixels", "--normalise", "--outputs", "--image-shape", "--force"):
        option(parser, name)
    option(parser, "--engine", " (default: native)", default="native")
    option(parser, "--threads")
    option(parser, "--quiet", ", no table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.file_kinds import ONNX
    from fat_fpga.fixed_point import open_float_model, quantise, write_formats
    from fat_fpga.fixed_point.text import table

    inputs = [path for path in (args.model, args.format_table, args.weights_file) if path]
    path = check_output(args, args.output, ONNX, *inputs)
    if args.save_formats:
        from fat_fpga.files import check_writable

        check_writable(args.save_formats, *inputs, str(path))
    formats = _formats(args)
    model = open_float_model(args.model, args.weights_file, args.image_shape)
    data = _data(args, model) if args.data else None
    formats = formats or _smallest(args, model, data)
    quantised = quantise(model, formats)
    network = _lowered(args, quantised, model.name)
    if not args.quiet:
        print(table(quantised))
    if data is not None:
        _accuracies(args, model, network, data)
    _write(quantised, path)
    print(f"wrote {path}; fat-fpga info {path} describes it")
    if args.save_formats:
        write_formats(formats, args.save_formats)
        print(f"wrote {args.save_formats}: its formats")
    return 0


def _formats(args: argparse.Namespace) -> Formats | None:
    """The formats that arguments and table give; None where they are to be found.

    Raises:
        ModelError: there are none, or too many.
    """
    given = formats_given(args)
    if args.minimal:
        if given:
            raise ModelError(f"--minimal finds the formats: leave {' and '.join(given)} out")
        if not args.data:
            raise ModelError("--minimal needs images to measure the accuracy on: give --data DATA, as mnist:data@val")
        return None
    if args.per_layer or args.until_loss:
        raise ModelError("--per-layer and --until-loss are for a search: give --minimal, too")
    return formats_of(args, ", or --minimal with --data")


def _data(args: argparse.Namespace, model: FloatModel) -> Dataset:
    """The images: where nothing else is said, for a search the validation part."""
    from fat_fpga.datasets import load
    from fat_fpga.datasets.part import split_spec

    spec, part = split_spec(args.data)
    unsaid = args.minimal and spec == args.data and part.split is None
    shape = model.image_shape(args.image_shape)
    return load(args.data, "val" if unsaid else None, limit=args.images, shape=shape)


def _smallest(args: argparse.Namespace, model: FloatModel, data: Dataset | None) -> Formats:
    from math import floor

    from fat_fpga.fixed_point import parse_format, quantise
    from fat_fpga.fixed_point.formats import Formats
    from fat_fpga.fixed_point.minimal import Search
    from fat_fpga.fixed_point.text import trial_text

    assert data is not None
    middle = parse_format("Q4.4")
    _lowered(args, quantise(model, Formats(middle, middle)), model.name)  # told before the search
    simulation = _simulation(args, model, data)
    correct = simulation.float_correct()
    needed = correct - floor(args.until_loss / 100 * len(data))

    def tell(trial: Any) -> None:
        if not args.quiet:
            print(trial_text(trial, needed, len(data)), file=sys.stderr, flush=True)

    search = Search(simulation.correct, needed, tell)
    formats = search.network(model)
    return search.layers(model, formats) if args.per_layer else formats


def _simulation(args: argparse.Namespace, model: FloatModel, data: Dataset) -> Any:
    from fat_fpga.fixed_point.simulation import Simulation

    return Simulation(model, data, args.pixels, args.image_shape, args.normalise, args.threads or 0)


def _lowered(args: argparse.Namespace, quantised: Quantised, name: str) -> Network:
    """The integer program; ModelError where there is none."""
    from fat_fpga.network import load_network

    return load_network(
        quantised.model, name, pixels=args.pixels, image_shape=args.image_shape, normalise=args.normalise,
        outputs=args.outputs,
    )  # fmt: skip


def _accuracies(args: argparse.Namespace, model: FloatModel, network: Network, data: Dataset) -> None:
    """Print the accuracy of the float network and of the integer program."""
    from fat_fpga.campaign.preparations import fault_free
    from fat_fpga.engines import get

    simulation = _simulation(args, model, data)
    rows = (("float", simulation.float_correct()), ("fixed point",
             fault_free(network, data, get(args.engine, args.threads)).correct))  # fmt: skip
    print(f"\naccuracy on {data.name}, {len(data):,} images:")
    for name, correct in rows:
        print(f"  {name}: {100 * correct / len(data):.2f} % ({correct:,} images)")


def _write(quantised: Quantised, path: Any) -> None:
    import onnx

    from fat_fpga.files import replacing

    with replacing(path) as temporary:
        onnx.save(quantised.model, str(temporary))
