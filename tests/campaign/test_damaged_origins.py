"""What a fault list or a run file says of how its faults were drawn, where that cannot be."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fat_fpga.campaign import Run, Selection, run_campaign
from fat_fpga.campaign.fault_list import read_selection
from fat_fpga.campaign.list_header import MARK, _digest, head_lines
from fat_fpga.errors import CampaignError, FaultError
from fat_fpga.faults import fault_space

from .tiny import tiny_data, tiny_network

NETWORK = tiny_network()
DRAWN = Selection.stratified(fault_space(NETWORK, "weight"), 20, 0, ("kind", "layer"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": "three"}, "the origin of the list has no fitting 'seed': draw the list again"),
        ({"kinds": 5}, "the origin of the list has no fitting 'kinds'"),
        ({"space": 1.5}, "the origin of the list has no fitting 'space'"),
        ({"source": "somewhere"}, "the origin of the list has no fitting 'source'"),
        ({"strata": {"axes": ["kind"]}}, "the origin of the list: strata must have axes, parts and least"),
        ({"strata": {"axes": ["colour"], "parts": [], "least": 2}}, "the origin of the list: strata .*: draw the list"),
    ],
)
def test_heads_of_lists_that_fit_the_faults_and_make_no_sense(
    change: dict[str, Any], words: str, tmp_path: Path
) -> None:
    told = json.loads(head_lines(DRAWN, NETWORK)[1].removeprefix(MARK)) | change
    told["digest"] = _digest(told, DRAWN.faults)
    path = tmp_path / "list.txt"
    path.write_text("\n".join([f"{MARK} {json.dumps(told)}", *map(str, DRAWN.faults)]) + "\n")
    with pytest.raises(FaultError, match=words):
        read_selection(path, NETWORK)


@pytest.mark.parametrize(
    ("strata", "words"),
    [
        ("{", "the strata of a run must be JSON"),
        ("[" * 100_000, "the strata of a run must be JSON"),
        ("7", "strata must have axes, parts and least, got 7"),
        ('{"axes": ["kind", "layer"], "parts": [], "least": "x"}', "strata of a sample do not fit together"),
    ],
)
def test_strata_of_a_run_that_cannot_be(strata: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    run_campaign(NETWORK, tiny_data(4), DRAWN, path, "reference")
    assert Run.open(path).origin.strata == DRAWN.origin.strata
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("UPDATE meta SET value = ? WHERE key = 'strata'", [strata]).rowcount == 1
        connection.commit()
    with pytest.raises(CampaignError, match=words):
        Run.open(path)
