"""A cross-check on workers of Dask finds what the serial one finds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fat_fpga.crosscheck import KINDS, CrossCheck, crosscheck, random_images, sample_faults
from fat_fpga.crosscheck.check import steps
from fat_fpga.engines import Engine, get
from fat_fpga.engines.block import Streams
from fat_fpga.errors import CampaignError
from fat_fpga.faults import AnyFault
from tests.campaign.tiny import tiny_network
from tests.crosscheck.broken import BrokenEngine
from tests.workers.engines import Unsendable

pytest.importorskip("distributed", reason="distributed is not installed")

NETWORK = tiny_network()
IMAGES = random_images(NETWORK, 3)
FAULTS = sample_faults(NETWORK, KINDS, 90, 3)


class Spoil:
    """Spoils a stream under weight faults; can be sent to workers."""

    def __call__(self, fault: AnyFault | None, streams: Streams) -> None:
        if fault is not None and fault.kind == "weight":
            streams["conv1"][1, 2, 1, 0] = 99


def both(client: Any, engines: dict[str, Engine]) -> tuple[CrossCheck, CrossCheck]:
    done: list[int] = []
    found = crosscheck(NETWORK, IMAGES, FAULTS, engines, done.append, dask=client)
    assert sum(done) == steps(len(FAULTS), len(engines))
    expected = crosscheck(NETWORK, IMAGES, FAULTS, engines)
    return replace(found, seconds={}), replace(expected, seconds={})


def test_equal_engines(client: Any) -> None:
    found, expected = both(client, {name: get(name) for name in ("native", "reference")})
    assert found == expected
    assert found.equal
    assert found.pairs[0].faults == len(FAULTS)


@pytest.mark.parametrize(
    "engine",
    [BrokenEngine(Spoil()), BrokenEngine(Spoil(), refuses=["pe", "weight"], blind=["channel"])],
    ids=["spoilt", "blind"],
)
def test_broken_engines(engine: Engine, client: Any) -> None:
    found, expected = both(client, {"reference": get("reference"), "broken": engine})
    assert found == expected
    assert found.refusals or found.pairs[0].difference is not None


def test_what_cannot_be_sent_is_told(client: Any) -> None:
    engines = {"reference": get("reference"), "unsendable": Unsendable()}
    with pytest.raises(
        CampaignError, match=r"one of the engines reference, unsendable cannot be sent to workers .* without Dask"
    ):
        crosscheck(NETWORK, IMAGES, FAULTS, engines, dask=client)
