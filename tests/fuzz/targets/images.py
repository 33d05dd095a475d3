"""Image files, and folders of them: damaged, of absurd sizes, links, pipes, and files that are no images."""

from __future__ import annotations

import os
import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from tests.fuzz.damage import damaged
from tests.fuzz.target import Rng, Target, pick
from tests.fuzz.targets.good import campaign

FORMATS = ("PNG", "JPEG", "BMP", "PPM", "WEBP", "TIFF", "GIF")


def _prepare(good: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    for name in FORMATS:
        Image.fromarray(pixels).save(good / f"image.{name.lower()}", name)


def _spoil(rng: Rng, good: Path, folder: Path) -> list[str]:
    data = folder / "images"
    for label in ("a", "b"):
        (data / label).mkdir(parents=True)
        (data / label / "0.png").write_bytes((good / "image.png").read_bytes())
    what = rng.random()
    name = str(pick(rng, *FORMATS)).lower()
    if what < 0.65:
        content = damaged((good / f"image.{name}").read_bytes(), rng)
        (data / "a" / f"1.{pick(rng, name, 'png', 'jpg', 'tif', 'webp')}").write_bytes(content)
    elif what < 0.85:
        (data / "a" / "1.png").write_bytes(_absurd(rng))
    else:
        _folder(rng, data)
    if rng.random() < 0.2:
        return campaign(rng, good / "colour.onnx", "gtsrb:images", images=None)
    return campaign(rng, good / str(pick(rng, "colour.onnx", "colour.onnx", "tiny.onnx")), "folder:images", images=None)


def _absurd(rng: Rng) -> bytes:
    """A PNG whose header promises more than there is, or that unpacks to far more than it weighs."""
    width, height = (int(pick(rng, 1, 32, 2**16, 2**20, 2**31 - 1, 20_000, 9_000, 0)) for _ in range(2))
    bits, colour = int(pick(rng, 8, 8, 16, 1)), int(pick(rng, 0, 2, 3, 6))
    promise = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(pick(rng, 0, 1)))
    rows = zlib.compress(bytes(int(pick(rng, 0, 100, 10_000_000, 100_000_000))), 9)
    text = b"Comment\0\0" + zlib.compress(bytes(int(pick(rng, 1, 50_000_000))), 9)
    chunks = [(b"IHDR", promise), (b"zTXt", text), (b"IDAT", rows), (b"IEND", b"")]
    if rng.random() < 0.2:
        chunks.insert(1, (b"PLTE", bytes(int(pick(rng, 0, 3, 5, 768, 3000)))))
    out = BytesIO(b"\x89PNG\r\n\x1a\n")
    out.seek(8)
    for kind, content in chunks:
        out.write(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content)))
    return out.getvalue()


def _folder(rng: Rng, data: Path) -> None:
    """Something in the folder that is no plain file or folder."""
    place = data / str(pick(rng, "c", "a/1.png", "a/1.jpg", "val", "train"))
    what = int(rng.integers(10))
    if what == 0:
        place.symlink_to(place)
    elif what == 1:
        place.symlink_to(data)
    elif what == 2:
        os.mkfifo(place)
    elif what == 3:
        place.symlink_to("/dev/zero")
    elif what == 4:
        place.symlink_to("/proc/self")
    elif what == 5:
        place.symlink_to("nowhere")
    elif what == 6:
        place.mkdir()
    elif what == 7:
        (data / "x\x1b[31m\n\x07").mkdir()
        (data / "x\x1b[31m\n\x07" / "1.png").write_bytes(b"no image")
    elif what == 8:
        place.symlink_to("/")
    else:
        place.write_bytes(b"")


TARGET = Target("images", 3, _prepare, _spoil)
