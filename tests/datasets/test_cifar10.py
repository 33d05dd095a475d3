"""CIFAR-10: the pickles as published and as Python 3 writes them, the binary version, and damaged files."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fat_fpga.datasets import load
from fat_fpga.errors import DataError

NAMES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")


def batch(seed: int, count: int = 4) -> tuple[np.ndarray[Any, Any], list[int]]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 3072), dtype=np.uint8), [int(label) for label in rng.integers(0, 10, count)]


def python_2_pickle(data: np.ndarray[Any, Any], labels: list[int]) -> bytes:
    """What Python 2 wrote: byte strings for text, numpy under its old name."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    dtype = b"cnumpy\ndtype\n(" + text(b"u1") + b"K\x00K\x01tR(K\x03" + text(b"|")
    dtype += b"NNN" + 2 * b"J\xff\xff\xff\xff" + b"K\x00tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85" + text(b"b") + b"tR"
    array += b"(K\x01" + b"K" + bytes([len(data)]) + b"M\x00\x0c\x86" + dtype + b"\x89"
    array += b"T" + struct.pack("<I", data.size) + data.tobytes() + b"tb"
    items = text(b"data") + array + text(b"labels") + b"](" + b"".join(b"K" + bytes([x]) for x in labels) + b"e"
    return b"\x80\x02}(" + items + b"u."


def python_3_pickle(data: np.ndarray[Any, Any], labels: list[int]) -> bytes:
    content = {b"batch_label": b"some", b"labels": labels, b"data": data, b"filenames": [b""] * len(labels)}
    return pickle.dumps(content, protocol=2)


@pytest.mark.parametrize("write", [python_2_pickle, python_3_pickle])
@pytest.mark.parametrize("parent", ["", "cifar-10-batches-py"])
def test_pickles(tmp_path: Path, write: Any, parent: str) -> None:
    (tmp_path / parent).mkdir(exist_ok=True)
    for seed, name in enumerate(NAMES):
        (tmp_path / parent / name).write_bytes(write(*batch(seed)))
    train, test = load(f"cifar10:{tmp_path}", "train"), load(f"cifar10:{tmp_path}", "test")
    assert train.images.shape == (20, 3, 32, 32)
    np.testing.assert_array_equal(train.images.reshape(20, 3072), np.concatenate([batch(s)[0] for s in range(5)]))
    assert train.labels.tolist() == [label for seed in range(5) for label in batch(seed)[1]]
    np.testing.assert_array_equal(test.images.reshape(4, 3072), batch(5)[0])
    assert test.classes[:2] == ("airplane", "automobile")
    assert len(load(f"cifar10:{tmp_path}", "test", limit=3)) == 3


def test_binary_equals_pickles(tmp_path: Path) -> None:
    pickles, binary = tmp_path / "py", tmp_path / "bin" / "cifar-10-batches-bin"
    pickles.mkdir()
    binary.mkdir(parents=True)
    for seed, name in enumerate(NAMES):
        data, labels = batch(seed)
        (pickles / name).write_bytes(python_3_pickle(data, labels))
        rows = np.concatenate([np.array(labels, np.uint8)[:, None], data], axis=1)
        (binary / f"{name}.bin").write_bytes(rows.tobytes())
    for split in ("train", "test"):
        assert load(f"cifar10:{pickles}", split).fingerprint == load(f"cifar10:{tmp_path / 'bin'}", split).fingerprint


class RunsCode:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("touched"),))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (python_3_pickle(*batch(0))[:5000], "not a readable pickle"),
        (b"", "not a readable pickle"),
        (pickle.dumps({"data": RunsCode()}), "which data never needs"),
        (pickle.dumps([1, 2]), "expected a pickled dictionary"),
        (pickle.dumps({b"data": batch(0)[0]}, 2), "expected the keys 'data' and 'labels'"),
        (python_3_pickle(batch(0)[0][:, :100], batch(0)[1]), r"must be uint8 \[N, 3072\], got uint8 \[4, 100\]"),
        (python_3_pickle(batch(0)[0].astype(np.float32), batch(0)[1]), "got float32"),
        (python_3_pickle(batch(0)[0], [0, 1, 2]), "4 images but 3 labels"),
        (python_3_pickle(batch(0)[0], [0, 1, 2, 10]), "label 10 of image 3 is outside the 10 classes"),
        (python_3_pickle(*batch(0, 0)), "holds no images"),
    ],
)
def test_damaged_pickle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "test_batch").write_bytes(content)
    with pytest.raises(DataError, match=message) as raised:
        load(f"cifar10:{tmp_path}")
    assert "\n" not in str(raised.value)
    assert not Path("touched").exists()


def test_truncated_binary(tmp_path: Path) -> None:
    (tmp_path / "test_batch.bin").write_bytes(bytes(3073 * 2 - 1))
    with pytest.raises(DataError, match="6145 bytes is not a whole number of 3073-byte images"):
        load(f"cifar10:{tmp_path}")


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        load(f"cifar10:{tmp_path / 'nowhere'}")
    with pytest.raises(DataError, match=r"no CIFAR-10 files here; expected test_batch or test_batch\.bin"):
        load(f"cifar10:{tmp_path}")
    (tmp_path / "data_batch_1").write_bytes(python_3_pickle(*batch(0)))
    with pytest.raises(DataError, match="data_batch_2: cannot be read"):
        load(f"cifar10:{tmp_path}", "train")
