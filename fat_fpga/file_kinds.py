"""What kind of file is there, told by its content: so that no command writes over a file of another kind unasked."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

HEAD = 1 << 16
"""Bytes at the start of a file that are looked at."""


class FileKind(NamedTuple):
    """A kind of file: what to call it, and whether the first bytes of a file are those of one."""

    title: str
    matches: Callable[[bytes], bool]


def _starting(title: str, *starts: bytes) -> FileKind:
    return FileKind(title, lambda head: head.startswith(starts))


def _written(title: str, pattern: str) -> FileKind:
    """Text that starts with the pattern; spaces and a byte order mark may precede it."""
    regex = re.compile(rb"(?:\xef\xbb\xbf)?\s*" + pattern.encode(), re.DOTALL)
    return FileKind(title, lambda head: regex.match(head) is not None)


def csv_kind(title: str, columns: Sequence[str]) -> FileKind:
    """CSV of ours, told by its first two columns; later versions may add others."""
    return _written(title, re.escape(",".join(columns[:2])) + r"[,\r\n]")


def json_kind(title: str, key: str) -> FileKind:
    """JSON of ours, told by its format number, its version, and a key that no other kind has."""
    return _written(title, rf'\{{\s*"format":\s*\d+,\s*"version":\s*"[^"]*",.*?"{key}":')


RUN = FileKind("a run file", lambda head: head.startswith(b"SQLite format 3\0") and head[68:72] == b"FATF")
ONNX = FileKind(
    "an ONNX model", lambda head: re.match(rb"\x08[\x01-\x20][\x12\x1a\x22\x28\x32\x3a\x42]", head) is not None
)
PLAN = _written("a plan", r'\{\s*"format":\s*"fat_fpga plan"')
FOLDING = _written("a folding", r'\{\s*(?:"Defaults":.*?)?"[^"]*":\s*\{\s*"(?:PE|SIMD|ram_style)":')
TRACE = _written("checksums of streams", r'\{\s*"[^"]*":\s*\{\s*"checksum":')
ESTIMATES = _written("estimates", r'\{\s*(?:"[^"]*":\s*\{\s*)?"clock_mhz":')
PARQUET = _starting("a Parquet table", b"PAR1")
HTML = _written("an interactive report", r"<!DOCTYPE html>.*?<meta name=\"generator\" content=\"fat_fpga\">")
FIT = _written("failure rates", r"(?:#[^\n]*\n\s*)*format\s*=")
XLSX = _starting("an XLSX table or another ZIP archive", b"PK\x03\x04")
CHECK = _written("what a check found", r'\{\s*"model":\s*"[^"]*",\s*"data":')
RANGES = FileKind(
    "a checkpoint of fat-fpga clip",
    lambda head: head.startswith(b"PK\x03\x04") and b"fat_fpga ranges" in head,
)
FIGURES = {
    "png": _starting("a PNG picture", b"\x89PNG\r\n\x1a\n"),
    "svg": _written("an SVG picture", r"<(?:\?xml.*?<svg|!DOCTYPE svg|svg)\b"),
    "pdf": _starting("a PDF document", b"%PDF-"),
}

_KNOWN = (
    RUN, ONNX, PLAN, FOLDING, PARQUET, HTML, CHECK, RANGES, *FIGURES.values(),
    _starting("an SQLite database", b"SQLite format 3\0"),
    _starting("numpy arrays, a checkpoint or another ZIP archive", b"PK\x03\x04", b"PK\x05\x06"),
    _starting("a numpy array", b"\x93NUMPY"),
    _starting("a gzip archive", b"\x1f\x8b"),
    _starting("a pickle", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
    _written("other JSON", r"[\[{]\s*[\[{\]}\"\d]"),
)  # fmt: skip


def content_of(path: str | os.PathLike[str]) -> str:
    """What a file holds, in words: ``an ONNX model``, ``other text``."""
    head = _head(path)
    for kind in _KNOWN:
        if kind.matches(head):
            return kind.title
    try:
        head[:-3].decode()
        return "other data" if b"\0" in head else "other text"
    except UnicodeDecodeError:
        return "other data"


def check_kind(path: str | os.PathLike[str], kind: FileKind) -> None:
    """FileExistsError if there is a file with content of another kind; devices, pipes and empty files do for any."""
    path = Path(path)
    if path.is_file() and path.stat().st_size and not kind.matches(_head(path)):
        raise FileExistsError(
            17,
            f"there is {content_of(path)}, not {kind.title}: name another file, or give --force to lose it",
            str(path),
        )


def _head(path: str | os.PathLike[str]) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(HEAD)
