"""Folders of images."""

from __future__ import annotations

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
