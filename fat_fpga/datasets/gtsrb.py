"""GTSRB, German traffic signs, in its official layout of PPM images and CSV tables.

Test: ``Final_Test/Images/NNNNN.ppm`` and ``GT-final_test.csv``, beside the images or above them. Training:
``Final_Training/Images/000CC/*.ppm``, a folder for each class with its ``GT-000CC.csv``. The tables are separated by
semicolons; their columns ``Filename`` and ``ClassId`` are used.

The photographs have 15 to 250 pixels a side. Each is resized to 32 x 32, bilinear with antialiasing: as a whole, so
that the frame of a tenth of the size around a sign is kept, or, where that is asked for, its region of interest, from
``Roi.X1``, ``Roi.Y1`` up to, not including, ``Roi.X2``, ``Roi.Y2``. Zahid et al. 2020 (section V) do not say how theirs
were prepared.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fat_fpga.datasets.dataset import Dataset
from fat_fpga.datasets.files import Official, find_folder
from fat_fpga.datasets.images import Box, eight_bits, read_images, resize
from fat_fpga.datasets.part import Part
from fat_fpga.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

OFFICIAL = Official("GTSRB", "https://benchmark.ini.rub.de/gtsrb_dataset.html")
CLASSES = tuple(f"{index:05d}" for index in range(43))
SIDE = 32
ROI = ("Roi.X1", "Roi.Y1", "Roi.X2", "Roi.Y2")
NO_BOX = (0, 0, 0, 0)
TEST = ("Final_Test/Images/GT-final_test.csv", "Final_Test/GT-final_test.csv", "GT-final_test.csv")
TRAIN = tuple(f"{parent}00000/GT-00000.csv" for parent in ("Final_Training/Images/", "Training/", ""))


def load_gtsrb(folder: Path, part: Part, roi: bool = False) -> Dataset:
    """Load GTSRB from ``folder``, which holds the official folders, or holds ``GTSRB`` that does.

    Args:
        part: which images; no others are read. The some 30 photographs of one sign on one drive (a track) are held out
            together: they look all but the same.
        roi: whether images are cut to their region of interest before they are resized.

    Raises:
        DataError: Pillow is missing, or a file is missing, damaged, or not what it should be.
    """
    known = TEST if part.file == "test" else TRAIN
    found = find_folder(folder, ("GTSRB", "gtsrb"), known, OFFICIAL)
    table = next(found / name for name in known if (found / name).is_file())
    if part.file == "test":
        images = found / "Final_Test" / "Images"
        rows = _rows(table, images if images.is_dir() else table.parent, roi)
    else:
        rows = []
        for name in CLASSES:
            own = table.parents[1] / name
            if not own.is_dir():
                raise DataError(f"{own}: no such folder; expected one for each of the {len(CLASSES)} classes")
            rows += _rows(own / f"GT-{name}.csv", own, roi)
    name = f"gtsrb:{part.split or part.file}{part.text}{', roi' if roi else ''}"
    chosen = part.of([(label, path.name.partition("_")[0]) for path, label, _ in rows])
    rows = [rows[index] for index in chosen]
    if not rows:
        raise DataError(f"{found}: {name} holds no images; at least one is needed")
    pixels, _ = read_images([path for path, _, _ in rows], _prepare, [box for _, _, box in rows] if roi else None)
    return Dataset(name, pixels, np.array([label for _, label, _ in rows], np.int64), CLASSES)


def _prepare(image: Image.Image) -> Image.Image:
    return resize(eight_bits(image, colour=True), SIDE, SIDE)


def _rows(table: Path, images: Path, roi: bool) -> list[tuple[Path, int, Box]]:
    """Image, class and region of interest of each row; the table must list exactly the images that are there, so a cut
    one is noticed."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter=";")
            content, columns = list(reader), reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if not {"Filename", "ClassId"} <= set(columns):
        found = ", ".join(columns) or "none"
        raise DataError(f"{table}: expected the columns Filename and ClassId, separated by ';', found {found}")
    if roi and not set(ROI) <= set(columns):
        raise DataError(f"{table}: --roi needs the columns {', '.join(ROI)}, found {', '.join(columns)}")
    rows = []
    for number, row in enumerate(content, 2):
        label = row["ClassId"] or ""
        if not re.fullmatch(r"\s*[0-9]{1,5}\s*", label) or int(label) >= len(CLASSES):
            raise DataError(
                f"{table}, line {number}: expected a class from 0 to {len(CLASSES) - 1} in ClassId, got {label!r}"
            )
        rows.append((images / row["Filename"], int(label), _box(row, f"{table}, line {number}") if roi else NO_BOX))
    listed = [path.name for path, _, _ in rows]
    there = {path.name for path in images.glob("*.ppm")}
    for names, problem in (
        ([name for name in listed if name not in there], f"in {table.name} but not there"),
        (sorted(there - set(listed)), f"there but not in {table.name}"),
        ([name for name, before in zip(sorted(listed), sorted(listed)[1:], strict=False) if name == before], "twice"),
    ):
        if names:
            raise DataError(f"{images}: {len(names)} images are {problem}, {names[0]} for one; copy the data set again")
    if not rows:
        raise DataError(f"{table}: lists no images; copy or download it again")
    return rows


def _box(row: Mapping[str, str | None], where: str) -> Box:
    """The region of interest of a row."""
    texts = [(row[name] or "").strip() for name in ROI]
    if not all(re.fullmatch("[0-9]{1,5}", text) for text in texts):
        raise DataError(f"{where}: expected whole numbers of pixels in {', '.join(ROI)}, got {texts}")
    left, top, right, bottom = map(int, texts)
    return left, top, right, bottom
