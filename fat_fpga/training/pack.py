"""Turn a finished training into a bundled network: evaluate, export, compress, write the model card.

python -m fat_fpga.training.pack RUN --data cifar10:DIR [--name cnv_w1a1] [--checkpoint last]
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fat_fpga import models
from fat_fpga.datasets import Dataset, load
from fat_fpga.errors import TrainingError
from fat_fpga.models import zoo
from fat_fpga.models.builder import FamilyNetwork
from fat_fpga.models.export import export_qonnx
from fat_fpga.models.inference import scores
from fat_fpga.training.checkpoint import Checkpoint, read_checkpoint
from fat_fpga.training.tool import run_tool


def load_trained(run: Path, checkpoint: str = "last") -> tuple[FamilyNetwork, Checkpoint]:
    """The network of a training run, in evaluation mode, after its ``last`` or its ``best`` epoch.

    Raises:
        TrainingError: the run has no such checkpoint, or one of another form.
    """
    path = run / f"{checkpoint}.pt"
    content = read_checkpoint(path)
    model = models.build(content.identity["model"], content.identity["classes"])
    content.load_into(model, None, path)
    return model.eval(), content


def evaluated(run: Path, test: Dataset, checkpoint: str = "last") -> tuple[FamilyNetwork, Checkpoint, int]:
    """The network of a training run as of `load_trained`, and how many of ``test`` it classifies correctly in float32.

    Raises:
        TrainingError: the run has no readable checkpoint, or was evaluated on other test data.
    """
    model, content = load_trained(run, checkpoint)
    if content.identity["test_data"] != test.fingerprint:
        raise TrainingError(f"{test.name}: not the test data that {run} was evaluated on")
    return model, content, int(np.sum(scores(model, test.images).argmax(dim=1).numpy() == test.labels))


def bundled_name(content: Checkpoint) -> str:
    """The name of a bundled network where none is given: that of its model."""
    return str(content.identity["model"]).replace("-", "_")


def told(card: dict[str, Any]) -> str:
    """A line about a network that was bundled."""
    return f"{card['name']}: {card['test_correct']} of {card['test_images']} test images correct"


def pack(run: Path, test: Dataset, name: str | None = None, checkpoint: str = "last") -> dict[str, Any]:
    """Bundle the network of ``run`` under ``name``, evaluated in float32 on all of ``test``; return its card.

    Raises:
        TrainingError: the run has no readable checkpoint, or was evaluated on other test data.
        OSError: the files cannot be written.
    """
    model, content, correct = evaluated(run, test, checkpoint)
    name = name or bundled_name(content)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.onnx"
        export_qonnx(model, file, (1, *model.spec.topology.input_shape))
        card = card_of(name, content, checkpoint, test, correct, file)
        zoo.bundle(name, file, card)
    return card


def card_of(name: str, content: Checkpoint, checkpoint: str, test: Dataset, correct: int, file: Path) -> dict[str, Any]:
    """The model card of a network: by which training it was made, and what it reaches."""
    identity = content.identity
    return {
        "name": name,
        "model": identity["model"],
        "method": identity["method"],
        "p": identity.get("p"),
        "error_model": identity.get("error_model"),
        "schedule": identity.get("schedule"),
        "start": identity.get("start"),
        "data": test.name.split(":")[0],
        "train_data_sha256": identity["train_data"],
        "test_data_sha256": identity["test_data"],
        "epochs": len(content.history),
        "seed": identity["recipe"]["seed"],
        "recipe": identity["recipe"],
        "checkpoint": f"{checkpoint} epoch",
        "test_images": len(test),
        "test_correct": correct,
        "test_accuracy": correct / len(test),
        "training_seconds": round(sum(epoch["seconds"] for epoch in content.history)),
        **_public(content.notes),
        "onnx_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }


def _public(notes: Mapping[str, Any]) -> dict[str, Any]:
    """Notes of a training without the folders of the machine: of a start that was a file, its folder and its name."""
    start = notes.get("started_from")
    return dict(notes) if start is None else {**notes, "started_from": "/".join(Path(start).parts[-2:])}


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m fat_fpga.training.pack", description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of the training run")
    parser.add_argument("--data", required=True, help="the test data, such as cifar10:DIR")
    parser.add_argument("--name", help="of the bundled network; that of the model by default")
    parser.add_argument("--checkpoint", choices=("last", "best"), default="last")
    options = parser.parse_args(arguments)
    return run_tool(lambda: told(pack(options.run, load(options.data, "test"), options.name, options.checkpoint)))


if __name__ == "__main__":
    sys.exit(main())
