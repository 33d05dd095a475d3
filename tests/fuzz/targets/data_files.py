"""Files of data sets: numpy's, CIFAR-10's pickles and binaries, MNIST's idx, SVHN's MATLAB files, GTSRB's tables."""

from __future__ import annotations

import gzip
import pickle
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.damage import damaged
from tests.fuzz.target import Rng, Target, pick
from tests.fuzz.targets import good as common
from tests.fuzz.targets.good import campaign

Make = Callable[[Rng, Path], bytes]


def _npy(array: Any, **header: Any) -> bytes:
    """An .npy file, with other words in its header than are true."""
    out = BytesIO()
    np.lib.format.write_array(out, np.asarray(array), allow_pickle=True)
    if not header:
        return out.getvalue()
    true = np.lib.format.header_data_from_array_1_0(np.asarray(array))
    head = BytesIO()
    np.lib.format.write_array_header_1_0(head, {**true, **header})
    body = out.getvalue()[10 + struct.unpack("<H", out.getvalue()[8:10])[0] :]
    return head.getvalue() + body


def _array(rng: Rng, name: str) -> bytes:
    """One member of a data file, as it should be or not."""
    images = rng.integers(0, 256, (6, 1, 8, 8), np.uint8)
    right: Any = images if name == "images" else np.arange(6) % 4
    if name == "classes":
        right = np.array(["a", "b", "c\x1b[2J", "d\nd"][: int(rng.integers(2, 5))])
    what = rng.random()
    if what < 0.4:
        return _npy(right)
    if what < 0.6:
        shape = pick(rng, (2**40,), (2**62, 4), (0, 1, 8, 8), (6, 2**33), (-1,), (), (6, 1, 8, 2**20), (1,) * 40)
        return _npy(right, shape=shape)
    if what < 0.75:
        return _npy(
            right, descr=pick(rng, "|O", "<f8", "<U1000000", "|V9", "<M8[s]", "|S0", ">i8", "<c16", "|b1", "|u1")
        )
    if what < 0.85:
        kind: Any = pick(rng, np.float64, object, np.complex64, np.int8, np.uint64, bool, "U3", "datetime64[s]")
        return _npy(np.asarray(right).astype(kind) if name != "classes" else right)
    return damaged(_npy(right), rng)


def _npz(rng: Rng) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if rng.random() < 0.5 else zipfile.ZIP_STORED) as file:
        for name in ("images", "labels", "classes"):
            if rng.random() < 0.93:
                file.writestr(f"{name}.npy", _array(rng, name))
        if rng.random() < 0.1:
            with file.open("bomb.npy" if rng.random() < 0.5 else "classes.npy", "w") as member:
                member.write(_npy(np.zeros(0, np.uint8), shape=(200_000_000,)) + bytes(200_000_000))
    return damaged(out.getvalue(), rng) if rng.random() < 0.4 else out.getvalue()


class _Runs:
    def __reduce__(self) -> Any:
        return exec, ("open('it_ran', 'w')",)


def _pickle(rng: Rng) -> bytes:
    data, labels = rng.integers(0, 256, (4, 3072), np.uint8), [0, 1, 2, 9]
    batch: Any = {b"data": data, b"labels": labels, b"batch_label": b"one", b"filenames": [b"a.png"] * 4}
    what = rng.random()
    odd: list[Any] = [
        None, -1, 2**70, "x", data[:2], data.astype(object), data.astype(float), data[:, :9], [[]], [None] * 4, [2**70],
        _Runs(), {}, np.zeros((4, 3072), "U1"), [True, False, 1.5, 2], np.array(labels), ["\x1b[2J"] * 4, [10] * 4,
    ]  # fmt: skip
    if what < 0.3:
        batch[pick(rng, b"data", b"labels", "data", b"\x1b[2J", 7)] = pick(rng, *odd)
    elif what < 0.35:
        batch = pick(rng, [1], None, "text", data, {}, {b"data": data}, {b"labels": labels}, {1: 2})
    elif what < 0.4:
        deep: Any = []
        for _ in range(100_000):
            deep = [deep]
        return b"\x80\x02" + b"(" * 100_000 + b"." if rng.random() < 0.5 else b"\x80\x02" + b"]" + b"(" * 99_999 + b"l."
    elif what < 0.45:
        size = b"\xff\xff\xff\x7f"  # of what follows: nothing does
        return b"\x80\x02" + bytes(pick(rng, b"\x8b" + size, b"r" + size, b"\x8a\xff", b"T" + size))
    content = pickle.dumps(batch, int(rng.choice([0, 1, 2, 3, 4])))
    return damaged(content, rng) if rng.random() < 0.75 else content


def _binary(rng: Rng) -> bytes:
    rows = rng.integers(0, 256, (4, 3073), np.uint8)
    rows[:, 0] %= 10
    return damaged(rows.tobytes(), rng)


