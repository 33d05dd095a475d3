"""What cannot become a simulated board is refused before FINN is asked; and the top module that is generated."""

from __future__ import annotations

from pathlib import Path

import pytest

from fat_fpga.errors import FinnError
from fat_fpga.finn.board_top import Stage, top_module
from fat_fpga.finn.folding import Fold
from fat_fpga.finn.simulated import build_simulated_board
from fat_fpga.hardening import rearranged
from fat_fpga.network import MatrixVectorUnit, MaxPool
from tests.board.fake import describe, small_network
from tests.designs.random_network import random_network

REFUSED = "XNOR units|fully connected layers only|has pools in HLS only"
FOLDS = {"fc0": Fold(4, 4), "fc1": Fold(4, 4), "fc2": Fold(1, 4)}


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ({"fc0": Fold(4, 4)}, "fc1: the folding does not name it"),
        ({**FOLDS, "fc1": Fold(3, 4)}, "fc1: PE 3 and SIMD 4 must divide its 8 channels and 8 inputs"),
        ({**FOLDS, "fc1": Fold(4, 2)}, "fc1: SIMD 2 must be the 4 channels a beat in front of it"),
    ],
)
def test_foldings_that_do_not_fit(folds: dict[str, Fold], message: str, tmp_path: Path) -> None:
    with pytest.raises(FinnError, match=message):
        build_simulated_board(small_network(), folds, tmp_path)


def test_networks_without_rtl(tmp_path: Path) -> None:
    refused = set()
    for seed in range(40):
        network = random_network(seed)
        folds = {unit.name: Fold(1, 1) for unit in network.units}
        bipolar = any(unit.levels is not None and unit.levels.bipolar for unit in network.units)
        spatial = any(shape[1:] != (1, 1) for shape in network.shapes)
        pools = any(isinstance(layer, MaxPool) for layer in network.layers)
        if bipolar or spatial or pools:
            with pytest.raises(FinnError, match=REFUSED) as told:
                build_simulated_board(network, folds, tmp_path)
            refused.add(str(told.value).split(": ", 1)[1])
    assert len(refused) == 3


def test_every_block_has_a_page_of_its_own() -> None:
    network = small_network()
    description = describe(network)
    *inner, scores = description.streams
    stages = [Stage(f"mvau{i}", 32, 24, f"thr{i}", (s,)) for i, s in enumerate(inner)]
    text = top_module([*stages, Stage("mvau2", 8, 8, None, (scores,))], description.input, description.output)
    for n in range(7):
        assert text.count(f"(b_awvalid[{n}])") == 1
    assert ".BLOCKS(7)" in text
    assert text.count("fat_saboteur ") == 2
    assert text.count("fat_checksum ") == 3
    assert text.count("_memstream_wrapper ") == 3


def test_votes_are_part_of_a_board_and_pass_the_check(tmp_path: Path) -> None:
    network = rearranged(small_network(), "fc0", [*range(8), 0, 0, 3, 3])
    assert isinstance(network.layers[0], MatrixVectorUnit)
    with pytest.raises(FinnError, match="fc0: PE 8 and SIMD 4 must divide its 12 channels"):
        build_simulated_board(network, {**FOLDS, "fc0": Fold(8, 4)}, tmp_path)
