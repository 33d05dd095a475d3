"""The training loop: resumable, deterministic on a CPU, evaluated on the whole test set after each epoch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import torch
from tqdm import tqdm

from fat_fpga import models
from fat_fpga.arguments import checked
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.errors import TrainingError
from fat_fpga.files import make_folder
from fat_fpga.models.builder import QuantisedNetwork
from fat_fpga.models.inference import accuracy
from fat_fpga.training.augment import Batches, epoch_generator
from fat_fpga.training.callbacks import Callback
from fat_fpga.training.checkpoint import Checkpoint, RunIdentity, read_checkpoint
from fat_fpga.training.fault_aware import MethodCallback
from fat_fpga.training.methods import Method, Sat
from fat_fpga.training.norms import estimate_norms
from fat_fpga.training.notes import run_notes
from fat_fpga.training.recipe import Recipe
from fat_fpga.training.step import train_step


@dataclass(frozen=True)
class TrainingResult:
    """A finished training: the network after the last epoch, and one dictionary of metrics per epoch."""

    model: QuantisedNetwork
    history: tuple[dict[str, Any], ...]

    @property
    def test_accuracy(self) -> float:
        """Fraction of the test set that the network classifies correctly after the last epoch."""
        return float(self.history[-1]["test_accuracy"])


@checked
def train(
    model_name: str,
    dataset_train: Dataset,
    dataset_test: Dataset,
    recipe: Recipe,
    out_dir: Path,
    device: str = "cpu",
    callbacks: Sequence[Callback] = (),
    method: Method | None = None,
    progress: bool = True,
) -> TrainingResult:
    """Train a network of the family, or go on where ``out_dir`` shows that the same training stopped.

    A training that was interrupted, in whatever way, and started again ends with the same weights, to the last bit,
    as one that was not (on a CPU, with the same number of threads).

    Args:
        model_name: a name from `fat_fpga.models.names`.
        dataset_train: images of the shape that the network takes.
        dataset_test: evaluated after each epoch; never used to choose anything but ``best.pt``.
        recipe: the numbers of the training.
        out_dir: folder of the run; made if missing.
        device: a torch device, such as ``"cpu"`` or ``"cuda"``.
        callbacks: take part in the training; see `Callback`.
        method: how errors are injected; standard training (SAT) by default.
        progress: show a progress bar (on a terminal) and one line per epoch.

    Raises:
        ModelError: unknown model.
        TrainingError: data that does not fit, a missing device, a folder that holds another training.
    """
    method = method or Sat()
    identity = RunIdentity(
        model=model_name,
        classes=len(dataset_train.classes),
        recipe=recipe,
        train_data=dataset_train.fingerprint,
        test_data=dataset_test.fingerprint,
        method=method.name,
        p=method.p,
        error_model=method.error_model,
        schedule=method.schedule,
    )
    callbacks = (MethodCallback(method, recipe.seed, recipe.epochs), *callbacks)
    run = _Run(identity, dataset_train, dataset_test, Path(out_dir), device, callbacks)
    try:
        _all_epochs(run, progress)
    finally:
        for callback in callbacks:
            callback.on_train_end(run.model)
    return TrainingResult(run.model, tuple(run.history))


def _all_epochs(run: _Run, progress: bool) -> None:
    recipe = run.recipe
    with tqdm(
        total=recipe.epochs * len(run.batches),
        initial=len(run.history) * len(run.batches),
        unit="batch",
        disable=None if progress else True,
        dynamic_ncols=True,
    ) as bar:
        while len(run.history) < recipe.epochs:
            metrics = run.epoch(bar)
            if progress:
                tqdm.write(
                    f"epoch {metrics['epoch'] + 1:.0f}/{recipe.epochs}  rate {metrics['learning_rate']:.2g}  "
                    f"loss {metrics['loss']:.4f}  train {metrics['train_accuracy']:.2%}  "
                    f"test {metrics['test_accuracy']:.2%}  {metrics['seconds']:.0f} s"
                    + (f"  errors {metrics['p']:.3g}% in {metrics['enabled']}" if "enabled" in metrics else "")
                )


class _Run:
    """A training in progress."""

    def __init__(
        self,
        identity: RunIdentity,
        dataset_train: Dataset,
        dataset_test: Dataset,
        folder: Path,
        device: str,
        callbacks: Sequence[Callback],
    ) -> None:
        self.identity, self.recipe, self.folder = identity, identity.recipe, folder
        self.device, self.callbacks, self.test = _device(device), callbacks, dataset_test
        expected = models.spec(identity.model, identity.classes).topology.input_shape
        for dataset in (dataset_train, dataset_test):
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
        for callback in callbacks:
            callback.on_train_start(self.model)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=self.recipe.learning_rate, fused=True)
        images, labels = (
            torch.tensor(part, device=self.device) for part in (dataset_train.images, dataset_train.labels)
        )
        self.batches = Batches(images, labels, self.recipe)
        self.history: list[dict[str, Any]] = []
        self.notes = run_notes()
        if (folder / "last.pt").exists():
            checkpoint = read_checkpoint(folder / "last.pt")
            checkpoint.check_identity(identity, folder)
            checkpoint.load_into(self.model, self.optimiser, folder / "last.pt")
            self.history = checkpoint.history

    def epoch(self, bar: tqdm[NoReturn]) -> dict[str, Any]:
        """Train one epoch, evaluate, write the checkpoint, and return the metrics."""
        epoch, started = len(self.history), time.monotonic()
        seed = self.recipe.seed
        torch.manual_seed(epoch_generator(seed, epoch, purpose=1).initial_seed())
        for callback in self.callbacks:
            callback.on_epoch_start(self.model, epoch)
        self.model.train()
        loss_sum = torch.zeros((), device=self.device)
        correct, seen = torch.zeros((), dtype=torch.int64, device=self.device), 0
        for index, (images, labels) in enumerate(self.batches.epoch(epoch_generator(seed, epoch))):
            rate = self._set_rate(epoch * len(self.batches) + index)
            loss, scores = train_step(self.model, self.optimiser, images, labels, self.recipe.precision)
            loss_sum += loss
            correct += (scores.argmax(dim=1) == labels).sum()
            seen += len(labels)
            bar.update()
            if index % 20 == 0:
                bar.set_description(f"epoch {epoch + 1}/{self.recipe.epochs}", refresh=False)
                bar.set_postfix(loss=f"{loss:.4f}", rate=f"{rate:.2g}", refresh=False)
        self._estimate_norms(epoch)
        test_accuracy = accuracy(self.model, self.test.images, self.test.labels, str(self.device))
        metrics: dict[str, Any] = {
            "epoch": epoch,
            "learning_rate": rate,
            "loss": float(loss_sum) / len(self.batches),
            "train_accuracy": float(correct) / seen,
            "test_accuracy": test_accuracy,
            "seconds": round(time.monotonic() - started, 3),
        }
        for callback in self.callbacks:
            metrics |= callback.metrics()
        for callback in self.callbacks:
            callback.on_epoch_end(self.model, epoch, metrics)
        best = all(test_accuracy > earlier["test_accuracy"] for earlier in self.history)
        self.history.append(metrics)
        Checkpoint(
            self.identity.to_dict(), self.model.state_dict(), self.optimiser.state_dict(), self.history, self.notes
        ).write(self.folder, best)
        return metrics

    def _set_rate(self, step: int) -> float:
        rate = self.recipe.rate(step, self.recipe.epochs * len(self.batches))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        return rate

    def _estimate_norms(self, epoch: int) -> None:
        count = min(len(self.batches), -(-self.recipe.norm_images // self.recipe.batch_size))
        if count:
            epoch_batches = self.batches.epoch(epoch_generator(self.recipe.seed, epoch, purpose=2))
            estimate_norms(self.model, (images for _, (images, _) in zip(range(count), epoch_batches, strict=False)))


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise TrainingError(f"device {name!r} cannot be used here ({reason}); use cpu") from error
    return device