def _idx(rng: Rng, images: bool) -> bytes:
    sizes = [5, 28, 28] if images else [5]
    content = struct.pack(f">BBBB{len(sizes)}I", 0, 0, 8, len(sizes), *sizes)
    content += (rng.integers(0, 256, sizes) % (256 if images else 10)).astype(np.uint8).tobytes()
    content = content if rng.random() < 0.4 else damaged(content, rng)
    if rng.random() < 0.05:
        content = struct.pack(">BBBB3I", 0, 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1)
    return content


def _mat(rng: Rng, good: Path) -> bytes:
    name = str(pick(rng, "plain.mat", "packed.mat", "packed.mat", "cells.mat", "old.mat", "sparse.mat"))
    return damaged((good / name).read_bytes(), rng)


def _table(rng: Rng) -> bytes:
    rows = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId", "00000.ppm;32;32;1;1;30;30;16"]
    text = "\n".join(rows).encode()
    odd = pick(
        rng, b"", b"\x00\x00", text.replace(b"16", b"\xd9\xa3"), text.replace(b"16", "²".encode()), text * 2,
        text.replace(b"16", b"9" * 5000), text.replace(b"00000", b"../../x"), text + b"\n\x1b[2J;1;1;1;1;1;1;1",
        text.replace(b";", b","), b"\xff\xfe" + text, text.replace(b"00000.ppm", b'"' + b"x" * 200_000),
    )  # fmt: skip
    return bytes(odd) if rng.random() < 0.5 else damaged(text, rng)


def _prepare(good: Path) -> None:
    common.prepare(good)
    from scipy.io import savemat
    from scipy.sparse import csc_array

    images, labels = np.zeros((32, 32, 3, 5), np.uint8), np.arange(1, 6, dtype=np.uint8)[:, None]
    savemat(good / "plain.mat", {"X": images, "y": labels})
    savemat(good / "packed.mat", {"X": images, "y": labels}, do_compression=True)
    savemat(good / "old.mat", {"X": images[..., 0, 0], "y": labels}, format="4")
    cells = np.array([images, {"a": labels}, "text"], object)
    savemat(good / "cells.mat", {"X": cells, "y": {"deep": {"er": cells}}})
    savemat(good / "sparse.mat", {"X": csc_array(np.eye(9)), "y": labels.astype(float)})


def _spoil_numpy(rng: Rng, good: Path, folder: Path) -> list[str]:
    if rng.random() < 0.7:
        (folder / "data.npz").write_bytes(_npz(rng))
        return campaign(rng, good / "tiny.onnx", "npz:data.npz")
    for name in ("images", "labels"):
        (folder / f"{name}.npy").write_bytes(_array(rng, name))
    return campaign(rng, good / "tiny.onnx", "npy:.")


def _spoil_pickle(rng: Rng, good: Path, folder: Path) -> list[str]:
    if rng.random() < 0.85:
        (folder / "test_batch").write_bytes(_pickle(rng))
    else:
        (folder / "test_batch.bin").write_bytes(_binary(rng))
    return campaign(rng, good / "colour.onnx", "cifar10:.")


def _spoil_idx(rng: Rng, good: Path, folder: Path) -> list[str]:
    for name, images in (("t10k-images-idx3-ubyte", True), ("t10k-labels-idx1-ubyte", False)):
        content = _idx(rng, images)
        if rng.random() < 0.3:
            packed = gzip.compress(bytes(300_000_000) if rng.random() < 0.03 else content, 1)
            (folder / f"{name}.gz").write_bytes(damaged(packed, rng) if rng.random() < 0.6 else packed)
        else:
            (folder / name).write_bytes(content)
    return campaign(rng, good / "digits.onnx", "mnist:.")


def _spoil_mat(rng: Rng, good: Path, folder: Path) -> list[str]:
    (folder / "test_32x32.mat").write_bytes(_mat(rng, good))
    return campaign(rng, good / "colour.onnx", "svhn:.")


def _spoil_table(rng: Rng, good: Path, folder: Path) -> list[str]:
    images = folder / "Final_Test" / "Images"
    images.mkdir(parents=True)
    (images / "00000.ppm").write_bytes(b"P6\n32 32\n255\n" + bytes(3072))
    (images / "GT-final_test.csv").write_bytes(_table(rng))
    return campaign(rng, good / "colour.onnx", "gtsrb:.")


NUMPY = Target("npz", 5, _prepare, _spoil_numpy)
PICKLES = Target("pickles", 4, _prepare, _spoil_pickle)
IDX = Target("idx", 2, _prepare, _spoil_idx)
MATLAB = Target("matlab", 2, _prepare, _spoil_mat)
TABLES = Target("tables", 1, _prepare, _spoil_table)
