"""The page on engines of one's own: its engine is found by name and gives the answer of the others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fat_fpga.crosscheck import KINDS, crosscheck, sample_faults
from fat_fpga.engines import get, names, registry
from tests.designs.random_network import random_images, random_network

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"


def test_the_engine_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    part = PAGE.read_text().partition("# How do I add an engine?")[2].partition("\n# ")[0]
    (block,) = re.findall(r"```python\n(.*?)```", part, re.DOTALL)
    monkeypatch.setattr(registry, "_REGISTERED", dict(registry._ours()))
    defined: dict[str, Any] = {"__name__": "page"}
    exec(block, defined)
    assert names()[-1] == "single"
    network = random_network(4)
    images = random_images(network, 3)
    faults = sample_faults(network, KINDS, 40, 3)
    check = crosscheck(network, images, faults, {name: get(name) for name in ("single", "native")})
    assert check.equal
    assert check.pairs[0].faults == len(faults)
    done: list[int] = []
    get("single").open(network).run(images, np.zeros(3, np.int64), faults, progress=done.append)
    assert done == [1, 2, 3]
