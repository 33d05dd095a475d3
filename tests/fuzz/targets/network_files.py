"""``network.npz``: the integer network of a board."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np

from fat_fpga.network.network_file import write_network
from tests.campaign.tiny import tiny_network
from tests.fuzz.damage import damaged
from tests.fuzz.target import Rng, Target, pick
from tests.fuzz.targets.data_files import _npy
from tests.fuzz.trees import spoiled


def _prepare(good: Path) -> None:
    write_network(tiny_network(), good / "tiny_network.npz")


def _spoil(rng: Rng, good: Path, folder: Path) -> list[str]:
    source = (good / "tiny_network.npz").read_bytes()
    what = rng.random()
    if what < 0.3:
        content = damaged(source, rng)
    else:
        with np.load(BytesIO(source)) as file:
            arrays = dict(file)
        members = {name: _npy(array) for name, array in arrays.items()}
        if what < 0.7:
            members["head"] = _npy(np.array(spoiled(json.loads(str(arrays["head"])), rng)))
        else:
            name = str(pick(rng, *members))
            members[name] = _member(rng, arrays[name])
            if rng.random() < 0.2:
                del members[str(pick(rng, *members))]
        out = BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, member in members.items():
                archive.writestr(f"{name}.npy", member)
        content = out.getvalue()
    (folder / "network.npz").write_bytes(content)
    if rng.random() < 0.7:
        return ["info", "network.npz"]
    return ["faults", "network.npz"]


def _member(rng: Rng, array: np.ndarray) -> bytes:
    what = int(rng.integers(4))
    if what == 0:
        shape = pick(rng, (2**40,), (2**31, 2**31, 4), (0,), (), (-1, 4), (1,) * 30)
        return _npy(array, shape=shape)
    if what == 1:
        return _npy(array, descr=pick(rng, "|O", "<f8", "<U100000", "<i8", "|u1", ">i4", "<M8[s]"))
    if what == 2 and array.dtype.kind == "i":
        changed = array.copy()
        changed.flat[int(rng.integers(changed.size))] = int(rng.choice([2**31 - 1, -(2**31), 0, 7, -1]))
        return _npy(changed)
    return damaged(_npy(array), rng)


TARGET = Target("network_files", 3, _prepare, _spoil)
