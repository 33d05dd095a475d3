"""``board.json`` and ``network.npz`` that are not what they must be: the file, the place in it, what was expected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fat_fpga.board.description import Description
from fat_fpga.errors import BoardError, ModelError
from fat_fpga.network.network_file import read_network, write_network
from tests.board.fake import describe, small_network
from tests.campaign.tiny import tiny_network


def put(content: Any, place: tuple[Any, ...], value: Any) -> None:
    """Set the value at a place, which ends with its key; ``...`` takes it away."""
    for key in place[:-1]:
        content = content[key]
    if value is ...:
        del content[place[-1]]
    else:
        content[place[-1]] = value


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("format",), 3, "expected format 2"),
        (("name",), None, "name must be a string, got null"),
        (("shape",), [1, 4], r"shape must be channels, height, width of an image, got \[1, 4\]"),
        (("shape",), [1, 2**20, 2**20], "shape must be channels, height, width"),
        (("shape", 1), 2**70, r"shape\[1\] must be from 1 to 16777216"),
        (("shape", 1), "4", r"shape\[1\] must be an integer, got '4'"),
        (("table",), [], "table must have a row for each of 1 channels, has 0"),
        (("table", 0), [1], r"table\[0\] must have 256 entries, has 1"),
        (("table", 0, 7), 2**31, r"table\[0\]\[7\] must be from -2147483648 to 2147483647, got 2147483648"),
        (("table", 0, 7), float("nan"), r"table\[0\]\[7\] must be an integer, got nan"),
        (("input",), [], "input must be an object, got a list of 0"),
        (("input", "lanes"), 0, "input.lanes must be from 1"),
        (("input", "lanes"), 3, "input: a stream of 16 channels cannot carry 3 a beat"),
        (("input", "channels"), 8, "input must carry the 16 values of an image in a frame"),
        (("input", "height"), 2**24, "input.channels, height and width make more than 16,777,216 values"),
        (("output", "register", "bits"), 10**9, "output.register.bits must be from 1 to 64"),
        (("output", "register", "step"), 0, "output.register.step must be from 1"),
        (("streams",), {}, "streams must be a list, got an object of 0"),
        (("streams", 1, "place"), "fc0", "streams must have different places"),
        (("streams", 1, "place"), "\x1b[2J", r"streams\[1\].place must be text without control characters"),
        (("streams", 0, "levels", "count"), 2**40, r"streams\[0\].levels.count must be from 2 to 65536"),
        (("streams", 0, "levels", "step"), 2**40, r"streams\[0\].levels.base, step and count reach beyond int32"),
        (
            ("streams", 0, "thresholds", "values"),
            [[1, 2]],
            r"streams\[0\].thresholds.values must have a row for each of 8",
        ),
        (("streams", 0, "thresholds", "count"), 7, r"streams\[0\].thresholds.values\[0\] must have 7 entries, has 2"),
        (("streams", 0, "thresholds", "lanes"), 3, "channels, which lanes divide; there are 8 rows and 3 lanes"),
        (("streams", 0, "thresholds", "address"), ..., r"streams\[0\].thresholds.address is missing"),
        (("streams", 0, "saboteur"), -4, r"streams\[0\].saboteur must be from 0"),
        (("streams", 0, "saboteur"), [], r"streams\[0\].saboteur must be an integer, got a list of 0"),
        (("streams", 0, "voter"), 4, r"streams\[0\].sources must be given with a voter"),
        (("labels",), 1, "labels must be true or false, got 1"),
    ],
)
def test_descriptions(tmp_path: Path, place: tuple[Any, ...], value: Any, message: str) -> None:
    path = tmp_path / "board.json"
    describe(small_network()).write(path)
    content = json.loads(path.read_text())
    put(content, place, value)
    path.write_text(json.dumps(content))
    with pytest.raises(BoardError, match=r"board\.json: .*" + message):
        Description.read(path)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("format",), 9, "expected format 1, 2, 3 of a network file, got 9"),
        (("shape",), [1, 8], "shape must be channels, height, width"),
        (("shape", 0), 3, r"input table: expected int32 \[3, 256\], got int32 \[1, 256\]"),
        (("scale",), float("inf"), "scale must be a number below 2.63, got inf"),
        (("name",), "a\nb", "name must be text without control characters"),
        (("layers",), [], "the last layer must be a matrix-vector unit"),
        (
            ("layers", 0, "type"),
            "Network",
            "layers.0..type must be one of Add, AffineScores, Concat, MajorityVote, MatrixVectorUnit,",
        ),
        (("layers", 0, "stride"), [0, 1], r"layers\[0\].stride\[0\] must be from 1"),
        (("layers", 0, "padding"), [0] * 5, r"layers\[0\].padding must have 4 entries, has 5"),
        (("layers", 0, "padding"), [-1] * 4, r"layers\[0\].padding\[0\] must be from 0"),
        (("layers", 0, "levels", "count"), 2**40, r"layers\[0\].levels.count must be from 2 to 33554432"),
        (("layers", 0, "levels"), None, "conv0: thresholds need levels"),
        (("layers", 0, "weight_type"), 8, r"layers\[0\].weight_type must be a string"),
        (("layers", 1, "kernel"), [99, 99], "is larger than its input"),
        (("layers", 1, "name"), ..., r"layers\[1\].name is missing"),
        (("layers", 0, "name"), "conv1", "layer names must differ"),
        (("fingerprint",), None, "fingerprint must be a string, got null"),
    ],
)
def test_heads_of_networks(tmp_path: Path, place: tuple[Any, ...], value: Any, message: str) -> None:
    path = tmp_path / "network.npz"
    write_network(tiny_network(), path)
    with np.load(path) as file:
        arrays = dict(file)
    head = json.loads(str(arrays["head"]))
    put(head, place, value)
    np.savez(path, **arrays | {"head": np.array(json.dumps(head))})
    with pytest.raises(ModelError, match=r"network\.npz: .*" + message):
        read_network(path)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("weights0", np.zeros((4, 1, 3, 3)), "weights0 must be int32, got float64"),
        ("weights0", np.zeros((4, 3), np.int32), r"weights must be int32 \[M, C, KH, KW\]"),
        ("weights0", np.array([None]), "is of type object, expected numbers or text"),
        ("weights0", None, "the array 'weights0' is missing"),
        ("table", None, "the array 'table' is missing"),
        ("thresholds0", np.zeros((4, 9), np.int32), "thresholds must be int32"),
        ("head", np.array([1, 2]), "it has no head, as network files of fat_fpga have"),
        ("head", np.array("[" * 90_000), "it is nested too deeply"),
        ("head", np.array("{}"), "format is missing"),
    ],
)
def test_arrays_of_networks(tmp_path: Path, name: str, value: Any, message: str) -> None:
    path = tmp_path / "network.npz"
    write_network(tiny_network(), path)
    with np.load(path) as file:
        arrays = {key: array for key, array in file.items() if key != name}
    np.savez(path, **arrays if value is None else arrays | {name: value})
    with pytest.raises(ModelError, match=message) as raised:
        read_network(path)
    assert "network.npz" in str(raised.value)
