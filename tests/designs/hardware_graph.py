"""Random networks with branches, groups and pools whose levels FINN's hardware layers have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fat_fpga.network import Levels, Network
from tests.designs.random_graph import Maker


def random_hardware_graph(seed: int, chain: bool = False) -> Network:
    """A network that depends on nothing but the seed; ``chain``: of convolutions, most of them grouped or depthwise."""
    rng = np.random.default_rng(seed)
    maker = Maker(_within_finn(lambda options: options[int(rng.integers(len(options)))]), rng)
    return maker.chain() if chain else maker.network()


def _within_finn(choose: Callable[[Any], Any]) -> Callable[[Sequence[Any]], Any]:
    """Choices among levels that are neighbouring integers around 0, where levels are chosen."""

    def chosen(options: Sequence[Any]) -> Any:
        return choose([one for one in options if one != "bipolar" and _neighbours(one)])

    return chosen


def _neighbours(option: Any) -> bool:
    return not isinstance(option, Levels) or (option.step == 1 and option.min <= 0 < option.max)
