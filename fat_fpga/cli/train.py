"""``fat-fpga train``: train a network of the family."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from fat_fpga.cli import numbers
from fat_fpga.cli.options import option, words
from fat_fpga.cli.parser import Commands
from fat_fpga.errors import TrainingError
from fat_fpga.models.family import spec
from fat_fpga.training.recipe import NAMES, Recipe, settings_of_recipe
from fat_fpga.training.recipe_file import read_recipe_file

EPILOG = """\
examples:
  fat-fpga train --model cnv-w1a1 --data cifar10:data --epochs 40 -o trained
  fat-fpga train --model cnv-w2a2 --data cifar10:data --method fat2 --p 5 --error-model channel -o robust
  fat-fpga train --model cnv-w1a1 --data cifar10:data --recipe fast --device cuda -o trained
  fat-fpga train --recipe robust.toml --seed 1 -o robust1
  fat-fpga train --model tfc-w2a2 --data mnist:data --erase 0.02 --method fat2 --p 5 -o both
  fat-fpga train --from cnv_w1a1 --model cnv-w1a1 --data cifar10:data --method fat2 --p 5 -o tuned
  fat-fpga export trained/last.pt -o cnv.onnx

--recipe paper (default), fast, float (default for networks of floats) and adadelta are settings by name. A file
holds options in TOML, such as model = "cnv-w2a2". An option on the command line goes before both.
A checkpoint is written after each epoch; the same command continues a training that was stopped.
Needs the training extra: pip install '.[train]' in the folder of fat_fpga's sources.
"""


ONE_WAY_ROUND = ("mnist:", "svhn:", "gtsrb:")
"""Data whose images mean something else in the mirror."""

CENTRED = "mnist:"
"""Data whose test images are all centred: crops would train small networks for what never comes."""


MOST_HALVINGS = 10
"""Of the learning rate unless `--halvings` says otherwise. A training of fewer epochs has one an epoch."""


@dataclass(frozen=True)
class Setting:
    """An option of the command line that may stand in a recipe file, too."""

    name: str
    kind: type
    metavar: str
    help: str
    default: Any = None
    flags: tuple[str, ...] = ()
    read: Callable[[str], Any] | None = None
    """The type of the option, where it has a range."""


SETTINGS = (
    Setting("model", str, "MODEL", "the model to train: cnv-w1a1, cnv-w2a2, lfc-w1a1, ..."),
    Setting("data", str, "DATA", words("--data") + "; both parts are used; with @fit, images of @val are left out"),
    Setting("from", str, "NETWORK", "begin with a finished network instead of random weights: a checkpoint, a "
            "training's folder, a bundled network, or an .onnx file"),
    Setting("output", str, "DIR", "folder of checkpoints and metrics", flags=("-o",)),
    Setting("method", str, "NAME", "sat (default), fat1 (errors in all layers), fat2 (one an epoch), dropout2d", "sat"),
    Setting("p", float, "PERCENT", "probability of an error in an activation; fat1, fat2 and dropout2d need it",
            read=numbers.decimal(0, 100, "a percentage")),
    Setting("error_model", str, "NAME", "what fails together: channel (default), pixel or element"),
    Setting("schedule", str, "FORM", "of p: constant (default), linear:END, step:EPOCH=P,EPOCH=P"),
    Setting("epochs", int, "N", words("--epochs") + " (default: 40; fast: 46)", 40, read=numbers.count),
    Setting("seed", int, "N", words("--seed") + ": weights, order, augmentation and errors", 0, read=numbers.seed),
    Setting("device", str, "NAME", "cpu (default) or cuda", "cpu"),
    Setting("halvings", int, "N", "of the learning rate, spread evenly (default: one an epoch, at most 10)",
            read=numbers.count),
    Setting("flip", bool, "", "mirror images at random (default: yes, but no digits and signs)"),
    Setting("crop_padding", int, "N", "zeros around an image before a random crop (default: 4, but none for MNIST)",
            read=numbers.whole(0, 1000)),
    Setting("learning_rate", float, "X", "of the optimiser, the highest (default: 0.02; fast: 0.03 for 1-bit weights)",
            0.02, read=numbers.decimal(0, 1000, above=True)),
    Setting("rate_shape", str, "NAME", "of the rate over the steps: halvings (default), cosine (fast)", "halvings"),
    Setting("warm_up", float, "X", "fraction of the steps in which the rate rises (default: 0; fast: 0.05)", 0.0,
            read=numbers.decimal(0, 0.99, "a fraction")),
    Setting("loss", str, "NAME", "squared_hinge (default), cross_entropy (fast)", "squared_hinge"),
    Setting("optimiser", str, "NAME", "adam (default), or adadelta", "adam"),
    Setting("batch_size", int, "N", "images in a step (default: 100)", 100, read=numbers.whole(2, 10**6)),
    Setting("precision", str, "NAME", words("--precision") + " (fast)", "float32"),
    Setting("norm_images", int, "N", "training images for the statistics of batch norms (default: 2000; fast: 4000)",
            2000, read=numbers.whole(0, 10**9)),
    Setting("erase", float, "P", "probability that a weight or an activation is 0 in a step (default: 0)", 0.0,
            read=numbers.decimal(0, 0.99, "a probability")),
    Setting("images", int, "N", words("--images") + " of each part, to try it out", read=numbers.count),
)  # fmt: skip


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "train",
        help="train a network of the family, fault-aware if you like",
        description="Training with the recipe of the FAT paper, its schedule scaled to the epochs, or a faster one.",
        epilog=EPILOG,
    )
    parser.add_argument(
        "--recipe", metavar="FILE", help="paper (default), fast, float, adadelta, or a TOML file with options"
    )
    for setting in SETTINGS:
        flags = (*setting.flags, "--" + setting.name.replace("_", "-"))
        if setting.kind is bool:
            parser.add_argument(
                *flags, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=setting.help
            )
        else:
            parser.add_argument(
                *flags,
                type=setting.read or setting.kind,
                default=argparse.SUPPRESS,
                metavar=setting.metavar,
                help=setting.help,
            )
    option(parser, "--track")
    option(parser, "--quiet")
    parser.set_defaults(run=run)


def settings_of(args: argparse.Namespace) -> argparse.Namespace:
    """Every setting: from the command line, else from the recipe file, else by default.

    Raises:
        TrainingError: a bad recipe file, or a setting that has no default is missing.
    """
    known = {setting.name: setting.kind for setting in SETTINGS}
    merged = {setting.name: setting.default for setting in SETTINGS}
    given = {name: value for name, value in vars(args).items() if name in known}
    model = given.get("model")
    if args.recipe in NAMES or args.recipe is None:
        merged |= _named(args.recipe, model.replace("_", "-")) if model else {}
    else:
        if not Path(args.recipe).exists():
            raise TrainingError(f"{args.recipe}: no recipe of that name ({', '.join(NAMES)}), and no such file")
        merged |= _in_range(args.recipe, read_recipe_file(args.recipe, known))
    merged |= given
    for name in ("model", "data", "output"):
        if merged[name] is None:
            raise TrainingError(f"a training needs --{name}, or {name} in a recipe file")
    if merged["flip"] is None:
        merged["flip"] = not merged["data"].startswith(ONE_WAY_ROUND)
    if merged["crop_padding"] is None:
        merged["crop_padding"] = 0 if merged["data"].startswith(CENTRED) else 4
    if merged["halvings"] is None:
        merged["halvings"] = max(1, min(MOST_HALVINGS, merged["epochs"]))
    merged["model"] = merged["model"].replace("_", "-")
    return argparse.Namespace(**merged)


def _named(recipe: str | None, model: str) -> dict[str, Any]:
    """The settings of a recipe by its name, by default of the one that the model is for."""
    network = spec(model)
    return settings_of_recipe(recipe or ("float" if network.is_float else "paper"), network.weight_bits)


def _in_range(path: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a recipe file; TrainingError for a number that the option would not take."""
    reads = {setting.name: setting.read for setting in SETTINGS}
    for name, value in settings.items():
        read = reads[name]
        if read is not None:
            try:
                read(str(value))
            except argparse.ArgumentTypeError as error:
                raise TrainingError(f"{path}: {name}: {error}") from error
    return settings


