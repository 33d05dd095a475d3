"""The second front end refuses what is no SystemVerilog, and what other tools only warn of."""

from __future__ import annotations

from pathlib import Path

import pytest
from strict import elaborates

from fat_fpga.hardware import BLOCKS, sources

TIMED = "`timescale 1ns / 1ps\nmodule inner(input wire a); endmodule\n`resetall\n"


@pytest.mark.parametrize("block", BLOCKS)
def test_our_blocks(block: str) -> None:
    assert elaborates(block, {}, sources())


@pytest.mark.parametrize(
    "text",
    [
        "module top(input wire a, output wire b); assign b = c; endmodule",
        TIMED + "module top(input wire a); inner i(.a(a)); endmodule",  # no timescale of its own
        "module top #(parameter int N = 0) (input wire [N-1:0] a); missing m(.a(a)); endmodule",
    ],
)
def test_what_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "top.sv").write_text(text + "\n")
    assert not elaborates("top", {}, [tmp_path / "top.sv"])
