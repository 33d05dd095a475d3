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
from fat_fpga.engines import get
from fat_fpga.errors import ModelError
from fat_fpga.fixed_point.formats import Formats, read_formats
from fat_fpga.fixed_point.quantise import quantise
from fat_fpga.fixed_point.sources import open_float_model
from fat_fpga.models import zoo
from fat_fpga.network import load_network
from fat_fpga.training.pack import bundled_name, card_of, evaluated, told
from fat_fpga.training.tool import run_tool


def pack(run: Path, test: Dataset, formats: Formats, name: str | None = None) -> dict[str, Any]:
    """Bundle the network of ``run`` in fixed point under ``name``, its integers evaluated on all of ``test``.

    Returns:
        Its card, which has the formats, and the correct images of the float network beside those of the integers.

    Raises:
        TrainingError: the run has no readable checkpoint, or was evaluated on other test data.
        ModelError: the network is none of floats, or does not take the formats.
        OSError: the files cannot be written.
    """
    _, content, floats = evaluated(run, test)
    name = name or bundled_name(content)
    quantised = quantise(open_float_model(str(run / "last.pt")), formats)
    network = load_network(quantised.model, name)
    integers = get("torch").open(network).run(test.images, test.labels, []).golden
    correct = int(np.sum(integers == test.labels))
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(quantised.model, file := Path(folder) / f"{name}.onnx")
        card = card_of(name, content, "last", test, correct, file)
        card |= {"formats": formats.to_dict(), "float_correct": floats}
        zoo.bundle(name, file, card)
    return card


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m fat_fpga.fixed_point.pack", description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of the training run")
    parser.add_argument("--data", required=True, help="the test data, such as mnist:DIR")
    parser.add_argument("--formats", required=True, help="table of formats, with those of all weights and activations")
    parser.add_argument("--name", help="of the bundled network; that of the model by default")
    options = parser.parse_args(arguments)

    def work() -> str:
        found = read_formats(options.formats)
        if not {"weights", "activations"} <= found.keys():
            raise ModelError(f"{options.formats}: expected a format of all weights and one of all activations")
        return told(pack(options.run, load(options.data, "test"), Formats(**found), options.name))

    return run_tool(work)


if __name__ == "__main__":
    sys.exit(main())
