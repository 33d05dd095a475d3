"""``fat-fpga clip`` as users call it, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from fat_fpga.cli import main
from fat_fpga.modules import load_module
from tests.hardening.ranges.small import ROW, blobs

NET = "module:tests.hardening.ranges.small:network"
SEARCH = ["--rates", "1e-3,4e-3", "--samples", "2", "--iterations", "2", "--least", "1", "-q"]


@pytest.fixture
def data(tmp_path: Path) -> str:
    found = blobs(64, 3)
    np.savez(tmp_path / "blobs.npz", images=found.images, labels=found.labels, classes=np.array(found.classes))
    return f"npz:{tmp_path / 'blobs.npz'}@test"


def test_a_clipped_network_is_what_other_commands_take(
    tmp_path: Path, data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, onnx, csv = tmp_path / "clipped.pt", tmp_path / "clipped.onnx", tmp_path / "trials.csv"
    histograms = tmp_path / "histograms.csv"
    command = ["clip", NET, "--data", data, *SEARCH, "--onnx", str(onnx), "--csv", str(csv), "-o", str(path)]
    assert main([*command, "--histograms", str(histograms)]) == 0
    first = path.read_bytes()
    assert main(command) == 0  # from the record
    assert path.read_bytes() == first
    assert csv.read_text().startswith("activation,threshold,area,best\nact0,0.0,")
    assert "act2,0.004," in histograms.read_text()
    model = load_module(NET, path)
    images = torch.rand(1, *ROW)
    session = onnxruntime.InferenceSession(str(onnx))
    (scores,) = session.run(None, {session.get_inputs()[0].name: images.numpy()})
    assert np.allclose(scores, model(images).detach().numpy(), atol=1e-5)
    run = str(tmp_path / "clipped.run")
    sweep = ["sweep", NET, "--data", data, "--rates", "1e-3", "--samples", "2", "-o", run]
    assert main([*sweep, "--weights-file", str(path)]) == 0
    assert "linear area" in capsys.readouterr().out


@pytest.mark.parametrize("method", ["ranger", "weight-range", "fitact", "proact"])
def test_rivals(tmp_path: Path, data: str, method: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bounded.pt"
    assert main(["clip", NET, "--data", data, "--restrict", method, "--bound-epochs", "1", "-o", str(path)]) == 0
    assert "bounds" in capsys.readouterr().out
    load_module(NET, path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tfc_w2a2"], "takes a PyTorch module"),
        (["module:torch.nn:Flatten"], "nothing to clip"),
        ([NET, "--iterations", "2", "--least", "3"], "not more at least"),
        ([NET, "--rates", "1e-3", "--axis", "log"], "at least two rates"),
        ([NET, "--rates", "0,1e-3"], "above 0"),
        ([NET, "--faults", "threshold"], "threshold"),
        ([NET, "--restrict", "ranger", "--csv", "x.csv"], "tries none"),
        ([NET, "--data", "DATA@val"], "val"),
    ],
)
def test_one_line_for_a_mistake(
    tmp_path: Path, data: str, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = data.removesuffix("@test")
    given = [argument.replace("DATA", plain) for argument in arguments]
    more = [] if "--data" in given else ["--data", data]
    assert main(["clip", *given, *more, "-o", str(tmp_path / "x.pt")]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert said in error[-1]
    assert not (tmp_path / "x.pt").exists()


def test_another_checkpoint_is_not_written_over(tmp_path: Path, data: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "last.pt"
    torch.save({"epoch": 3}, path)
    assert main(["clip", NET, "--data", data, "--restrict", "ranger", "-o", str(path)]) == 2
    assert "not a checkpoint of fat-fpga clip" in capsys.readouterr().err


def test_a_record_of_another_search_is_refused(tmp_path: Path, data: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "clipped.pt")
    assert main(["clip", NET, "--data", data, *SEARCH, "-o", path]) == 0
    assert main(["clip", NET, "--data", data, *SEARCH, "--samples", "3", "-o", path]) == 2
    assert "record of another search" in capsys.readouterr().err
