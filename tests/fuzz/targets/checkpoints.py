"""Checkpoints: damaged ones, those of other programs, and files that are none."""

from __future__ import annotations

import io
import pickle
import tarfile
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.damage import damaged
from tests.fuzz.target import Rng, Target, pick


def _prepare(good: Path) -> None:
    import torch

    from fat_fpga.datasets.demo import load_demo
    from fat_fpga.training.recipe import Recipe
    from fat_fpga.training.trainer import train

    torch.set_num_threads(1)
    data = load_demo("mnist").first(20)
    recipe = Recipe(epochs=1, batch_size=10, halvings=1, crop_padding=0, flip=False, norm_images=0)
    with torch.random.fork_rng():
        train("tfc-w2a2", data, data, recipe, good / "trained", progress=False)
    last = good / "trained" / "last.pt"
    content = torch.load(last, weights_only=True)
    content["history"][0]["seconds"], content["notes"] = 1.0, {"date": "2000-01-01"}  # the same file each time
    last.write_bytes(_saved(content, legacy=False))


def _saved(content: Any, legacy: bool) -> bytes:
    import torch

    out = io.BytesIO()
    torch.save(content, out, _use_new_zipfile_serialization=not legacy)
    return out.getvalue()


def _other(rng: Rng, content: dict[str, Any]) -> Any:
    """A checkpoint with one thing wrong in it, or what another program writes."""
    import torch

    part = content[str(pick(rng, "identity", "model", "model", "optimiser", "history"))]
    what = int(rng.integers(13))
    strange: Any = pick(
        rng, None, 7, "text", [], {}, [{}], {"a": 1}, torch.zeros(3), torch.zeros(()), {1: 2}, 2**70, float("nan"),
        "\x1b[2J" * 20, torch.zeros(1).expand(2**40), torch.zeros(2, dtype=torch.complex64), "x" * 20_000,
        torch.zeros(1).expand(2**20, 2**20), {"\x1b[2J" * 2000: torch.zeros(1)},
    )  # fmt: skip
    if what == 0:
        content[str(pick(rng, *content))] = strange
    elif what == 1:
        del content[str(pick(rng, *content))]
    elif what == 2:
        content["epoch"] = strange
    elif what <= 6 and isinstance(part, dict) and part:
        key = pick(rng, *part)
        if rng.random() < 0.3:
            del part[key]
        else:
            part[key] = strange
    elif what == 7:
        return content["model"]
    elif what == 8:
        return OrderedDict((f"layer{i}.weight", torch.randn(4, 4)) for i in range(6))
    elif what == 9:
        return {"state_dict": content["model"], "epoch": 3, "arch": "resnet18", "optimizer": content["optimiser"]}
    elif what == 10:
        return torch.nn.Sequential(torch.nn.Linear(2, 2))
    elif what == 11:
        return strange
    else:
        content["identity"]["recipe"] = strange
    return content


def _archive(rng: Rng, data: bytes) -> bytes:
    """The zip file with members that are missing, empty, or larger than they are said to be."""
    source, out = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    names = source.namelist()
    victim = str(pick(rng, *names, *(n for n in names if "data.pkl" in n)))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if rng.random() < 0.3 else zipfile.ZIP_STORED) as file:
        for name in names:
            member = source.read(name)
            if name == victim:
                kind = rng.random()
                if kind < 0.3:
                    continue
                member = b"" if kind < 0.4 else damaged(member, rng)
            file.writestr(name, member)
    return out.getvalue()


def _foreign(rng: Rng) -> bytes:
    """What is no checkpoint at all."""
    what = int(rng.integers(7))
    out = io.BytesIO()
    if what == 0:
        with tarfile.open(fileobj=out, mode="w") as file:
            for name in ("sys_info", "pickle", "storages", "tensors")[: int(rng.integers(5))]:
                file.addfile(tarfile.TarInfo(name), io.BytesIO(b""))
    elif what == 1:
        with zipfile.ZipFile(out, "w") as archive:
            for name in ("a/data.pkl", "a/version", "a/data/0", "a/byteorder", "constants.pkl", "a/constants.pkl")[
                : int(rng.integers(7))
            ]:
                archive.writestr(name, pick(rng, b"", b"3\n", b"little", pickle.dumps({"a": 1})))
    elif what == 2:
        np.savez(out, a=np.zeros(3))
    elif what == 3:
        out.write(pickle.dumps({"model": {}, "identity": {}}, int(rng.integers(5))))
    elif what == 4:
        out.write(rng.bytes(int(rng.integers(0, 3000))))
    elif what == 5:
        out.write(b"\x89HDF\r\n\x1a\n" + rng.bytes(300))
    else:
        out.write(b"no checkpoint")
    return out.getvalue()


def _spoil(rng: Rng, good: Path, folder: Path) -> list[str]:
    import torch

    source = (good / "trained" / "last.pt").read_bytes()
    what = rng.random()
    if what < 0.25:
        content = damaged(source, rng)
    elif what < 0.4:
        content = _archive(rng, source)
    elif what < 0.5:
        content = _foreign(rng)
    else:
        checkpoint = torch.load(io.BytesIO(source), weights_only=True)
        legacy = rng.random() < 0.25
        content = _saved(_other(rng, checkpoint), legacy)
        if legacy and rng.random() < 0.5:
            content = damaged(content, rng)
    if rng.random() < 0.65:
        (folder / "last.pt").write_bytes(content)
        return ["export", "last.pt", "-o", "out.onnx"]
    (folder / "trained").mkdir()
    (folder / "trained" / "last.pt").write_bytes(content)
    settings = ["--epochs", "1", "--batch-size", "10", "--halvings", "1", "--images", "20"]
    return ["train", "--model", "tfc-w2a2", "--data", "demo:mnist", "-o", "trained", *settings, "-q"]


TARGET = Target("checkpoints", 4, _prepare, _spoil)
