"""What a training run keeps on disk: written after every epoch, whole or not at all.

A run's folder holds ``last.pt`` and ``best.pt`` (checkpoints) and ``metrics.csv`` (one row per epoch). Everything
random in an epoch is drawn from the seed and the epoch's number, so no generator state is needed to go on.
"""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fat_fpga.errors import TrainingError
from fat_fpga.files import replacing
from fat_fpga.training.checkpoint_content import METRICS, check_content, check_optimiser, check_state
from fat_fpga.training.recipe import Recipe
from fat_fpga.training.steps import load_state


@dataclass(frozen=True)
class RunIdentity:
    """What must be equal for a run to be continued.

    The fields with defaults were added later; a checkpoint without one is read as if it held the default.
    """

    model: str
    classes: int
    recipe: Recipe
    train_data: str
    test_data: str
    method: str = "sat"
    p: float | None = None
    error_model: str | None = None
    schedule: str | None = None
    start: str | None = None
    """Fingerprint of the network that it began with; None for random weights."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, nested dictionaries for the recipe."""
        return asdict(self)


@dataclass
class Checkpoint:
    """The state after ``len(history)`` epochs.

    Attributes:
        identity: `RunIdentity.to_dict`.
        model: the model's ``state_dict``.
        optimiser: the optimiser's ``state_dict``.
        history: one dictionary per finished epoch: `METRICS`, and what the method adds.
        notes: versions, the commit of the code, and the like; not compared.
    """

    identity: dict[str, Any]
    model: dict[str, Any]
    optimiser: dict[str, Any]
    history: list[dict[str, Any]]
    notes: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path, best: bool) -> None:
        """Write ``last.pt``, then ``best.pt`` if this epoch is the best so far, then ``metrics.csv``."""
        content = io.BytesIO()  # torch tells a full disk by an error of its own
        torch.save(self.__dict__, content)
        for name in ("last.pt", "best.pt")[: 2 if best else 1]:
            with replacing(folder / name) as temporary:
                temporary.write_bytes(content.getbuffer())
        with replacing(folder / "metrics.csv") as temporary, temporary.open("w", newline="") as file:
            added = [key for epoch in self.history for key in epoch if key not in METRICS]
            rows = csv.DictWriter(file, [*METRICS, *dict.fromkeys(added)])
            rows.writeheader()
            rows.writerows(self.history)

    def load_into(self, model: nn.Module, optimiser: torch.optim.Optimizer | None, path: Path) -> None:
        """Put the stored state into a model, and into its optimiser if there is one.

        Raises:
            TrainingError: it is the state of another model; the message names the first thing that differs.
        """
        check_state(self.model, model.state_dict(), f"{path}: model")
        model.load_state_dict(self.model)
        if optimiser is not None:
            check_optimiser(self.optimiser, optimiser, f"{path}: optimiser")
            load_state(optimiser, self.optimiser)

    def check_identity(self, wanted: RunIdentity, folder: Path) -> None:
        """Refuse to continue another training.

        Raises:
            TrainingError: it names the first thing that differs.
        """
        here, there = _flat(wanted.to_dict()), _LATER | _flat(self.identity)
        for key in {**here, **there}:
            if here.get(key) != there.get(key):
                raise TrainingError(
                    f"{folder}: holds another training, with {key} = {there.get(key)!r} instead of "
                    f"{here.get(key)!r}; choose another folder or the same settings"
                )


_LATER = {f"recipe.{name}": getattr(Recipe(), name) for name in ("rate_shape", "warm_up", "loss", "erase", "optimiser")}
"""Settings that a checkpoint written before they existed does not name, and what they were then."""


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; only tensors and plain values are admitted from the file.

    Raises:
        TrainingError: the file is missing, damaged, or no checkpoint of a training.
    """
    if not path.is_file():
        raise TrainingError(f"{path}: no such checkpoint; train a model first")
    try:
        _check_archive(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's words on archives of TorchScript
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can raise nearly anything
        reason = (str(error) or type(error).__name__).splitlines()[0]
        if "Weights only load failed" in reason or "weights_only" in reason:
            reason = "it is damaged, or holds Python objects, which are never loaded"
        raise TrainingError(f"{path}: not a readable checkpoint ({reason})") from error
    check_content(content, path)
    return Checkpoint(**content)


def _check_archive(path: Path) -> None:
    """ValueError unless it is a zip archive as torch.save writes them, with no more in it than the file has bytes.

    What torch.save wrote before version 1.6 is no archive: a number in a damaged one says how much memory to take.
    """
    if not zipfile.is_zipfile(path):
        raise ValueError("it is damaged, or no archive of torch.save, version 1.6 or later")
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("it holds compressed parts, which torch.save does not write")
    if sum(member.file_size for member in members) > path.stat().st_size:
        raise ValueError("it is damaged: it promises more than it has bytes")


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat
