"""A folder with a model, data and a finished run, and a way to call the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.cli import main
from fat_fpga.network import write_qonnx
from tests.campaign.tiny import tiny_data, tiny_network

CLASSES = np.array(["a", "b", "c", "d"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: ``tiny.onnx``, ``other.onnx``, ``tiny.npz`` (30 images)."""
    write_qonnx(tiny_network(), tmp_path / "tiny.onnx")
    write_qonnx(tiny_network(1), tmp_path / "other.onnx")
    data = tiny_data()
    np.savez(tmp_path / "tiny.npz", images=data.images, labels=data.labels, classes=CLASSES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


Refused = Callable[..., str]


@pytest.fixture
def refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Call the command line; it must leave with code 2, one line on stderr, nothing on stdout, no file touched."""

    def call(*arguments: str) -> str:
        capsys.readouterr()
        before = _content(folder)
        try:
            code = main(arguments)
        except SystemExit as left:
            code = left.code  # type: ignore[assignment]
        output = capsys.readouterr()
        assert code == 2, output
        assert output.out == ""
        assert output.err.startswith("fat-fpga: ")
        assert output.err.count("\n") == 1
        assert output.err.endswith("\n")
        assert _content(folder) == before
        return output.err

    return call


def _content(folder: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}
