"""``fat-fpga check``: what is understood, how well images are known, and why they are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Run
from fat_fpga.cli import main
from fat_fpga.datasets import load
from fat_fpga.network import load_network, write_qonnx

from .conftest import Refused

Check = Callable[..., str]


@pytest.fixture
def check(folder: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """The standard output of ``fat-fpga check tfc_w2a2`` with more arguments; it must be accepted, in silence."""

    def call(*arguments: str) -> str:
        capsys.readouterr()
        assert main(["check", "tfc_w2a2", *arguments]) == 0
        output = capsys.readouterr()
        assert output.err == ""
        return output.out

    return call


def digits(change: Callable[[np.ndarray], np.ndarray], shift: int = 0) -> None:
    data = load("demo:mnist")
    np.savez(
        "digits.npz", images=change(data.images), labels=(data.labels + shift) % 10, classes=np.array(data.classes)
    )


def test_model_and_data(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    text = check("--data", "demo:mnist", "--json", "check.json")
    assert main(["info", "tfc_w2a2"]) == 0
    table = capsys.readouterr().out.split("\n\nfaults of all kinds")[0]
    assert text.startswith(table)
    assert "faults by kind: channel 576, element 576, weight 118,016, " in text
    assert "pe with --folding" in text
    assert "accuracy without injected faults: 98.50 % (197 of 200 images; 95 % confidence" in text
    assert "note" not in text
    found = json.loads(Path("check.json").read_text())
    assert (found["images"], found["correct"], found["near_chance"]) == (200, 197, False)
    assert (found["image_shape"], found["classes"], found["notes"]) == ([1, 28, 28], 10, [])
    assert found["refused"] is None
    assert "pe 96" in check("--folding", "16,8,8,10")


def test_the_next_command_works_as_it_stands(check: Check) -> None:
    last = check("--data", "demo:mnist", "--image-shape", "1,28,28").splitlines()[-1]
    assert last == "next: fat-fpga campaign tfc_w2a2 --data demo:mnist --image-shape 1,28,28 -o tfc_w2a2.run"
    assert main([*last.split()[2:], "-q", "--images", "10", "--layers", "fc2"]) == 0
    assert Run.open("tfc_w2a2.run").complete


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: 255 - x, "with dark and light exchanged (255 - pixel) is 98.50 %"),
        (lambda x: x.transpose(0, 1, 3, 2), "with rows and columns exchanged is 98.50 %"),
    ],
)
def test_images_prepared_otherwise_are_recognised(
    check: Check,
    change: Callable[[np.ndarray], np.ndarray],
    words: str,
) -> None:
    digits(change)
    text = check("--data", "npz:digits.npz")
    assert f"note: the accuracy {words}: prepare the images as in training" in text
    assert ", near which it is" in text
    assert text.count("note:") == 1


def test_colours_in_the_other_order_are_recognised(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = load("demo:cifar10", limit=200)
    np.savez("bgr.npz", images=data.images[:, ::-1], labels=data.labels)
    assert main(["check", "cnv_w1a1", "--data", "npz:bgr.npz"]) == 0
    text = capsys.readouterr().out
    assert "note: the accuracy with the colours in the other order (RGB and BGR) is" in text
    assert ", near which it is" not in text


def test_pixels_of_another_range_are_recognised(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_qonnx(load_network("cnv_w1a1"), "own.onnx")
    arguments = ["check", "own.onnx", "--data", "demo:cifar10", "--images", "100"]
    assert main(arguments) == 0
    assert "note" not in capsys.readouterr().out
    assert main([*arguments, "--pixels", "unit"]) == 0
    assert "note: the accuracy with --pixels raw is" in capsys.readouterr().out


def test_another_order_of_classes_is_recognised(check: Check) -> None:
    digits(lambda x: x, shift=1)
    assert "the order of classes differs: 98.5 % are right if the network's class 0 is 1" in check(
        "--data", "npz:digits.npz"
    )


def test_images_are_taken_from_the_whole_data_set(check: Check) -> None:
    data = load("demo:mnist")
    order = np.argsort(data.labels, kind="stable")
    np.savez("sorted.npz", images=data.images[order], labels=data.labels[order])
    text = check("--data", "npz:sorted.npz", "--images", "50")
    assert "50 images of 1x28x28, 10 classes" in text
    assert "note" not in text


def test_too_low_an_accuracy_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["check", "tfc_w2a2", "--data", "demo:mnist", "--json", "a.json", "--expect-accuracy"]
    assert main([*command, "98.5"]) == 0
    capsys.readouterr()
    assert main([*command, "98.51"]) == 2
    output = capsys.readouterr()
    assert output.err.startswith("fat-fpga: without injected faults 197 of 200 images are classified correctly")
    assert output.err.count("\n") == 1
    assert json.loads(Path("a.json").read_text())["refused"] in output.err


def test_refusals(folder: Path, refused: Refused, capsys: pytest.CaptureFixture[str]) -> None:
    refused("check", "nowhere.onnx")
    refused("check", "tfc_w2a2", "--images", "0", "--data", "demo:mnist")
    refused("check", "tfc_w2a2", "--json", "nowhere/a.json")
    refused("check", "tfc_w2a2", "--expect-accuracy", "101", "--data", "demo:mnist")
    assert main(["check", "tfc_w2a2", "--data", "demo:cifar10"]) == 2  # what is understood of the model is shown
    output = capsys.readouterr()
    assert "fc3" in output.out
    assert "takes uint8 images [N, 1, 28, 28], got uint8 [300, 3, 32, 32]" in output.err
