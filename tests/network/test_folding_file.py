"""Folding files that are not what they must be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fat_fpga.errors import FaultError
from fat_fpga.network.folding import read_folding
from tests.campaign.tiny import tiny_network

GOOD: dict[str, Any] = {"conv0": {"PE": 2}, "conv1": {"PE": 1, "SIMD": None}, "fc2": {"PE": 4, "SIMD": 2}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "it is nested too deeply"),
        ("[1, 2]", "expected a JSON object, got a list of 2"),
        ("null", "expected a JSON object, got null"),
        ('{"conv0": {"PE": 1}, "conv0": {"PE": 2}}', "the key 'conv0' is there twice"),
        ("{}", "expected an entry for each of conv0, conv1, fc2, or FINN's MVAU entries"),
        (GOOD | {"conv0": None}, "conv0 must be an object, got null"),
        (GOOD | {"conv0": {}}, "conv0.PE is missing"),
        (GOOD | {"conv0": {"PE": "2"}}, "conv0.PE must be an integer, got '2'"),
        (GOOD | {"conv0": {"PE": 1.5}}, r"conv0.PE must be an integer, got 1\.5"),
        (GOOD | {"conv0": {"PE": float("nan")}}, "conv0.PE must be an integer, got nan"),
        (GOOD | {"conv0": {"PE": 10**30}}, "conv0.PE must be from 1 to 2147483647"),
        (GOOD | {"fc2": {"PE": 4, "SIMD": True}}, "fc2.SIMD must be an integer, got true"),
        (GOOD | {"fc2": {"PE": 5}}, "fc2 cannot have 5 PEs, it has 4 channels"),
    ],
)
def test_refused(tmp_path: Path, text: Any, message: str) -> None:
    path = tmp_path / "folding.json"
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    with pytest.raises(FaultError, match=rf"folding\.json.*{message}"):
        read_folding(str(path), tiny_network())


def test_good_ones_and_those_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "folding.json").write_text(json.dumps(GOOD))
    assert read_folding(str(tmp_path / "folding.json"), tiny_network()) == {"conv0": 2, "conv1": 1, "fc2": 4}
    with pytest.raises(FaultError, match="nowhere: no such file; expected bnn-pynq, a list"):
        read_folding(str(tmp_path / "nowhere"), tiny_network())
    with pytest.raises(FaultError, match="it is no file; expected bnn-pynq"):
        read_folding(str(tmp_path), tiny_network())
