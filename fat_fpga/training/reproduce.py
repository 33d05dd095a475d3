"""Train a bundled network again, by its model card.

python -m fat_fpga.training.reproduce cnv_w1a1_fat2 --data cifar10:DIR -o RUN
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fat_fpga.datasets import Dataset
from fat_fpga.errors import TrainingError
from fat_fpga.models import zoo
from fat_fpga.training.methods import make_method
from fat_fpga.training.parts import load_parts
from fat_fpga.training.recipe import Recipe
from fat_fpga.training.start import start_from
from fat_fpga.training.tool import run_tool
from fat_fpga.training.trainer import TrainingResult, train


def reproduce(
    name: str,
    dataset_train: Dataset,
    dataset_test: Dataset,
    out_dir: Path,
    device: str = "cpu",
    progress: bool = True,
    other_data: bool = False,
) -> TrainingResult:
    """Train with the method, recipe and seed of the bundled network ``name``, or go on where that was stopped.

    On the same kind of processor, with the same versions and number of threads, the weights come out the same; on
    another they come out alike.

    Raises:
        ModelError: no network of that name is bundled.
        TrainingError: other data than it was trained on, unless ``other_data`` allows them.
    """
    card = zoo.card(name)
    for dataset, key in ((dataset_train, "train_data_sha256"), (dataset_test, "test_data_sha256")):
        if dataset.fingerprint != card[key] and not other_data:
            raise TrainingError(
                f"{dataset.name}: its fingerprint is {dataset.fingerprint[:12]}, {name} was made with data of "
                f"fingerprint {card[key][:12]}; --other-data trains on these all the same"
            )
    method = make_method(card["method"], card.get("p"), card.get("error_model"), card.get("schedule"))
    recipe = Recipe(**card["recipe"])
    try:
        start = start_from(card["started_from"]) if card.get("start") else None
    except TrainingError as error:
        raise TrainingError(
            f"{name}: was trained from {card['started_from']}, which does not come with the package: {error}"
        ) from error
    if start is not None and start.fingerprint != card["start"]:
        raise TrainingError(
            f"{name}: was trained from {start.name} of fingerprint {card['start'][:12]}, that here has "
            f"{start.fingerprint[:12]}"
        )
    return train(
        card["model"], dataset_train, dataset_test, recipe, out_dir, device, (), method, progress=progress, start=start
    )


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m fat_fpga.training.reproduce", description=__doc__.splitlines()[0])
    parser.add_argument("name", help="of a bundled network: fat-fpga models lists them")
    parser.add_argument("--data", required=True, help="the data it was trained on, such as cifar10:DIR")
    parser.add_argument("-o", "--output", required=True, type=Path, help="folder of the training run")
    parser.add_argument("--other-data", action="store_true", help="train on data that are not those of the model card")
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    options = parser.parse_args(arguments)

    def work() -> str:
        card = zoo.card(options.name)
        parts = load_parts(options.data)
        found = reproduce(options.name, *parts, options.output, options.device, other_data=options.other_data)
        return f"{options.name}: {found.test_accuracy:.2%} of the test images, {card['test_accuracy']:.2%} on its card"

    return run_tool(work)


if __name__ == "__main__":
    sys.exit(main())
