"""``fat-fpga train``: train a network of the family."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fat_fpga.cli.parser import Commands

EPILOG = """\
example:
  fat-fpga train --model cnv-w1a1 --data cifar10:data --epochs 40 -o trained
  fat-fpga export trained/last.pt -o cnv.onnx

A checkpoint is written after each epoch; the same command continues a training that was stopped.
Needs the training extra: pip install 'fat_fpga[train]'.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "train",
        help="train a network of the family",
        description="Standard training with the recipe of the FAT paper, its schedule scaled to the epochs.",
        epilog=EPILOG,
    )
    parser.add_argument("--model", metavar="NAME", required=True, help="cnv-w1a1, cnv-w2a2, lfc-w1a1, ...")
    parser.add_argument("--data", metavar="DATA", required=True, help="cifar10:DIR or mnist:DIR: both parts are used")
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="folder of checkpoints and metrics")
    parser.add_argument(
        "--epochs", metavar="N", type=int, default=40, help="passes over the training set (default: 40)"
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="of weights, order and augmentation (default: 0)"
    )
    parser.add_argument("--device", metavar="NAME", default="cpu", help="cpu (default) or cuda")
    parser.add_argument(
        "--halvings", metavar="N", type=int, default=10, help="of the learning rate, spread evenly (default: 10)"
    )
    parser.add_argument(
        "--flip",
        action=argparse.BooleanOptionalAction,
        help="mirror images at random (default: yes, but not for mnist:)",
    )
    parser.add_argument("--learning-rate", metavar="X", type=float, default=0.02, help="of Adam, at the start (0.02)")
    parser.add_argument("--batch-size", metavar="N", type=int, default=100, help="images in a step (default: 100)")
    parser.add_argument(
        "--precision", choices=("float32", "bfloat16"), default="float32", help="of the matrix products in training"
    )
    parser.add_argument("--images", metavar="N", type=int, help="only the first N images of each part, to try it out")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import torch  # noqa: F401 -- first, so that its absence is told before data is read

    from fat_fpga.datasets import load
    from fat_fpga.models import spec
    from fat_fpga.training.recipe import Recipe
    from fat_fpga.training.trainer import train

    model = args.model.replace("_", "-")
    spec(model)
    recipe = Recipe(
        epochs=args.epochs,
        seed=args.seed,
        learning_rate=args.learning_rate,
        halvings=args.halvings,
        flip=not args.data.startswith("mnist:") if args.flip is None else args.flip,
        batch_size=args.batch_size,
        precision=args.precision,
    )
    train_set, test_set = (load(args.data, split, args.images) for split in ("train", "test"))
    folder = Path(args.output)
    try:
        result = train(model, train_set, test_set, recipe, folder, args.device, progress=not args.quiet)
    except KeyboardInterrupt:
        print(f"fat-fpga: stopped; finished epochs are in {folder}, the same command continues", file=sys.stderr)
        return 130
    print(f"{model}: {result.test_accuracy:.2%} of {len(test_set):,} test images after {args.epochs} epochs")
    print(f"next: fat-fpga export {folder / 'last.pt'} -o {model}.onnx")
    return 0
