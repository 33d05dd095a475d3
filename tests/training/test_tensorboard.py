"""What goes to TensorBoard, with a stand-in for its writer."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fat_fpga.training import train
from fat_fpga.training.methods import make_method
from fat_fpga.training.tensorboard import TensorBoard, tensorboard
from tests.training.small import digits, recipe


class Writer:
    """Keeps what is written."""

    made: list[Writer] = []  # noqa: RUF012

    def __init__(self, folder: str, purge_step: int) -> None:
        self.folder, self.purge_step, self.closed = folder, purge_step, False
        self.lines: list[tuple[str, Any, int]] = []
        self.made.append(self)

    def add_scalar(self, name: str, value: Any, epoch: int) -> None:
        self.lines.append((name, value, epoch))

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def test_scalars_by_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = ModuleType("torch.utils.tensorboard")
    stand_in.SummaryWriter = Writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", stand_in)
    monkeypatch.setattr(Writer, "made", [])
    data, method = digits(100), make_method("fat1", 10)
    folder = tmp_path / "run"
    logs = [TensorBoard(folder / "tensorboard")]
    result = train("tfc-w1a1", data, data, recipe(epochs=2), folder, callbacks=logs, method=method, progress=False)
    (writer,) = Writer.made
    assert (writer.folder, writer.purge_step, writer.closed) == (str(folder / "tensorboard"), 0, True)
    names = ["learning_rate", "loss", "train_accuracy", "test_accuracy", "seconds", "p"]
    assert writer.lines == [(name, result.history[epoch][name], epoch) for epoch in (0, 1) for name in names]


def test_only_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for spec, count in ((None, 0), (object(), 1)):
        monkeypatch.setattr("fat_fpga.training.tensorboard.find_spec", lambda name, spec=spec: spec)
        assert len(tensorboard(tmp_path)) == count
