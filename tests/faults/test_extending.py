"""The page on fault models of one's own: its model works in a running program, in every engine, by one registration."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fat_fpga.engines.native_engine import NativeEngine
from fat_fpga.engines.reference import ReferenceEngine, execute
from fat_fpga.faults import MODELS, check_faults, fault_space, parse_fault
from tests.designs.random_network import random_images, random_network

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"


def test_the_model_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    part = PAGE.read_text().partition("# How do I add an engine?")[0]
    blocks = re.findall(r"```python\n(.*?)```", part, re.DOTALL)
    defined: dict[str, Any] = {}
    exec(blocks[0], defined)
    assert blocks[1].strip() == "RowStuckAt(),"
    monkeypatch.setitem(MODELS, "row", defined["RowStuckAt"]())

    network = next(n for n in map(random_network, range(99)) if n.units[0].levels and n.shapes[0][1] > 2)
    unit = network.units[0]
    assert unit.levels is not None
    fault = parse_fault(f"{unit.name}/row[1] = {unit.levels.min}")
    images = random_images(network, 5)
    stuck, clean = execute(network, images, [fault])[unit.name], execute(network, images)[unit.name]
    assert (stuck[:, :, 1] == unit.levels.min).all()
    assert np.array_equal(np.delete(stuck, 1, axis=2), np.delete(clean, 1, axis=2))

    faults = fault_space(network, "row").sample(30)
    check_faults(network, faults)
    labels = np.zeros(5, np.int64)
    outcomes = [engine.open(network).run(images, labels, faults) for engine in (ReferenceEngine(), NativeEngine())]
    assert np.array_equal(outcomes[0].changed, outcomes[1].changed)
