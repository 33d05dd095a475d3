"""Trainings of several networks at once: those of the FAT paper's Tables II to IV, and a search for a recipe."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from fat_fpga.datasets import Dataset, load
from fat_fpga.models import spec
from fat_fpga.training.methods import make_method
from fat_fpga.training.recipe import Recipe, settings_of_recipe
from fat_fpga.training.run import TrainingRun
from fat_fpga.training.together import train_together
from fat_fpga.training.trainer import epoch_line, training_run


@dataclass(frozen=True)
class Job:
    """A training: its folder is ``name``."""

    name: str
    model: str
    method: str
    p: float | None
    error_model: str | None
    recipe: Recipe


def read_jobs(path: Path, epochs: int | None) -> list[list[Job]]:
    """The groups of trainings in a file.

    Each line is ``MODEL METHOD[:P[:ERROR_MODEL]] NAME=VALUE ...`` with settings of the recipe. An empty line ends a
    group, whose trainings run at the same time.
    """
    groups: list[list[Job]] = [[]]
    for line in path.read_text().splitlines():
        words = line.partition("#")[0].split()
        if not words:
            if groups[-1] and not line.strip().startswith("#"):
                groups.append([])
            continue
        model, method, *settings = words
        name, p, error_model = (*method.split(":"), None, None)[:3]
        values = dict(setting.split("=") for setting in settings)
        network = spec(model)
        known = Recipe(**settings_of_recipe("float" if network.is_float else "fast", network.weight_bits))
        kinds = {key: type(getattr(known, key)) for key in values}
        recipe = replace(known, **{key: kinds[key](value) for key, value in values.items()})
        recipe = replace(recipe, epochs=epochs) if epochs and "epochs" not in values else recipe
        label = "_".join([model, *method.split(":"), *(f"{key}{value}" for key, value in values.items())])
        groups[-1].append(Job(label, model, name or "sat", float(p) if p else None, error_model, recipe))
    return [group for group in groups if group]


def add(commands: Any) -> None:
    command = commands.add_parser("train")
    command.add_argument("jobs", type=Path, help="file of trainings; see read_jobs")
    command.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    command.add_argument("--data", required=True, help="such as cifar10:DIR")
    command.add_argument("--images", type=int, help="use the first so many training images")
    command.add_argument("--validation", type=int, default=0, help="so many of them judge instead of the test images")
    command.add_argument("--epochs", type=int, help="of trainings that do not say")
    command.add_argument("--evaluate-every", type=int, default=10)
    command.add_argument("--seconds", type=float, default=1e9, help="a group that does not fit gets fewer epochs")
    command.add_argument("-o", "--output", type=Path, required=True, help="folder of the trainings")


def run(options: argparse.Namespace) -> int:
    torch.backends.cudnn.allow_tf32 = False
    torch.set_num_threads(2)
    train, test = data(options)
    end = time.monotonic() + options.seconds
    cost = 0.0
    for number, group in enumerate(read_jobs(options.jobs, options.epochs)):
        left = end - time.monotonic()
        epochs = max(job.recipe.epochs for job in group)
        share = min(1.0, left * 0.93 / (cost * len(group) * epochs)) if cost else 1.0
        if share < 1 and share * epochs < 5:
            print(f"group {number}: {left:.0f} s are left, too few for {len(group)} trainings", flush=True)
            continue
        if share < 1:
            group = [replace(job, recipe=replace(job.recipe, epochs=int(job.recipe.epochs * share))) for job in group]
        started = time.monotonic()
        together(group, train, test, options)
        seconds = time.monotonic() - started
        done = sum(job.recipe.epochs for job in group)
        cost = seconds / done
        print(
            f"group {number}: {len(group)} trainings, {done} epochs in {seconds:.1f} s: {cost:.3f} s an epoch",
            flush=True,
        )
    return 0


def data(options: argparse.Namespace) -> tuple[Dataset, Dataset]:
    train = load(options.data, "train", options.images)
    if not options.validation:
        return train, load(options.data, "test")
    count = len(train) - options.validation
    parts = ((slice(0, count), "fit"), (slice(count, None), "val"))
    first, second = (
        Dataset(f"{train.name}@{name}", train.images[part], train.labels[part], train.classes) for part, name in parts
    )
    return first, second


def together(group: Sequence[Job], train: Dataset, test: Dataset, options: argparse.Namespace) -> None:
    """Train a group and print a line for each."""
    runs = [
        training_run(
            job.model,
            train,
            test,
            job.recipe,
            options.output / job.name,
            options.device,
            method=make_method(job.method, job.p, job.error_model),
            evaluate_every=options.evaluate_every,
        )
        for job in group
    ]
    names = {id(run): job.name for run, job in zip(runs, group, strict=True)}

    def report(run: TrainingRun, metrics: dict[str, Any]) -> None:
        epoch = metrics["epoch"] + 1
        if epoch == run.recipe.epochs or (run is runs[0] and epoch % options.evaluate_every == 0):
            print(f"{names[id(run)]}: {epoch_line(metrics, run.recipe.epochs)}", flush=True)

    train_together(runs, report)
