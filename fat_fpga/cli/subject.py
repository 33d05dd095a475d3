"""What a campaign is on: an integer network, or a PyTorch module, and the data with it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fat_fpga.cli.model import load_model
from fat_fpga.cli.options import option
from fat_fpga.cli.parser import Parser
from fat_fpga.errors import ModelError

if TYPE_CHECKING:
    from fat_fpga.datasets.dataset import Dataset
    from fat_fpga.engines import Engine
    from fat_fpga.faults import AnySubject, Subject


def add_module_arguments(parser: Parser) -> None:
    """The arguments that only modules need."""
    group = parser.add_argument_group("of a PyTorch module, MODEL module:PACKAGE:FACTORY")
    option(group, "--weights-file")
    option(group, "--formats")


def engine_name(args: argparse.Namespace) -> str:
    """The engine that was asked for, or the one that the model is executed by."""
    from fat_fpga.foreign_module import is_module

    name: str | None = args.engine
    return name or ("module" if is_module(args.model) else "native")


def load_subject(
    args: argparse.Namespace, look: Callable[[AnySubject], object] = lambda _: None, engine: Engine | None = None
) -> tuple[AnySubject, Dataset]:
    """The model and its data.

    Args:
        look: called with the model, of a network before the data are read.
        engine: what executes it.

    Raises:
        ModelError, DataError: one of them cannot be read.
    """
    from fat_fpga.datasets import load
    from fat_fpga.foreign_module import is_module

    roi = getattr(args, "roi", False)
    if not is_module(args.model):
        _refuse(args)
        network = load_model(args, True, *filter(None, [engine]))
        look(network)
        return network, load(args.data, limit=args.images, shape=network.input.shape, roi=roi)
    data = load(args.data, limit=args.images, shape=args.image_shape, roi=roi)
    subject = _module(args, data.images.shape[1:], "unit" if data.images.dtype.name == "uint8" else "none")
    look(subject)
    return subject, data


def load_model_alone(args: argparse.Namespace) -> AnySubject:
    """The model without data; of a module the shape of its rows has to be given."""
    from fat_fpga.foreign_module import is_module

    if not is_module(args.model):
        _refuse(args)
        return load_model(args, faulty=True)
    if args.image_shape is None:
        raise ModelError(f"{args.model} does not tell the shape of its images: give --image-shape C,H,W")
    return _module(args, args.image_shape)


def _refuse(args: argparse.Namespace) -> None:
    """ModelError for an argument that only modules take."""
    for given in ("weights_file", "formats"):
        if getattr(args, given) is not None:
            raise ModelError(
                f"--{given.replace('_', '-')} is for PyTorch modules, module:PACKAGE:FACTORY; {args.model} is none"
            )


def _module(args: argparse.Namespace, row: Sequence[int], usual: str = "unit") -> Subject:
    """The module as a subject for rows of this shape; ``usual`` says what becomes of pixels where nobody does."""
    from fat_fpga.modules import ModuleSubject, load_module
    from fat_fpga.modules.input import FORMS

    pixels = usual if args.pixels == "auto" else args.pixels
    if pixels not in FORMS:
        raise ModelError(f"--pixels of a module is one of {', '.join(FORMS)}, got '{args.pixels}'")
    if getattr(args, "thresholds", None) is not None:
        raise ModelError(f"--thresholds is about threshold memories of hardware, and {args.model} is a PyTorch module")
    scale = args.normalise
    return ModuleSubject(
        load_module(args.model, args.weights_file),
        row,
        args.model.rpartition(":")[2],
        formats=args.formats,
        pixels=pixels,
        mean=() if scale is None else scale[0],
        std=() if scale is None else scale[1],
    )
