"""Folders of images."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import sys
import tracemalloc
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fat_fpga.datasets import load
from fat_fpga.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 6, 5, 3), dtype=np.uint8)


def write(folder: Path) -> None:
    for index, path in enumerate(("dog/b.png", "dog/a.png", "cat/x.png", "cat/y.bmp")):
        (folder / path).parent.mkdir(exist_ok=True)
        Image.fromarray(PIXELS[index]).save(folder / path)


def test_classes_and_files_in_order(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "dog" / "notes.txt").write_text("no image")
    data = load(f"folder:{tmp_path}")
    assert data.classes == ("cat", "dog")
    assert data.labels.tolist() == [0, 0, 1, 1]
    np.testing.assert_array_equal(data.images, PIXELS[[2, 3, 1, 0]].transpose(0, 3, 1, 2))


def test_grey_images_have_one_channel(tmp_path: Path) -> None:
    (tmp_path / "only").mkdir()
    Image.fromarray(PIXELS[0, :, :, 0]).save(tmp_path / "only" / "a.png")
    np.testing.assert_array_equal(load(f"folder:{tmp_path}").images, PIXELS[:1, None, :, :, 0])


def test_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        load(f"folder:{tmp_path / 'nowhere'}")
    with pytest.raises(DataError, match="no sub-folders"):
        load(f"folder:{tmp_path}")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no images in its 1 sub-folders"):
        load(f"folder:{tmp_path}")
    write(tmp_path)
    Image.fromarray(PIXELS[0, :3]).save(tmp_path / "dog" / "c.png")
    with pytest.raises(DataError, match=r"c\.png: image of shape \[3, 3, 5\] .* among images of \[3, 6, 5\]"):
        load(f"folder:{tmp_path}")
    (tmp_path / "dog" / "c.png").write_bytes(b"no image at all")
    with pytest.raises(DataError, match=r"c\.png: not a readable image"):
        load(f"folder:{tmp_path}")
    Image.fromarray(PIXELS[0, :, :, 0].astype(np.uint16)).save(tmp_path / "dog" / "c.png")
    with pytest.raises(DataError, match="more than 8 bits"):
        load(f"folder:{tmp_path}")


def save(path: Path, height: int, width: int, seed: int, mode: str = "RGB") -> Image.Image:
    path.parent.mkdir(parents=True, exist_ok=True)
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = Image.fromarray(rgb).convert(mode)
    image.save(path)
    return image


def test_images_are_brought_to_what_the_network_takes(tmp_path: Path) -> None:
    saved = [
        save(tmp_path / "a" / "0.png", 300, 400, 0),
        save(tmp_path / "a" / "1.png", 500, 333, 1, "L"),
        save(tmp_path / "b" / "2.png", 224, 224, 2),
        save(tmp_path / "b" / "3.png", 100, 90, 3),
    ]
    data = load(f"folder:{tmp_path}", shape=(3, 224, 224))
    assert data.name == f"folder:{tmp_path.name}, centre 224x224"
    assert data.images.shape == (4, 3, 224, 224)
    for image, shown in zip(saved, data.images, strict=True):
        expected = image.convert("RGB")
        if image.size != (224, 224):  # the shorter side to 256, the centre of that
            short = min(image.size)
            width, height = (round(256 * side / short) for side in image.size)
            left, top = (width - 224) // 2, (height - 224) // 2
            expected = expected.resize((width, height), Image.Resampling.BILINEAR)
            expected = expected.crop((left, top, left + 224, top + 224))
        np.testing.assert_array_equal(shown, np.asarray(expected).transpose(2, 0, 1))
    with pytest.raises(DataError, match=r"1\.png: image of shape \[1, 500, 333\]"):
        load(f"folder:{tmp_path}")


def test_images_that_fit_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path)
    plain, asked = load(f"folder:{tmp_path}"), load(f"folder:{tmp_path}", shape=(3, 6, 5))
    assert (plain.fingerprint, plain.name) == (asked.fingerprint, asked.name)


@pytest.mark.parametrize(("shape", "size"), [((3, 28, 56), (40, 41)), ((3, 28, 28), (3, 500)), ((3, 1, 1), (1, 9))])
def test_any_size_comes_from_any_size(tmp_path: Path, shape: tuple[int, int, int], size: tuple[int, int]) -> None:
    save(tmp_path / "a" / "0.png", *size, 0)
    assert load(f"folder:{tmp_path}", shape=shape).images.shape == (1, *shape)


def test_a_network_that_takes_grey_images_gets_no_colours_made_grey(tmp_path: Path) -> None:
    save(tmp_path / "a" / "0.png", 30, 30, 0, "L")
    assert load(f"folder:{tmp_path}", shape=(1, 28, 28)).images.shape == (1, 1, 28, 28)
    save(tmp_path / "a" / "0.png", 30, 30, 0)
    assert load(f"folder:{tmp_path}", shape=(1, 28, 28)).images.shape == (1, 3, 28, 28)


def test_parts_of_imagenet(tmp_path: Path) -> None:
    for seed, path in enumerate(("train/n01/a.JPEG", "train/n02/b.JPEG", "val/n02/c.JPEG", "val/n02/d.JPEG")):
        save(tmp_path / path, 20, 20, seed)
    (tmp_path / "train" / ".cache").mkdir()
    train, test = load(f"folder:{tmp_path}", "train"), load(f"folder:{tmp_path}")
    assert (train.name, test.name) == (f"folder:{tmp_path.name}/train", f"folder:{tmp_path.name}/val")
    assert train.classes == test.classes == ("n01", "n02")  # the same label in both
    assert (train.labels.tolist(), test.labels.tolist()) == ([0, 1], [1, 1])
    assert load(f"folder:{tmp_path / 'val'}").labels.tolist() == [0, 0]
    (tmp_path / "val").rename(tmp_path / "test")
    assert load(f"folder:{tmp_path}").fingerprint == test.fingerprint
    (tmp_path / "test").rename(tmp_path.parent / "gone")
    with pytest.raises(DataError, match="no test part; expected a folder test or val beside train"):
        load(f"folder:{tmp_path}")


def test_no_more_images_are_read_than_asked_for(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "dog" / "b.png").write_bytes(b"damaged")
    assert len(load(f"folder:{tmp_path}", limit=3)) == 3
    with pytest.raises(DataError, match=r"b\.png: not a readable image"):
        load(f"folder:{tmp_path}", limit=4)


def test_without_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(DataError, match=r"needs the package Pillow: pip install '.\[data\]'"):
        load(f"folder:{tmp_path}")


def test_images_spread_over_all_classes(tmp_path: Path) -> None:
    write(tmp_path)
    data = load(f"folder:{tmp_path}", spread=2)
    assert data.labels.tolist() == [0, 1]
    np.testing.assert_array_equal(data.images, PIXELS[[2, 1]].transpose(0, 3, 1, 2))
    assert len(load(f"folder:{tmp_path}", spread=9)) == 4


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG that says it has so many pixels."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    parts = [struct.pack(">I", len(c)) + kind + c + struct.pack(">I", zlib.crc32(kind + c)) for kind, c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("width", "height", "message"),
    [
        (9_000, 9_000, r"9000 x 9000 pixels, expected at most 50,000,000"),
        (2**16, 2**16, r"4294967296 pixels\) exceeds limit|65536 x 65536 pixels"),
        (2**31 - 1, 2**31 - 1, "not a readable image"),
        (0, 32, "not a readable image"),
        (100, 100, "not a readable image"),
    ],
)
def test_images_that_promise_more_than_they_have(tmp_path: Path, width: int, height: int, message: str) -> None:
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog" / "a.png").write_bytes(png(width, height, bytes(10_000)))
    tracemalloc.start()
    with pytest.raises(DataError, match=rf"a\.png: .*{message}"):
        load(f"folder:{tmp_path}")
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


def test_loops_pipes_and_devices(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "again").symlink_to(tmp_path)
    assert load(f"folder:{tmp_path}").classes == ("again", "cat", "dog")
    with pytest.raises(DataError, match="loop: no such folder"):
        load(f"folder:{tmp_path / 'loop'}")
    for name, make in (
        ("pipe.png", os.mkfifo),
        ("zero.png", lambda path: path.symlink_to("/dev/zero")),
        ("folder.png", Path.mkdir),
    ):
        make(tmp_path / "cat" / name)
        with pytest.raises(DataError, match=rf"{name}: no file: a folder, a device or a pipe"):
            load(f"folder:{tmp_path}")
        path = tmp_path / "cat" / name
        path.rmdir() if path.is_dir() else path.unlink()
    (tmp_path / "cat" / "link.png").symlink_to("link.png")
    with pytest.raises(DataError, match=r"link\.png: "):
        load(f"folder:{tmp_path}")


def test_nothing_but_the_one_line_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "dog").mkdir()
    image = io.BytesIO()
    Image.fromarray(PIXELS[0]).save(image, "TIFF")
    content = image.getvalue()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for cut in range(8, len(content), 7):
            (tmp_path / "dog" / "a.tif").write_bytes(content[:cut])
            with contextlib.suppress(DataError):
                load(f"folder:{tmp_path}")
    assert capfd.readouterr() == ("", "")
