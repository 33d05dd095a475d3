"""Options that give the formats of a float network in fixed point, for ``quantise`` and ``crosscheck``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fat_fpga.cli.options import Adds
from fat_fpga.errors import ModelError

if TYPE_CHECKING:
    from fat_fpga.fixed_point import Formats, QFormat

T = TypeVar("T")


def _read(read: Callable[[str], T]) -> Callable[[str], T]:
    """For ``type=`` of an argument."""

    def reading(text: str) -> T:
        try:
            return read(text)
        except ModelError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return reading


def _format(text: str) -> QFormat:
    from fat_fpga.fixed_point.q_format import parse_format

    return parse_format(text)


def _layer(text: str) -> tuple[str, Any]:
    from fat_fpga.fixed_point.formats import parse_layer

    return parse_layer(text)


FORMAT, LAYER = _read(_format), _read(_layer)


def add_formats(group: Adds) -> None:
    """Add the options that `formats_of` reads."""
    group.add_argument("--weights", metavar="Qm.n", type=FORMAT, help="format of all weights")
    group.add_argument("--activations", metavar="Qm.n", type=FORMAT, help="format of input and activations")
    group.add_argument(
        "--layer", metavar="NAME=W:A", action="append", default=[], type=LAYER,
        help="formats of one layer, as conv1=Q2.8:Q4.4, conv1=Q2.8 or input=:Q1.8; several times for several layers",
    )  # fmt: skip
    group.add_argument("--format-table", metavar="FILE", help="a table of formats, TOML or JSON; options go before it")


def formats_given(args: argparse.Namespace) -> list[str]:
    """The options among them that were given."""
    given = (("--weights", args.weights), ("--activations", args.activations), ("--layer", args.layer),
             ("--format-table", args.format_table))  # fmt: skip
    return [flag for flag, value in given if value]


def fixed_point_asked(args: argparse.Namespace) -> bool:
    """Whether MODEL is a float module that is to be brought into fixed point; ModelError for formats of another."""
    from fat_fpga.foreign_module import is_module
    from fat_fpga.network.files import CHECKPOINTS

    given = formats_given(args) + ["--weights-file"] * (args.weights_file is not None)
    if is_module(args.model) or (given and Path(args.model).suffix in CHECKPOINTS):
        return True
    if given:
        raise ModelError(
            f"{given[0]} is for float modules, module:PACKAGE:FACTORY or a checkpoint; {args.model} is none"
        )
    return False


def formats_of(args: argparse.Namespace, otherwise: str = "") -> Formats:
    """The formats that arguments and table give; ModelError where some are missing.

    Args:
        otherwise: what else could be done, for that message.
    """
    from fat_fpga.fixed_point import Formats, LayerFormats, read_formats

    found = read_formats(args.format_table) if args.format_table else {"layers": {}}
    weights, activations = args.weights or found.get("weights"), args.activations or found.get("activations")
    if weights is None or activations is None:
        missing = " and ".join(
            name for name, value in (("--weights", weights), ("--activations", activations)) if not value
        )
        raise ModelError(f"a network needs formats: give {missing}, as Q2.6{otherwise}")
    layers = dict(found["layers"])
    for name, own in args.layer:
        before = layers.get(name, LayerFormats())
        layers[name] = LayerFormats(own.weights or before.weights, own.activations or before.activations)
    return Formats(weights, activations, layers)
