"""Checkpoints that are damaged, or of other programs: one line that says what is not what it must be."""

from __future__ import annotations

import io
import pickle
import re
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fat_fpga.cli import main
from fat_fpga.datasets import Dataset
from fat_fpga.errors import TrainingError
from fat_fpga.training import train
from fat_fpga.training.checkpoint import read_checkpoint
from tests.training.small import digits, recipe

RECIPE = recipe(epochs=1, norm_images=0)
Content = dict[str, Any]


@pytest.fixture(scope="module")
def data() -> Dataset:
    return digits(40)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, data: Dataset) -> bytes:
    folder = tmp_path_factory.mktemp("trained")
    train("tfc-w1a1", data, data, RECIPE, folder, progress=False)
    return (folder / "last.pt").read_bytes()


def saved(content: Any, legacy: bool = False) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


def refused(capsys: pytest.CaptureFixture[str], path: Path) -> str:
    """Both commands' one line; nothing is written."""
    assert main(["export", str(path), "-o", str(path.with_name("out.onnx"))]) == 2
    assert not path.with_name("out.onnx").exists()
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert len(output.err) < 700
    return output.err


class Runs:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("it_ran"),)


def tar() -> bytes:
    """The format of before 2017."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO(b""))
    return file.getvalue()


def no_data() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/version", "3\n")
    return file.getvalue()


def npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.zeros(3))
    return file.getvalue()


def packed(archive: bytes) -> bytes:
    """The same parts, compressed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    return file.getvalue()


def promises() -> bytes:
    """The directory of the archive says that its first part has 2 GiB."""
    content = bytearray(saved({"a": torch.zeros(100)}))
    entry = content.index(b"PK\x01\x02")
    content[entry + 20 : entry + 28] = (0x7FFFFFFF).to_bytes(4, "little") * 2
    return bytes(content)


