"""TensorBoard, where it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from torch import nn

from fat_fpga.training.callbacks import Callback


class TensorBoard(Callback):
    """Writes the numbers among an epoch's metrics as scalars, by epoch; a training that goes on overwrites no line."""

    def __init__(self, folder: Path) -> None:
        """Log into ``folder``; nothing is made before the first epoch is done."""
        self._folder = folder
        self._writer: Any = None

    def on_epoch_end(self, model: nn.Module, epoch: int, metrics: Mapping[str, Any]) -> None:
        """Write one line per metric."""
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._folder), purge_step=epoch)
        for name, value in metrics.items():
            if name != "epoch" and isinstance(value, (int, float)):
                self._writer.add_scalar(name, value, epoch)
        self._writer.flush()

    def on_train_end(self, model: nn.Module) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()


def tensorboard(folder: Path) -> list[Callback]:
    """The callback that logs into ``folder / "tensorboard"``; none if TensorBoard is not installed."""
    return [TensorBoard(folder / "tensorboard")] if find_spec("tensorboard") else []
