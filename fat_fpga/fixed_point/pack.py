"""Turn a finished training of a float network into a bundled network in fixed point.

python -m fat_fpga.fixed_point.pack RUN --data mnist:DIR --formats FILE [--name lenet_fc]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from fat_fpga.datasets import Dataset, load
from fat_fpga.errors import FatFpgaError, ModelError, TrainingError
from fat_fpga.fixed_point.formats import Formats, read_formats
from fat_fpga.fixed_point.quantise import quantise
from fat_fpga.fixed_point.sources import open_float_model
from fat_fpga.models import zoo
from fat_fpga.models.inference import scores
from fat_fpga.network import load_network
from fat_fpga.network.network import Network
from fat_fpga.training.pack import card_of, load_trained

BATCH = 500


def pack(run: Path, test: Dataset, formats: Formats, name: str | None = None) -> dict[str, Any]:
    """Bundle the network of ``run`` in fixed point under ``name``, its integers evaluated on all of ``test``.

    Returns:
        Its card, which has the formats, and the correct images of the float network beside those of the integers.

    Raises:
        TrainingError: the run has no readable checkpoint, or was evaluated on other test data.
        ModelError: the network is none of floats, or does not take the formats.
        OSError: the files cannot be written.
    """
    model, content = load_trained(run, "last")
    if content.identity["test_data"] != test.fingerprint:
        raise TrainingError(f"{test.name}: not the test data that {run} was evaluated on")
    name = name or content.identity["model"].replace("-", "_")
    quantised = quantise(open_float_model(str(run / "last.pt")), formats)
    floats = int(np.sum(scores(model, test.images).argmax(dim=1).numpy() == test.labels))
    correct = _correct(load_network(quantised.model, name), test)
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(quantised.model, file := Path(folder) / f"{name}.onnx")
        card = card_of(name, content, "last", test, correct, file)
        card |= {"formats": formats.to_dict(), "float_correct": floats}
        zoo.bundle(name, file, card)
    return card


def _correct(network: Network, test: Dataset) -> int:
    """How many images the integers classify correctly, by the reference."""
    from fat_fpga.engines.reference import execute

    found = 0
    for start in range(0, len(test), BATCH):
        part = execute(network, test.images[start : start + BATCH])[network.scores]
        found += int(np.sum(part.reshape(len(part), -1).argmax(axis=1) == test.labels[start : start + BATCH]))
    return found


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m fat_fpga.fixed_point.pack", description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of the training run")
    parser.add_argument("--data", required=True, help="the test data, such as mnist:DIR")
    parser.add_argument("--formats", required=True, help="table of formats, with those of all weights and activations")
    parser.add_argument("--name", help="of the bundled network; that of the model by default")
    options = parser.parse_args(arguments)
    try:
        found = read_formats(options.formats)
        if not {"weights", "activations"} <= found.keys():
            raise ModelError(f"{options.formats}: expected a format of all weights and one of all activations")
        card = pack(options.run, load(options.data, "test"), Formats(**found), options.name)
    except (FatFpgaError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{card['name']}: {card['test_correct']} of {card['test_images']} test images correct")
    return 0


if __name__ == "__main__":
    sys.exit(main())
