"""Numpy's files: read to the same arrays as numpy reads, and refused by their headers before anything is allocated."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from fat_fpga.npz_file import UnreadableError, read_npy, read_npz

DTYPES = hnp.integer_dtypes() | hnp.unsigned_integer_dtypes() | hnp.floating_dtypes() | hnp.boolean_dtypes()


def with_header(array: np.ndarray, **header: Any) -> bytes:
    """An .npy file that says other things of its array than are true."""
    head, body = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(array) | header)
    np.lib.format.write_array(body, array)
    length = 10 + struct.unpack("<H", body.getvalue()[8:10])[0]
    return head.getvalue() + body.getvalue()[length:]


@given(hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, min_side=0, max_dims=4)))
def test_the_same_as_numpy_reads(array: np.ndarray) -> None:
    for kept in (array, np.asfortranarray(array)):
        with TemporaryDirectory() as folder:
            np.savez_compressed(Path(folder) / "a.npz", a=kept, b=np.array("text"))
            found = read_npz(Path(folder) / "a.npz")
        assert found["a"].dtype == kept.dtype
        assert np.array_equal(found["a"], kept, equal_nan=kept.dtype.kind == "f")
        assert str(found["b"]) == "text"


def test_npy_and_large_ones(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 256, (40, 1000, 1000), np.uint8)
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", a=array, other=array)
    assert np.array_equal(read_npy(tmp_path / "a.npy"), array)
    assert list(read_npz(tmp_path / "a.npz", only=("a", "b"))) == ["a"]
    assert np.array_equal(read_npz(tmp_path / "a.npz")["a"], array)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"shape": (2**40,)}, r"should have 8,796,093,022,208 bytes, of shape \[1099511627776\]"),
        ({"shape": (2**62, 2**62)}, "should have"),
        ({"shape": (-3,)}, r"has the shape \[-3\]"),
        ({"shape": (3, *[1] * 40)}, "which no array of ours has"),
        ({"shape": (2,)}, "should have 16 bytes, of shape .2. and type int64; it has 24"),
        ({"descr": "|O"}, "is of type object, expected numbers or text"),
        ({"descr": "<M8[s]"}, "expected numbers or text"),
        ({"descr": "<U1000000"}, "should have 12,000,000 bytes"),
        ({"descr": [("a", "<i8")]}, "expected numbers or text"),
    ],
)
def test_headers_that_lie(tmp_path: Path, header: dict[str, Any], message: str) -> None:
    content = with_header(np.arange(3), **header)
    (tmp_path / "a.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", content)
    for read in (lambda: read_npy(tmp_path / "a.npy"), lambda: read_npz(tmp_path / "a.npz")):
        tracemalloc.start()
        with pytest.raises(UnreadableError, match=message):
            read()
        assert tracemalloc.get_traced_memory()[1] < 2**22
        tracemalloc.stop()


def test_archives_that_are_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=np.arange(1000))
    whole = path.read_bytes()
    for content in (
        b"",
        b"no archive",
        whole[:100],
        whole[:-10],
        whole.replace(whole[200:220], bytes(20)),
        b"\x93NUMPY",
    ):
        path.write_bytes(content)
        with pytest.raises(UnreadableError):
            read_npz(path)
    np.save(tmp_path / "b.npy", np.zeros(3))
    with pytest.raises(UnreadableError, match="it is a single array"):
        read_npz(tmp_path / "b.npy")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", with_header(np.zeros(2)))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.npy", with_header(np.ones(2)))
    with pytest.raises(UnreadableError, match="the array 'a' is in it twice"):
        read_npz(path)
