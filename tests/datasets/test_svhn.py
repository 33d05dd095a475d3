"""SVHN: the official MATLAB files, and damaged ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from fat_fpga.datasets import load, matlab, read_matlab
from fat_fpga.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 3, 32, 32), dtype=np.uint8)
LABELS = np.array([1, 10, 9, 10, 3, 2], np.uint8)
OFFICIAL = {"X": IMAGES.transpose(2, 3, 1, 0), "y": LABELS[:, None]}
"""As in the files: row, column, channel, image; 10 is the digit 0."""


@pytest.mark.parametrize("parent", ["", "SVHN", "svhn"])
@pytest.mark.parametrize("compressed", [False, True])
def test_official_files(tmp_path: Path, parent: str, compressed: bool) -> None:
    (tmp_path / parent).mkdir(exist_ok=True)
    savemat(tmp_path / parent / "test_32x32.mat", OFFICIAL, do_compression=compressed)
    other = {"X": 255 - OFFICIAL["X"], "y": OFFICIAL["y"]}
    savemat(tmp_path / parent / "train_32x32.mat", other, do_compression=compressed)
    data = load(f"svhn:{tmp_path}")
    np.testing.assert_array_equal(data.images, IMAGES)
    assert data.images.flags.c_contiguous
    assert data.labels.tolist() == [1, 0, 9, 0, 3, 2]
    assert (data.name, data.classes) == ("svhn:test", tuple("0123456789"))
    np.testing.assert_array_equal(load(f"svhn:{tmp_path}", "train", limit=2).images, 255 - IMAGES[:2])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"X": OFFICIAL["X"]}, r"expected the arrays X and y of SVHN's cropped digits, found \['X'\]"),
        ({"digits": OFFICIAL["X"]}, r"found \['digits'\]"),
        (OFFICIAL | {"X": OFFICIAL["X"].astype(float)}, r"X must be uint8 \[32, 32, 3, N\], got float64"),
        (OFFICIAL | {"X": IMAGES}, r"X must be uint8 \[32, 32, 3, N\], got uint8 \[6, 3, 32, 32\]"),
        (OFFICIAL | {"y": LABELS[:4]}, "6 images but 4 labels"),
        (OFFICIAL | {"y": LABELS[:, None] % 10}, "label 0 of image 1 is none of SVHN's, which are 1 to 10"),
        (OFFICIAL | {"y": LABELS / 2}, "labels must be integers, got float64"),
    ],
)
def test_unfit(tmp_path: Path, content: dict[str, Any], message: str) -> None:
    savemat(tmp_path / "test_32x32.mat", content)
    with pytest.raises(DataError, match=message) as raised:
        load(f"svhn:{tmp_path}")
    assert "test_32x32.mat" in str(raised.value)


def test_damaged(tmp_path: Path) -> None:
    path = tmp_path / "test_32x32.mat"
    savemat(path, OFFICIAL, do_compression=True)
    whole = path.read_bytes()
    version_7_3 = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(400)
    for content in (whole[:-100], whole[:1000], whole[:128] + bytes(500), b"no matrix at all", b"", version_7_3):
        path.write_bytes(content)
        with pytest.raises(
            DataError, match=r"test_32x32\.mat: (not a readable MATLAB v5 file|expected the arr)"
        ) as raised:
            load(f"svhn:{tmp_path}")
        assert "\n" not in str(raised.value)


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no SVHN files here; expected test_32x32\.mat in it or in SVHN, svhn"):
        load(f"svhn:{tmp_path}")


@pytest.mark.parametrize(
    ("end", "message"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "the reader ended with SIGSEGV"),
        ("time.sleep(60)", "it is not read in 1 s"),
        ("bytearray(8 * 2**30)", "MemoryError"),
        ("sys.exit(3)", "the reader failed"),
    ],
)
def test_a_reader_that_ends_badly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, message: str) -> None:
    """scipy's reader, which a damaged file can crash, runs in a process of its own."""
    savemat(tmp_path / "test_32x32.mat", OFFICIAL)
    program = Path(read_matlab.__file__).read_text()
    assert "content = loadmat(" in program
    (tmp_path / "reader.py").write_text(
        program.replace("import sys\n", "import os, signal, sys, time\n", 1).replace(
            "content = loadmat(", f"{end}; loadmat("
        )
    )
    monkeypatch.setattr(read_matlab, "__file__", str(tmp_path / "reader.py"))
    monkeypatch.setattr(matlab, "SECONDS", 1 if "sleep" in end else 60)
    with pytest.raises(DataError, match=rf"test_32x32\.mat: not a readable MATLAB v5 file \({message}\)"):
        load(f"svhn:{tmp_path}")


def test_modules_of_the_current_folder_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    savemat(tmp_path / "test_32x32.mat", OFFICIAL)
    for name in ("scipy", "numpy", "resource"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('run')")
    monkeypatch.chdir(tmp_path)
    assert len(load("svhn:.")) == 6


def test_arrays_that_are_no_numbers(tmp_path: Path) -> None:
    savemat(tmp_path / "test_32x32.mat", OFFICIAL | {"X": np.array([IMAGES, "text"], object)})
    with pytest.raises(DataError, match=r"test_32x32\.mat: (X must be|not a readable)"):
        load(f"svhn:{tmp_path}")