FOREIGN: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "not a readable checkpoint"),
    "text": (lambda: b"no checkpoint", "not a readable checkpoint"),
    "HDF5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(500), "not a readable checkpoint"),
    "npz": (npz, "not a readable checkpoint"),
    "tar": (tar, "not a readable checkpoint"),
    "zip without data": (no_data, "not a readable checkpoint"),
    "pickle": (lambda: pickle.dumps({"a": 1}), "not a readable checkpoint"),
    "code": (lambda: saved(Runs()), "holds Python objects, which are never loaded"),
    "module": (lambda: saved(torch.nn.Linear(2, 2)), "holds Python objects, which are never loaded"),
    "legacy module": (lambda: saved(torch.nn.Linear(2, 2), legacy=True), "no archive of torch.save, version 1.6 or"),
    "compressed": (lambda: packed(saved({})), "it holds compressed parts, which torch.save does not write"),
    "promises": (promises, r"not a readable checkpoint \(it is damaged: it promises more than it has bytes\)"),
    "tensor": (lambda: saved(torch.zeros(3)), r"it has no identity, model, .* found a tensor float32 \[3\]"),
    "number": (lambda: saved(7), "no checkpoint of fat-fpga train"),
    "state": (lambda: saved(OrderedDict(a=torch.zeros(3), b=torch.zeros(2))), "found a, b. Weights of another program"),
    "lightning": (
        lambda: saved({"state_dict": {"a": torch.zeros(3)}, "epoch": 3, "optimizer": {}}),
        "it has no identity, model, optimiser, history.*; found state_dict, epoch, optimizer",
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_files_of_others(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make, message = FOREIGN[name]
    (tmp_path / "last.pt").write_bytes(make())
    with pytest.raises(TrainingError, match=f"(?s)last.pt: .*{message}"):
        read_checkpoint(tmp_path / "last.pt")
    refused(capsys, tmp_path / "last.pt")
    assert not Path("it_ran").exists()


def put(*place: Any, value: Any) -> Callable[[Content], None]:
    """The value at a place, which ends with its key; ``...`` takes it away."""

    def spoil(content: Content) -> None:
        for key in place[:-1]:
            content = content[key]
        if value is ...:
            del content[place[-1]]
        else:
            content[place[-1]] = value

    return spoil


HUGE = torch.zeros(1).expand(2**40)
SPOILT: dict[str, tuple[Callable[[Content], None], str]] = {
    "no model": (put("model", value=...), "it has no model"),
    "model a list": (put("model", value=[]), "model of the checkpoint must be a dictionary, got a list of 0"),
    "another part": (put("epoch", value=3), "epoch of the checkpoint must be absent, got 3"),
    "unknown network": (put("identity", "model", value="resnet"), "identity: model must be one of .*got 'resnet'"),
    "no network": (put("identity", "model", value=...), "identity: model must be one of"),
    "no classes": (put("identity", "classes", value=...), "identity: classes must be from 2 to 100,000, got None"),
    "huge classes": (put("identity", "classes", value=2**40), "classes must be from 2 to 100,000, got 1099511627776"),
    "classes are true": (put("identity", "classes", value=True), "classes must be from 2"),
    "a key": (put("identity", 7, value=1), "identity: its entries must have names"),
    "no tensor": (put("model", "fc0.weight", value=[1]), r"model\['fc0.weight'\] must be a tensor, got a list of 1"),
    "one is missing": (put("model", "fc0.weight", value=...), "the tensor 'fc0.weight' is missing"),
    "one more": (put("model", "fc9.weight", value=torch.zeros(2)), "the tensor 'fc9.weight' is unknown"),
    "a shape": (
        put("model", "fc0.weight", value=torch.zeros(3, 4)),
        r"'fc0.weight' must be a tensor float32 \[64, 784\], got a tensor float32 \[3, 4\]",
    ),
    "a type": (
        put("model", "fc0.weight", value=torch.zeros(64, 784, dtype=torch.int8)),
        r"got a tensor int8 \[64, 784\]",
    ),
    "a tebibyte": (put("model", "fc0.weight", value=HUGE), r"got a tensor float32 \[1099511627776\]"),
    "other classes": (put("identity", "classes", value=7), "must be a tensor float32"),
    "history": (put("history", 0, value=3), r"history\[0\] must have numbers under epoch, learning_rate"),
    "a metric": (put("history", 0, "test_accuracy", value="high"), r"history\[0\] must have numbers"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_one_thing_is_wrong(name: str, good: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil, message = SPOILT[name]
    content = deepcopy(torch.load(io.BytesIO(good), weights_only=True))
    spoil(content)
    (tmp_path / "last.pt").write_bytes(saved(content))
    assert re.search(f"last.pt: .*{message}", refused(capsys, tmp_path / "last.pt"))


OPTIMISER: dict[str, tuple[Callable[[Content], None], str]] = {
    "empty": (put("optimiser", value={}), "optimiser: expected its state, and 1 groups of parameters"),
    "a group": (put("optimiser", "param_groups", 0, value=7), "optimiser: lr must be .* got nothing"),
    "no rate": (put("optimiser", "param_groups", 0, "lr", value=None), "optimiser: lr must be .*, got None"),
    "betas": (put("optimiser", "param_groups", 0, "betas", value=(0.9, "x")), "optimiser: betas must be"),
    "parameters": (put("optimiser", "param_groups", 0, "params", value=[0]), "optimiser: params must be"),
    "state": (
        put("optimiser", "state", 0, value=...),
        "optimiser: state of parameter 0 must have step, exp_avg and exp_avg_sq",
    ),
    "one more": (put("optimiser", "state", 99, value={}), "optimiser: expected the state of .* parameters, got others"),
    "a shape": (
        put("optimiser", "state", 0, "exp_avg", value=HUGE),
        "optimiser: exp_avg of parameter 0 must be float32",
    ),
    "no tensor": (
        put("optimiser", "state", 0, "step", value="x"),
        r"optimiser: step of parameter 0 must be float32 \[\], got 'x'",
    ),
}


@pytest.mark.parametrize("name", OPTIMISER)
def test_an_optimiser_that_is_another(name: str, good: bytes, data: Dataset, tmp_path: Path) -> None:
    spoil, message = OPTIMISER[name]
    content = deepcopy(torch.load(io.BytesIO(good), weights_only=True))
    spoil(content)
    (tmp_path / "last.pt").write_bytes(saved(content))
    with pytest.raises(TrainingError, match=f"last.pt: {message}"):
        train("tfc-w1a1", data, data, RECIPE, tmp_path, progress=False)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("legacy", [False, True])
def test_truncated(cut: float, legacy: bool, good: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = saved(torch.load(io.BytesIO(good), weights_only=True), legacy) if legacy else good
    (tmp_path / "last.pt").write_bytes(whole[: int(cut * len(whole))])
    assert "not a readable checkpoint" in refused(capsys, tmp_path / "last.pt")
