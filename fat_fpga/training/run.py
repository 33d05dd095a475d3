"""One training in progress."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from fat_fpga import models
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.errors import TrainingError
from fat_fpga.files import make_folder
from fat_fpga.models.inference import accuracy
from fat_fpga.training.augment import Batches, epoch_generator
from fat_fpga.training.callbacks import Callback
from fat_fpga.training.checkpoint import Checkpoint, RunIdentity, read_checkpoint
from fat_fpga.training.norms import estimate_norms
from fat_fpga.training.notes import run_notes
from fat_fpga.training.start import Start
from fat_fpga.training.steps import portable_state, steps_for

START_IMAGES = 500
"""Training images for the statistics of the norms of a network that a training starts from."""


class TrainingRun:
    """A training in progress: a model, its optimiser, its data, its folder; `go_on` trains the epochs that are left."""

    def __init__(
        self,
        identity: RunIdentity,
        dataset_train: Dataset,
        dataset_test: Dataset,
        folder: Path,
        device: str,
        callbacks: Sequence[Callback],
        evaluate_every: int = 1,
        start: Start | None = None,
    ) -> None:
        self.identity, self.recipe, self.folder = identity, identity.recipe, folder
        self.device, self.callbacks, self.test = _device(device), callbacks, dataset_test
        self.evaluate_every = evaluate_every
        expected = models.spec(identity.model, identity.classes).topology.input_shape
        for dataset in (dataset_train, dataset_test):
            dataset.need_images("training")
            dataset.need_labels("training")
            if dataset.images.shape[1:] != expected:
                shape = list(dataset.images.shape[1:])
                raise TrainingError(f"{dataset.name}: images are {shape}, {identity.model} takes {list(expected)}")
        if dataset_test.classes != dataset_train.classes:
            raise TrainingError(f"{dataset_test.name}: its classes are not those of {dataset_train.name}")
        if len(dataset_train) < 2:
            raise TrainingError(
                f"{dataset_train.name}: has {len(dataset_train)} image; batch norms need at least 2 images to train on"
            )
        try:
            make_folder(folder)
        except OSError as error:
            raise TrainingError(f"{folder}: {error.strerror}") from error
        torch.manual_seed(self.recipe.seed)
        self.model = models.build(identity.model, identity.classes).to(self.device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        images, labels = (
            torch.tensor(part, device=self.device) for part in (dataset_train.images, dataset_train.labels)
        )
        begun = (folder / "last.pt").exists()
        if start is not None and not begun:
            start.put_into(self.model, images[:START_IMAGES].float() / 255)
        for callback in callbacks:
            callback.on_train_start(self.model)
        self.batches = Batches(images, labels, self.recipe)
        self.steps = steps_for(self.model, self.batches, self.recipe, self.device)
        self.history: list[dict[str, Any]] = []
        self.notes = run_notes() | {"device": device_name(self.device)}
        if start is not None:
            self.notes["started_from"] = start.name
        if begun:
            checkpoint = read_checkpoint(folder / "last.pt")
            checkpoint.check_identity(identity, folder)
            with self.steps.at_work():
                checkpoint.load_into(self.model, self.steps.optimiser, folder / "last.pt")
            self.history = checkpoint.history

    def go_on(self) -> Iterator[dict[str, Any] | None]:
        """Train the epochs that are left. Yield after each step: the metrics where it ended an epoch, else nothing."""
        while len(self.history) < self.recipe.epochs:
            started = time.monotonic()
            self._start_epoch()
            for index in range(len(self.batches)):
                self.steps.step()
                if index + 1 < len(self.batches):
                    yield None
            with self.steps.at_work():
                metrics = self._end_epoch(started)
            yield metrics

    def end(self) -> None:
        """Take out what the callbacks put into the model."""
        for callback in self.callbacks:
            callback.on_train_end(self.model)

    def _start_epoch(self) -> None:
        epoch, seed = len(self.history), self.recipe.seed
        torch.manual_seed(epoch_generator(seed, epoch, purpose=1).initial_seed())
        for callback in self.callbacks:
            callback.on_epoch_start(self.model, epoch)
        self.model.train()
        every = self.recipe.epochs * len(self.batches)
        rates = [self.recipe.rate(epoch * len(self.batches) + index, every) for index in range(len(self.batches))]
        self.rates = rates
        form = tuple(callback.form() for callback in self.callbacks)
        self.steps.start(self.batches.draws(epoch_generator(seed, epoch)), rates, form)

    def _end_epoch(self, started: float) -> dict[str, Any]:
        """Evaluate, write the checkpoint, and return the metrics."""
        epoch = len(self.history)
        loss = float(self.steps.loss_sum) / len(self.batches)
        last = epoch + 1 == self.recipe.epochs
        test_accuracy = math.nan
        if last or (epoch + 1) % self.evaluate_every == 0:
            self._estimate_norms(epoch)
            test_accuracy = accuracy(self.model, self.test.images, self.test.labels, str(self.device))
        metrics: dict[str, Any] = {
            "epoch": epoch,
            "learning_rate": self.rates[-1],
            "loss": loss,
            "train_accuracy": float(self.steps.correct) / self.batches.images_in_epoch,
            "test_accuracy": test_accuracy,
            "seconds": round(time.monotonic() - started, 3),
        }
        for callback in self.callbacks:
            metrics |= callback.metrics()
        for callback in self.callbacks:
            callback.on_epoch_end(self.model, epoch, metrics)
        best = not math.isnan(test_accuracy)
        best = best and not any(earlier["test_accuracy"] >= test_accuracy for earlier in self.history)
        self.history.append(metrics)
        if not math.isnan(test_accuracy):
            self._write(best)
        return metrics

    def _write(self, best: bool) -> None:
        optimiser = portable_state(self.steps.optimiser)
        Checkpoint(self.identity.to_dict(), self.model.state_dict(), optimiser, self.history, self.notes).write(
            self.folder, best
        )

    def _estimate_norms(self, epoch: int) -> None:
        count = min(len(self.batches), -(-self.recipe.norm_images // self.recipe.batch_size))
        if count:
            epoch_batches = self.batches.epoch(epoch_generator(self.recipe.seed, epoch, purpose=2))
            estimate_norms(self.model, (images for _, (images, _) in zip(range(count), epoch_batches, strict=False)))


def device_name(device: torch.device) -> str:
    """What a model card says of the device: ``"cpu"``, or the name of the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise TrainingError(f"device {name!r} cannot be used here ({reason}); use cpu") from error
    return device