def run(args: argparse.Namespace) -> int:
    import torch  # noqa: F401 -- first, so that its absence is told before data is read

    from fat_fpga.tracking import check_trackers
    from fat_fpga.training.methods import make_method
    from fat_fpga.training.parts import load_parts
    from fat_fpga.training.start import start_from
    from fat_fpga.training.tensorboard import tensorboard
    from fat_fpga.training.tracked import tracked
    from fat_fpga.training.trainer import train

    check_trackers(args.track or ())
    asked = settings_of(args)
    shape = spec(asked.model).topology.input_shape
    method = make_method(asked.method, asked.p, asked.error_model, asked.schedule)
    names = {field.name for field in fields(Recipe)}
    recipe = Recipe(**{name: value for name, value in vars(asked).items() if name in names})
    train_set, test_set = load_parts(asked.data, asked.images, shape)
    folder, begin = Path(asked.output), vars(asked)["from"]
    simple = (str, int, float, bool)
    parameters = {name: value for name, value in vars(asked).items() if isinstance(value, simple)}
    try:
        result = train(
            asked.model,
            train_set,
            test_set,
            recipe,
            folder,
            asked.device,
            [*tensorboard(folder), *tracked(args.track or (), folder, parameters)],
            method,
            not args.quiet,
            start_from(begin) if begin else None,
        )
    except KeyboardInterrupt:
        print(f"fat-fpga: stopped; finished epochs are in {folder}, the same command continues", file=sys.stderr)
        return 130
    epochs = "1 epoch" if asked.epochs == 1 else f"{asked.epochs} epochs"
    print(f"{asked.model}: {result.test_accuracy:.2%} of {len(test_set):,} test images after {epochs}")
    print(f"next: fat-fpga export {folder / 'last.pt'} -o {asked.model}.onnx")
    return 0
