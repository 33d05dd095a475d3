"""Blocks from sweeps, and ``fat-fpga energy assign`` on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.campaign.sweep import Sweep
from fat_fpga.cli import main
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.energy import Reliability, blocks_of
from fat_fpga.engines.reference import classes, execute
from fat_fpga.errors import EnergyError
from fat_fpga.network import Network
from tests.campaign.tiny import tiny_data, tiny_network

RATES = (0.05, 0.3)


def own_data(network: Network) -> Dataset:
    """Images whose class is what the network says: it is right on all of them."""
    data = tiny_data()
    labels = classes(execute(network, data.images)[network.layers[-1].name]).astype(np.int64)
    return replace(data, labels=labels)


def swept(path: Path, kinds: Sequence[str], layers: tuple[str, ...] | None, scope: str, seed: int = 0) -> Run:
    network = tiny_network(seed)
    sweep = Sweep(tuple(kinds), RATES, 6, scope, "flip", layers)
    return run_campaign(network, own_data(network), sweep.selection(network), path, "reference")


def test_a_block_is_a_curve_with_the_words_that_are_hit(tmp_path: Path) -> None:
    alone = swept(tmp_path / "layers.run", ["weight"], None, "layer")
    blocks = blocks_of([alone])
    assert [(block.name, block.accesses) for block in blocks] == [("conv0", 36), ("conv1", 48), ("fc2", 48)]
    for block in blocks:
        for (rate, loss), wanted in zip(block.points, RATES, strict=True):
            own = [result.correct for result in alone.results
                   if (result.layer, result.pattern.rate) == (block.name, wanted)]  # fmt: skip
            assert rate == wanted
            assert loss == pytest.approx(100 * (alone.error_free - sum(own) / len(own)) / alone.images)
    joined = swept(tmp_path / "joined.run", ["weight", "activation"], ("conv0", "conv1"), "network")
    # conv0 gives 4 x 6 x 6 activations, conv1 3 x 2 x 2
    (block,) = blocks_of([joined])
    assert block.accesses == 36 + 48 + 4 * 36 + 12
    with pytest.raises(EnergyError, match="is in two blocks"):
        blocks_of([alone, joined])
    with pytest.raises(EnergyError, match="whole network"):
        blocks_of([swept(tmp_path / "whole.run", ["weight"], None, "network")])
    with pytest.raises(EnergyError, match="another network"):
        blocks_of([alone, swept(tmp_path / "other.run", ["weight"], None, "layer", seed=1)])
    with pytest.raises(EnergyError, match="weights and activations"):
        blocks_of([swept(tmp_path / "thresholds.run", ["threshold"], None, "layer")])


@pytest.mark.parametrize("most", [2.0, 10.0, 25.0])
def test_the_command_finds_the_best_of_all_assignments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], most: float
) -> None:
    run = swept(tmp_path / "layers.run", ["weight"], None, "layer")
    blocks, reliability = blocks_of([run]), Reliability()
    assert run.error_free == run.images
    assert sum(max(loss for _, loss in block.points) for block in blocks) > most > 0
    wanted = float("inf")
    for chosen in product(*([(0.0, 0.0), *block.points] for block in blocks)):
        if sum(max(0.0, loss) for _, loss in chosen) <= most:
            pairs = zip(blocks, chosen, strict=True)
            wanted = min(wanted, sum(block.accesses * reliability.energy(rate) for block, (rate, _) in pairs))
    path = str(tmp_path / "layers.run")
    assert main(["energy", "assign", path, "--most-loss", str(most), "--ratios", "1,2,4"]) == 0
    output = capsys.readouterr().out
    assert f"least energy: {wanted:,.0f} of 132 accesses" in output
    assert "fixed ratios: " in output
    assert main(["energy", "assign", path, "--most-loss", "20", "--ratios", "1,2"]) == 2
    assert "a ratio above 0 for each of 3 blocks" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["energy", "assign", path, "--most-loss", "-1"])
