"""GTSRB: the official folders and tables, and damaged ones."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fat_fpga.datasets import load
from fat_fpga.errors import DataError

HEAD = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"
SIZES = ((32, 32), (53, 54), (15, 17), (120, 98))  # width, height
CLASSES = (16, 1, 42, 0)


def pixels(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write(images: Path, table: Path, sizes: Sequence[tuple[int, int]], classes: Sequence[int]) -> None:
    images.mkdir(parents=True, exist_ok=True)
    lines = [HEAD]
    for index, ((width, height), label) in enumerate(zip(sizes, classes, strict=True)):
        head = f"P6\n{width} {height}\n255\n".encode()
        (images / f"{index:05d}.ppm").write_bytes(head + pixels(width, height).tobytes())
        lines.append(f"{index:05d}.ppm;{width};{height};5;5;{width - 6};{height - 6};{label}")
    table.write_bytes("\r\n".join([*lines, ""]).encode())


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """The images of a test set in ``tmp_path``."""
    folder = tmp_path / "GTSRB" / "Final_Test" / "Images"
    write(folder, tmp_path / "GTSRB" / "GT-final_test.csv", SIZES, CLASSES)
    return folder


@pytest.mark.parametrize(
    "table", ["GT-final_test.csv", "Final_Test/GT-final_test.csv", "Final_Test/Images/GT-final_test.csv"]
)
def test_test_set(tmp_path: Path, images: Path, table: str) -> None:
    (tmp_path / "GTSRB" / "GT-final_test.csv").rename(tmp_path / "GTSRB" / table)
    data = load(f"gtsrb:{tmp_path}")
    assert data.images.shape == (4, 3, 32, 32)
    assert data.labels.tolist() == list(CLASSES)
    assert (data.name, len(data.classes), data.classes[42]) == ("gtsrb:test", 43, "00042")
    np.testing.assert_array_equal(data.images[0], pixels(32, 32).transpose(2, 0, 1))  # has the size, is left alone
    for image, size in zip(data.images, SIZES, strict=True):
        expected = Image.fromarray(pixels(*size)).resize((32, 32), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(image, np.asarray(expected).transpose(2, 0, 1))
    assert load(f"gtsrb:{tmp_path / 'GTSRB'}").fingerprint == data.fingerprint
    assert load(f"gtsrb:{tmp_path}", limit=2).labels.tolist() == [16, 1]
    assert load(f"gtsrb:{tmp_path}", spread=2).labels.tolist() == data.labels[[0, 2]].tolist()


def test_regions_of_interest_are_cut_before_resizing(tmp_path: Path, images: Path) -> None:
    data = load(f"gtsrb:{tmp_path}", roi=True)
    assert data.name == "gtsrb:test, roi"
    for image, (width, height) in zip(data.images, SIZES, strict=True):
        own = Image.fromarray(pixels(width, height)[5 : height - 6, 5 : width - 6])
        expected = own.resize((32, 32), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(image, np.asarray(expected).transpose(2, 0, 1))
    assert data.fingerprint != load(f"gtsrb:{tmp_path}").fingerprint
    with pytest.raises(DataError, match="only gtsrb: has regions of interest: leave --roi out"):
        load("demo:mnist", roi=True)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("Roi.X2", "Right", "--roi needs the columns Roi.X1, Roi.Y1, Roi.X2, Roi.Y2, found Filename"),
        ("53;54;5;", "53;54;x;", r"GT-final_test\.csv, line 3: expected whole numbers of pixels in Roi.X1, .*'x'"),
        ("53;54;5;", "53;54;-1;", "line 3: expected whole numbers of pixels"),
        (
            ";47;48;",
            ";54;48;",
            r"00001\.ppm: not a readable image \(its region of interest, 5, 5 to 54, 48, is not",
        ),
        (";47;48;", ";5;48;", "its region of interest, 5, 5 to 5, 48, is not inside of its 53 x 54 pixels"),
    ],
)
def test_regions_that_are_none(tmp_path: Path, images: Path, before: str, after: str, message: str) -> None:
    table = tmp_path / "GTSRB" / "GT-final_test.csv"
    content = table.read_text()
    assert before in content
    table.write_text(content.replace(before, after))
    with pytest.raises(DataError, match=message):
        load(f"gtsrb:{tmp_path}", roi=True)


def test_whole_frames_are_averaged_not_sampled(tmp_path: Path) -> None:
    folder = tmp_path / "Final_Test" / "Images"
    write(folder, tmp_path / "GT-final_test.csv", [(256, 256)], [3])
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 200
    (folder / "00000.ppm").write_bytes(b"P6\n256 256\n255\n" + stripes.tobytes())
    (image,) = load(f"gtsrb:{tmp_path}").images
    assert abs(image.astype(int) - 100).max() <= 5


@pytest.mark.parametrize("parent", ["Final_Training/Images", "Training", ""])
def test_training_set(tmp_path: Path, parent: str) -> None:
    for label in range(43):
        folder = tmp_path / parent / f"{label:05d}"
        write(folder, folder / f"GT-{label:05d}.csv", SIZES[1 : 2 + label % 2], [label] * (1 + label % 2))
    data = load(f"gtsrb:{tmp_path}", "train")
    assert data.name == "gtsrb:train"
    assert np.bincount(data.labels).tolist() == [1 + label % 2 for label in range(43)]
    assert (np.diff(data.labels) >= 0).all()
    (tmp_path / parent / "00007").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="00007: no such folder; expected one for each of the 43 classes"):
        load(f"gtsrb:{tmp_path}", "train")


def test_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for split in ("train", "test"):
        with pytest.raises(DataError, match="no GTSRB files here; expected Final_T"):
            load(f"gtsrb:{tmp_path}", split)
    write(tmp_path, tmp_path / "GT-final_test.csv", SIZES, CLASSES)
    assert len(load(f"gtsrb:{tmp_path}")) == 4  # the folder of the images itself
    (tmp_path / "00002.ppm").unlink()
    with pytest.raises(DataError, match=r"1 images are in GT-final_test\.csv but not there, 00002\.ppm for one"):
        load(f"gtsrb:{tmp_path}")
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    write(tmp_path, tmp_path / "GT-final_test.csv", SIZES, CLASSES)
    with pytest.raises(DataError, match=r"needs the package Pillow: pip install '.\[data\]'"):
        load(f"gtsrb:{tmp_path}")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (";ClassId", "", "expected the columns Filename and ClassId, separated by ';', found Filename, Width"),
        (";", ",", "expected the columns Filename and ClassId, separated by ';', found Filename,Width"),
        (";42\r\n", ";43\r\n", r"GT-final_test\.csv, line 4: expected a class from 0 to 42 in ClassId, got '43'"),
        (";42\r\n", ";stop\r\n", "line 4: .* got 'stop'"),
        (";42\r\n", ";-1\r\n", "line 4: .* got '-1'"),
        (";11;42\r\n", "\r\n", "line 4: .* got ''"),
        ("00002.ppm", "00001.ppm", r"1 images are there but not in GT-final_test\.csv, 00002\.ppm for one"),
        ("00002.ppm;", "00001.ppm;7\r\n00002.ppm;", "line 4: "),
        ("00003.ppm;120;98;5;5;114;92;0\r\n", "", r"1 images are there but not in GT-final_test\.csv, 00003\.ppm"),
        ("00003.ppm;", "00000.ppm;32;32;5;5;26;26;16\r\n00003.ppm;", r"1 images are twice, 00000\.ppm for one"),
        (HEAD, "\x00" * 9, "expected the columns|cannot be read"),
    ],
)
def test_damaged_table(tmp_path: Path, images: Path, before: str, after: str, message: str) -> None:
    table = tmp_path / "GTSRB" / "GT-final_test.csv"
    content = table.read_bytes().decode()
    assert before in content
    table.write_bytes(content.replace(before, after).encode())
    with pytest.raises(DataError, match=message) as raised:
        load(f"gtsrb:{tmp_path}")
    assert "\n" not in str(raised.value)


def test_empty_or_binary_table(tmp_path: Path, images: Path) -> None:
    table = tmp_path / "GTSRB" / "GT-final_test.csv"
    table.write_bytes(b"")
    with pytest.raises(DataError, match="found none"):
        load(f"gtsrb:{tmp_path}")
    table.write_bytes(b"\xff\xfe\x00" * 50)
    with pytest.raises(DataError, match=r"GT-final_test\.csv: cannot be read"):
        load(f"gtsrb:{tmp_path}")
    table.write_text(HEAD)
    for path in images.iterdir():
        path.unlink()
    with pytest.raises(DataError, match="lists no images"):
        load(f"gtsrb:{tmp_path}")


def test_damaged_image(tmp_path: Path, images: Path) -> None:
    whole = (images / "00001.ppm").read_bytes()
    for content in (whole[:-500], whole[:9], b"", b"no image"):
        (images / "00001.ppm").write_bytes(content)
        with pytest.raises(DataError, match=r"00001\.ppm: not a readable image"):
            load(f"gtsrb:{tmp_path}")
