"""What is written for a board: memories, parameters, addresses; and what is refused, with the layer's name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.board.description import Description
from fat_fpga.board.simulated import PAGE
from fat_fpga.cli import main
from fat_fpga.errors import BoardError
from fat_fpga.network import MatrixVectorUnit, load_network
from fat_fpga.rtl import Fold, build_board
from fat_fpga.rtl.board import check_network
from fat_fpga.rtl.memories import threshold_words, weight_words, write_words
from fat_fpga.rtl.stages import cycles, steps_between
from tests.designs.random_network import random_network
from tests.rtl.designs import fitting, random_folds

STOCK = {
    "conv0": Fold(16, 3), "conv1": Fold(32, 32), "conv2": Fold(16, 32), "conv3": Fold(16, 32), "conv4": Fold(4, 32),
    "conv5": Fold(1, 32), "fc6": Fold(1, 4), "fc7": Fold(1, 8), "fc8": Fold(5, 1),
}  # fmt: skip


@pytest.mark.parametrize("bits", [1, 2, 5])
def test_weights_one_by_one(bits: int) -> None:
    """Word (fold, beat) has, for each PE, the lowest bits of all lanes, then the next ones."""
    rng, pe, simd = np.random.default_rng(bits), 3, 4
    span = [-1, 1] if bits == 1 else range(-(1 << bits - 1), 1 << bits - 1)
    weights = rng.choice(np.array(span), (6, 4, 2, 3)).astype(np.int32)
    words = weight_words(weights, pe, simd, bits)
    assert words.shape == (2 * 6, pe * simd * bits)
    for c in range(6):
        for k in range(24):
            y, x, channel = k // 12, k // 4 % 3, k % 4
            value = int(weights[c, channel, y, x])
            word = words[c // pe * 6 + k // simd]
            for bit in range(bits):
                wanted = int(value > 0) if bits == 1 else value >> bit & 1
                assert word[(c % pe * bits + bit) * simd + k % simd] == wanted


def test_thresholds_one_by_one(tmp_path: Path) -> None:
    values = np.array([[-3, 5], [7, -8], [0, 1], [2, -1]], np.int64)
    words = threshold_words(values, 2, 4)
    write_words(tmp_path / "t.hex", words)
    assert (tmp_path / "t.hex").read_text() == "875d\nf210\n"


def test_a_page_for_each_block(tmp_path: Path) -> None:
    network = load_network("cnv_w1a1")
    description = build_board(network, STOCK, tmp_path, compiled=False)
    assert description == Description.read(tmp_path / "board.json")
    text = (tmp_path / "fat_board.sv").read_text()
    spans = re.search(r"\.FIRST\(\d+'h([0-9a-f]+)\), \.SPAN\(\d+'h([0-9a-f]+)\)", text)
    assert spans
    first, size = ([int(one, 16) >> 16 * n & 0xFFFF for n in range(30)] for one in spans.groups())
    taken = [page + n for page, count in zip(first, size, strict=True) for n in range(count)]
    assert len(taken) == len(set(taken))
    assert all(page % count == 0 for page, count in zip(first, size, strict=True))
    for stream in description.streams:
        thresholds = None if stream.thresholds is None else stream.thresholds.address
        for address in (stream.saboteur, stream.checksum, thresholds):
            assert address is None or int(address) // PAGE in taken
    assert [stream.place for stream in description.streams] == [layer.name for layer in network.layers]
    assert text.count("fat_saboteur #") == 10
    assert text.count("fat_checksum #") == 11
    assert text.count("fat_window #") == 5  # of conv5, a window is the whole frame
    assert {stream.place: stream.layout.lanes for stream in description.streams}["fc8"] == 5


def test_cycles_are_those_of_the_folding() -> None:
    taken = cycles(load_network("cnv_w1a1"), STOCK)
    assert list(taken.values()) == [32400, 28224, 20736, 28800, 20736, 18432, 32768, 32768, 1024]


def test_lanes_by_way_of_a_common_divisor() -> None:
    assert steps_between(4, 4) == []
    assert steps_between(4, 16) == [16]
    assert steps_between(16, 4) == [4]
    assert steps_between(6, 4) == [2, 4]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conv1": Fold(32, 7)}, "conv1: PE 32 and SIMD 7 must divide its 64 channels and 64 channels in front"),
        ({"fc6": Fold(3, 4)}, "fc6: PE 3 and SIMD 4 must divide its 512 channels and 256 inputs"),
        ({name: Fold(1, 1) for name in STOCK}, "conv1: this folding needs 59,..., cycles from an image to its scores"),
    ],
)
def test_foldings_that_do_not_fit(change: Mapping[str, Fold], message: str, tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=message.replace("...,", r"[\d,]+")):
        build_board(load_network("cnv_w1a1"), {**STOCK, **change}, tmp_path / "board")
    assert not (tmp_path / "board" / "board.json").exists()


def test_networks_that_are_refused_name_the_layer() -> None:
    told = set()
    for seed in range(60):
        network = random_network(seed)
        try:
            check_network(network)
        except BoardError as error:
            name, why = str(error).split(": ", 1)
            assert any(layer.name == name for layer in network.layers)
            told.add(why.split(";")[0][:40])
    assert told == {"our max-pool takes windows that do not o", "it pads with 0, and the levels -1 and +1"}
    with pytest.raises(BoardError, match=r"fc2\.scores: a board of our own RTL has no Scores yet"):
        check_network(load_network("lenet_fc"))


def test_every_random_network_that_fits_is_written(tmp_path: Path) -> None:
    for number, (seed, network) in enumerate(fitting()):
        if number == 12:
            break
        folds = random_folds(network, seed)
        description = build_board(network, folds, tmp_path / str(seed), compiled=False)
        assert description.output.channels == network.classes
        for unit in network.units:
            assert isinstance(unit, MatrixVectorUnit)
            rows = (tmp_path / str(seed) / "memories" / f"{unit.name}.weights.hex").read_text().split()
            fold = folds[unit.name]
            assert len(rows) == unit.weights.size // (fold.pe * fold.simd)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "board")
    assert main(["board", "build", "cnv_w2a2", "--folding", "stock", "-o", folder, "--no-simulation"]) == 0
    said = capsys.readouterr().out
    assert "cnv_w2a2: an image each 115,200 cycles, the time of conv3" in said
    assert f"wrote {folder}: fat_board.sv" in said
    assert main(["board", "build", "lenet_fc", "--folding", "1x1,1x1,1x1", "-o", folder]) == 2
    assert "a board of our own RTL has no Scores yet" in capsys.readouterr().err
    assert main(["board", "build", "cnv_w1a1", "--folding", "plan", "-o", folder]) == 2
    assert "folding plan: give --plan, too" in capsys.readouterr().err
