"""The training loop: resumable, deterministic on a CPU, evaluated on the whole test set after each epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from fat_fpga.arguments import checked
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.models.builder import FamilyNetwork
from fat_fpga.models.inference import accuracy
from fat_fpga.training.callbacks import Callback
from fat_fpga.training.checkpoint import RunIdentity
from fat_fpga.training.erasure import Erasure
from fat_fpga.training.fault_aware import MethodCallback
from fat_fpga.training.methods import Method, Sat
from fat_fpga.training.recipe import Recipe
from fat_fpga.training.run import TrainingRun
from fat_fpga.training.start import Start


@dataclass(frozen=True)
class TrainingResult:
    """A finished training: the network after the last epoch, and one dictionary of metrics per epoch."""

    model: FamilyNetwork
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
    start: Start | None = None,
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
        start: a finished network to begin with, from `fat_fpga.training.start.start_from`; random weights by default.

    Raises:
        ModelError: unknown model.
        TrainingError: data that does not fit, a missing device, a folder that holds another training, a start that is
            another network.
    """
    run = training_run(model_name, dataset_train, dataset_test, recipe, out_dir, device, callbacks, method, start=start)
    if start is not None and not run.history and progress:
        before = accuracy(run.model, dataset_test.images, dataset_test.labels, str(run.device))
        tqdm.write(f"start from {start.name}: test {before:.2%}")
    try:
        _all_epochs(run, progress)
    finally:
        run.end()
    return TrainingResult(run.model, tuple(run.history))


def training_run(
    model_name: str,
    dataset_train: Dataset,
    dataset_test: Dataset,
    recipe: Recipe,
    out_dir: Path,
    device: str = "cpu",
    callbacks: Sequence[Callback] = (),
    method: Method | None = None,
    evaluate_every: int = 1,
    start: Start | None = None,
) -> TrainingRun:
    """The training that `train` goes through, not begun, or where it was stopped; arguments and errors as there.

    Args:
        evaluate_every: epochs from one evaluation to the next; after the last epoch there is one in any case.
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
        start=start.fingerprint if start else None,
    )
    erasure = (Erasure(recipe.erase),) if recipe.erase else ()
    callbacks = (MethodCallback(method, recipe.seed, recipe.epochs), *erasure, *callbacks)
    return TrainingRun(identity, dataset_train, dataset_test, Path(out_dir), device, callbacks, evaluate_every, start)


def _all_epochs(run: TrainingRun, progress: bool) -> None:
    epochs, steps = run.recipe.epochs, len(run.batches)
    with tqdm(
        total=epochs * steps,
        initial=len(run.history) * steps,
        unit="batch",
        disable=None if progress else True,
        dynamic_ncols=True,
    ) as bar:
        for index, metrics in enumerate(run.go_on()):
            bar.update()
            step = index % steps
            if step % 20 == 0 and metrics is None:
                bar.set_description(f"epoch {len(run.history) + 1}/{epochs}", refresh=False)
                bar.set_postfix(loss=f"{run.steps.loss:.4f}", rate=f"{run.rates[step]:.2g}", refresh=False)
            if metrics is not None and progress:
                tqdm.write(epoch_line(metrics, epochs))


def epoch_line(metrics: Mapping[str, Any], epochs: int) -> str:
    """The metrics of an epoch as a line of text."""
    return (
        f"epoch {metrics['epoch'] + 1:.0f}/{epochs}  rate {metrics['learning_rate']:.2g}  "
        f"loss {metrics['loss']:.4f}  train {metrics['train_accuracy']:.2%}  "
        f"test {metrics['test_accuracy']:.2%}  {metrics['seconds']:.0f} s"
        + (f"  errors {metrics['p']:.3g}% in {metrics['enabled']}" if "enabled" in metrics else "")
    )
