"""Network files that other people published: all their streams and classes, against the execution of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import onnx
import pytest

from fat_fpga.engines import get
from fat_fpga.engines.file_engine import FileEngine
from fat_fpga.network import load_network
from tests.designs.against_file import check_file
from tests.designs.random_network import random_images

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "models"


class Published(NamedTuple):
    """What the file takes, and how many of its streams are held against its own, for so many inputs."""

    pixels: Literal["auto", "raw", "none"]
    streams: int
    inputs: int = 20
    constant: bool = False  # the same outputs for all inputs: its last quantiser is saturated
    rounded: tuple[str, ...] = ()  # the pixels' scale, 1/255, is no power of two, and the file computes in float32
    wide: bool = False  # its sums need more than the 24 bits of float32, in which its own engine would compute


FILES = {
    "chisel4ml_bnn": Published("auto", 3),
    "chisel4ml_sint": Published("auto", 3),
    "finn_tfc_w1a1": Published("raw", 5),
    "metafi_residual": Published("none", 59, 2, constant=True),
    "mlperf_kws_mlp_w3a3": Published("none", 5),
    "qkeras_conv_channels_last": Published("auto", 4, rounded=("conv1", "fc2")),
    "qkeras_dense": Published("auto", 3),
    "qkeras_dense_float_between": Published("auto", 3, wide=True),
    "radioml_vgg10_w8a8": Published("none", 18, 3),
}


def check(name: str, inputs: int) -> None:
    file, path = FILES[name], FOLDER / f"{name}.onnx"
    if not path.exists():
        pytest.skip("the files of other repositories are not here")
    if file.wide:
        check_file(onnx.load(path), inputs)
        return
    network = load_network(path, pixels=file.pixels)
    rows, labels = random_images(network, inputs), np.zeros(inputs, np.int64)
    executed, lowered = FileEngine(path, file.pixels).open(network), get("reference").open(network)
    made, expected = executed.trace(rows), lowered.trace(rows)
    assert len(made) == file.streams
    for stream, values in made.items():
        apart = np.abs(values.reshape(inputs, -1) - expected[stream].reshape(inputs, -1))
        if stream not in file.rounded:
            assert not apart.any(), stream
        elif stream == file.rounded[0]:  # those behind it follow from it
            assert apart.max() <= 1
            assert np.count_nonzero(apart) <= apart.size // 1000
    told = network.scores if not file.constant else "add0"
    assert len({row.tobytes() for row in expected[told]}) > 1, "equal scores tell nothing"
    golden = executed.run(rows, labels, []).golden
    for engine in ("reference", "native"):
        assert np.array_equal(get(engine).open(network).run(rows, labels, []).golden, golden)


@pytest.mark.parametrize("name", FILES)
def test_a_published_file_is_the_network_that_it_executes(name: str) -> None:
    check(name, FILES[name].inputs)


def test_every_published_file_is_named() -> None:
    assert not FOLDER.exists() or {path.stem for path in FOLDER.glob("*.onnx")} == set(FILES)
