"""``fat-fpga check``: what is understood of a model and its data, and what stands in the way of a campaign."""

from __future__ import annotations

import argparse
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fat_fpga.cli.options import add_model, option
from fat_fpga.cli.outputs import Outputs
from fat_fpga.cli.parser import Commands

if TYPE_CHECKING:
    from fat_fpga.campaign import FaultFree
    from fat_fpga.datasets import Dataset
    from fat_fpga.engines import Engine
    from fat_fpga.network import Network

EPILOG = """\
examples:
  fat-fpga check cnv_w1a1 --data demo:cifar10
  fat-fpga check cnv.onnx --data cifar10:data --images 1000 --expect-accuracy 70
  fat-fpga check mlp.onnx --image-shape 1,28,28 --data mnist:data --json check.json

Images are taken evenly from the whole data set. Exit codes: 0 it can be campaigned; 2 it is refused, and the message
says why and what to do. An accuracy near chance is a note, and with --expect-accuracy a refusal.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "check",
        help="is this model understood, and does it know these images?",
        description="What is understood of a model, the faults it has, and its accuracy on some images, with likely\n"
        "causes where that is low; or why it is refused, and the cure.",
        epilog=EPILOG,
    )
    add_model(parser)
    option(parser, "--data", "; without it only the model is looked at")
    option(parser, "--roi")
    option(parser, "--images", "; here they are spread evenly over the data set (default: 300)", default=300)
    option(parser, "--expect-accuracy")
    option(parser, "--folding", "; to count their faults, too")
    option(parser, "--engine", " (default: native)", default="native")
    option(parser, "--threads")
    option(parser, "--json")
    option(parser, "--force")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.cli.model import get_engine
    from fat_fpga.errors import FatFpgaError
    from fat_fpga.file_kinds import CHECK

    outputs = Outputs(args, [args.model], json=CHECK)
    engine = get_engine(args, args.engine)
    found: dict[str, Any] = {"model": args.model, "data": args.data, "refused": None, "notes": []}
    try:
        _check(args, engine, found, outputs)
    except FatFpgaError as error:
        outputs.write("json", partial(_write, found | {"refused": str(error)}))
        raise
    outputs.write("json", partial(_write, found))
    return 0


def _check(args: argparse.Namespace, engine: Engine, found: dict[str, Any], outputs: Outputs) -> None:
    """Print and note in ``found`` what there is; FatFpgaError for what stands in the way of a campaign."""
    from fat_fpga.cli.info import describe, input_text, outputs_text
    from fat_fpga.cli.model import load_model
    from fat_fpga.datasets import load
    from fat_fpga.faults import MODELS

    network = load_model(args, faulty=True)
    faults = _faults(args, network)
    found |= {
        "network": network.name,
        "fingerprint": network.fingerprint,
        "image_shape": list(network.input.shape),
        "input": input_text(network),
        "outputs": outputs_text(network),
        "classes": network.classes if network.outputs is None else None,
        "layers": [layer.name for layer in network.layers],
        "faults": faults,
    }
    counts = ", ".join(f"{kind} {count:,}" for kind, count in faults.items() if count)
    if missing := [kind for kind in MODELS if kind not in faults]:
        counts += f"; {', '.join(missing)} with --folding"
    outputs.say(f"{describe(network)}\n\nfaults by kind: {counts}\n")
    if args.data is None:
        outputs.say("The model can be campaigned. How well it knows some images: --data")
        return
    data = load(args.data, shape=network.input.shape, spread=args.images, roi=args.roi)
    if network.outputs is None:
        _accuracy(args, network, data, engine, found, outputs)
    else:
        _data(args, network, data, found, outputs)
    outputs.say(f"\nnext: {_campaign(args, network)}")


def _campaign(args: argparse.Namespace, network: Network) -> str:
    """The command for a campaign with the same model and data."""
    command = ["fat-fpga", "campaign", args.model, "--data", args.data]
    if args.pixels != "auto":
        command += ["--pixels", args.pixels]
    if args.image_shape:
        command += ["--image-shape", ",".join(map(str, args.image_shape))]
    if args.normalise:
        mean, deviation = (",".join(map(str, given)) for given in args.normalise)
        command += ["--normalise", f"mean={mean},std={deviation}"]
    if args.outputs != "auto":
        command += ["--outputs", args.outputs]
    if args.roi:
        command.append("--roi")
    if args.engine != "native":
        command += ["--engine", args.engine]
    return shlex.join([*command, "-o", f"{network.name}.run"])


def _faults(args: argparse.Namespace, network: Network) -> dict[str, int]:
    """How many faults of each kind a campaign has; of a single image for those that fall on one."""
    from fat_fpga.cli.fault_arguments import folding_of
    from fat_fpga.faults import MODELS, fault_space

    pes = folding_of(args, network)
    kinds = [kind for kind in MODELS if pes is not None or not MODELS[kind].traits.needs_folding]
    return {kind: len(fault_space(network, kind, pes=pes, frames=1)) for kind in kinds}


def _accuracy(
    args: argparse.Namespace, network: Network, data: Dataset, engine: Engine, found: dict[str, Any], outputs: Outputs
) -> None:
    from fat_fpga.campaign.preparations import better_preparations, fault_free

    result = fault_free(network, data, engine)
    low, high = result.interval
    outputs.say(
        f"data: {data.name}, {len(data):,} {data.rows} of {'x'.join(map(str, data.images.shape[1:]))}, "
        f"{len(data.classes)} classes\n"
        f"accuracy without injected faults: {float(result.accuracy):.2f} % "
        f"({result.correct:,} of {len(data):,} images; "
        f"95 % confidence interval {low:.2f} to {high:.2f} %); chance: {float(result.chance):.2f} %"
        + (", near which it is" if result.near_chance else "")
    )
    found |= {
        "data": data.name,
        "images": len(data),
        "correct": result.correct,
        "accuracy": float(result.accuracy),
        "interval": [low, high],
        "chance": float(result.chance),
        "near_chance": result.near_chance,
    }
    better = better_preparations(network, data, engine, result)
    if network.input.pixels:
        better += _with_other_pixels(args, data, engine, result)
    for name, other in better:
        _note(
            found, outputs, f"the accuracy {name} is {float(other.accuracy):.2f} %: prepare the images as in training"
        )
    warning = result.warning()
    if warning is not None and not better:
        _note(found, outputs, warning)
    if args.expect_accuracy is not None:
        result.expect(args.expect_accuracy)


def _data(args: argparse.Namespace, network: Network, data: Dataset, found: dict[str, Any], outputs: Outputs) -> None:
    """Whether the data fit a network whose outputs are no classes, which has no accuracy."""
    from fat_fpga.engines.images import check_images
    from fat_fpga.errors import CampaignError

    if args.expect_accuracy is not None:
        raise CampaignError(f"{network.name} has outputs that are no classes, and so no accuracy to be expected")
    check_images(network, data.images, data.labels, data.name)
    found |= {"data": data.name, "images": len(data)}
    outputs.say(f"data: {data.name}, {len(data):,} {data.rows} of {'x'.join(map(str, data.images.shape[1:]))}")


def _with_other_pixels(
    args: argparse.Namespace, data: Dataset, engine: Engine, found: FaultFree
) -> list[tuple[str, FaultFree]]:
    """The values of --pixels with which the network knows the images better, each with its accuracy."""
    from fat_fpga.campaign.preparations import fault_free, surely_better
    from fat_fpga.cli.model import load_model
    from fat_fpga.errors import FatFpgaError

    if not Path(args.model).exists() or Path(args.model).suffix == ".npz" or args.engine == "file":
        return []
    better = []
    for pixels in ("raw", "unit"):
        try:
            network = load_model(argparse.Namespace(**{**vars(args), "pixels": pixels, "normalise": None}), faulty=True)
            other = fault_free(network, data, engine)
        except FatFpgaError:  # the file does not take them
            continue
        if surely_better(other, found):
            better.append((f"with --pixels {pixels}", other))
    return better


def _note(found: dict[str, Any], outputs: Outputs, text: str) -> None:
    found["notes"].append(text)
    outputs.say(f"note: {text}")


def _write(found: dict[str, Any], path: Path) -> None:
    import json

    from fat_fpga.files import replacing

    with replacing(path) as temporary:
        temporary.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
