"""MLflow and Weights & Biases, where they are installed and asked for: parameters and numbers of a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fat_fpga.errors import FatFpgaError
from fat_fpga.extras import installed

PROJECT = "fat_fpga"
Value = str | int | float | bool


class Tracker(ABC):
    """A run that is tracked. One that was stopped goes on: its identifier is kept in a file of ``folder``.

    Args:
        folder: of a training, in which ``mlflow.id`` or ``wandb.id`` is kept; None to begin anew.
        title: what to call the run.
        parameters: of it.
    """

    package: str
    """What has to be installed."""

    def __init__(self, folder: Path | None, title: str, parameters: Mapping[str, Value]) -> None:
        file = None if folder is None else folder / f"{self.package}.id"
        known = file.read_text(encoding="utf-8").strip() if file is not None and file.exists() else None
        identifier = self.start(known, folder, title, parameters)
        if file is not None and known is None:
            file.write_text(identifier + "\n", encoding="utf-8")

    @abstractmethod
    def start(self, known: str | None, folder: Path | None, title: str, parameters: Mapping[str, Value]) -> str:
        """Begin the run, or go on with the ``known`` one; its identifier."""

    @abstractmethod
    def log(self, numbers: Mapping[str, float], step: int | None = None) -> None:
        """Keep numbers; ``step`` is the epoch."""

    @abstractmethod
    def close(self) -> None:
        """End the run."""


class MLflow(Tracker):
    """A run of MLflow, where its own settings (``MLFLOW_TRACKING_URI``, ...) say."""

    package = "mlflow"

    def start(self, known: str | None, folder: Path | None, title: str, parameters: Mapping[str, Value]) -> str:
        import mlflow

        self._mlflow: Any = mlflow
        run = mlflow.start_run(run_id=known) if known else mlflow.start_run(run_name=title)
        if known is None:
            mlflow.log_params(dict(parameters))
        return str(run.info.run_id)

    def log(self, numbers: Mapping[str, float], step: int | None = None) -> None:
        self._mlflow.log_metrics(dict(numbers), step=step)

    def close(self) -> None:
        self._mlflow.end_run()


class WandB(Tracker):
    """A run of Weights & Biases, where its own settings (``WANDB_MODE``, ...) say."""

    package = "wandb"

    def start(self, known: str | None, folder: Path | None, title: str, parameters: Mapping[str, Value]) -> str:
        import wandb

        self._run: Any = wandb.init(
            project=PROJECT, name=title, id=known, resume="allow" if known else None, config=dict(parameters),
            dir=None if folder is None else str(folder),
        )  # fmt: skip
        return str(self._run.id)

    def log(self, numbers: Mapping[str, float], step: int | None = None) -> None:
        self._run.log(dict(numbers), step=step)

    def close(self) -> None:
        self._run.finish()


TRACKERS: Mapping[str, type[Tracker]] = {each.package: each for each in (MLflow, WandB)}
"""By name."""


def check_trackers(names: Sequence[str]) -> None:
    """FatFpgaError for a name that is unknown, or whose package is not installed."""
    for name in names:
        if name not in TRACKERS:
            raise FatFpgaError(f"unknown tracker '{name}': known are {', '.join(TRACKERS)}")
        if not installed(name):
            raise FatFpgaError(f"--track {name} needs the package {name}: pip install {name}")


def numbers_of(values: Mapping[str, Any]) -> dict[str, float]:
    """The numbers among some values."""
    return {name: float(value) for name, value in values.items() if isinstance(value, (int, float)) and name != "epoch"}
