"""Criticalities, designs and cost models so small that every subset of channels can be gone through."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Run
from fat_fpga.hardening.costs import finn
from fat_fpga.hardening.costs.estimate import Arithmetic
from fat_fpga.hardening.costs.finn import FinnModel
from fat_fpga.hardening.costs.folded import FoldedModel
from fat_fpga.hardening.costs.macs import MacsModel
from fat_fpga.hardening.costs.model import CostModel
from fat_fpga.hardening.criticality import Criticality, criticality_of
from fat_fpga.network.folding import Fold
from tests.campaign.tiny import tiny_run

FOLDS = {"conv0": Fold(2, 1), "conv1": Fold(1, 2), "fc2": Fold(2, 1)}


def pes_and_lanes(fold: Fold) -> tuple[int, int]:
    """PEs and SIMD lanes of a folding that tells both."""
    assert fold.simd is not None
    return fold.pe, fold.simd


TABLE = Path(__file__).with_name("tiny_mvau.json")
"""What finn-plus 1.6.1 says of the units of the tiny network, for every number of rows and PEs."""


def tiny_criticality(path: Path) -> Criticality:
    """From a real campaign of all channels of the tiny network."""
    return criticality_of(tiny_run(path / "tiny.run"))


def any_criticality(run: Run, rng: np.random.Generator) -> Criticality:
    """The tiny network with other worst cases, many of them equal."""
    real = criticality_of(run)
    worst = {name: rng.integers(0, real.golden + 3, len(counts)) for name, counts in real.worst.items()}
    return Criticality(run, real.kind, real.design, worst, real.changed, real.expected)


def cost_model(name: str, monkeypatch: pytest.MonkeyPatch) -> CostModel:
    """A cost model; FINN's with a table of the tiny network's units."""
    entries = json.loads(TABLE.read_text())["units"]
    table = {Arithmetic(*entry["arithmetic"]): entry["estimates"] for entry in entries}
    monkeypatch.setattr(finn, "stored", lambda: table)
    monkeypatch.setattr("fat_fpga.luts.voter.coefficients", lambda: (80.0, 33.0, 2.0, 1.0))
    models: dict[str, CostModel] = {"macs": MacsModel(), "folded": FoldedModel(), "finn": FinnModel(live=False)}
    return models[name]
