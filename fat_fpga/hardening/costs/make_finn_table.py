"""Make the table of FINN's estimates: ``python -m fat_fpga.hardening.costs.make_finn_table``, beside finn-plus.

It holds the units of bundled networks under the SIMD lanes of a folding, for every number of PEs up to three times the
folding's and 16 at least, and every number of folds from no copies to all copies.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fat_fpga.campaign.layer_table import layer_table
from fat_fpga.hardening.costs.estimate import Arithmetic
from fat_fpga.hardening.costs.finn import TABLE, arithmetic_of, ask_finn
from fat_fpga.hardening.design import UnitShape, units_of
from fat_fpga.network import load_network
from fat_fpga.network.folding import read_folds

NETWORKS = {"cnv_w1a1": "bnn-pynq", "cnv_w2a2": "bnn-pynq", "tfc_w2a2": "16x49,4x16,16x4,2x16"}
"""Bundled networks, and the folding of each: BNN-PYNQ's, and that of the simulated boards."""
LEAST_PES = 16


def table(networks: Mapping[str, str] = NETWORKS) -> dict[str, Any]:
    """The content of the table, by asking FINN; ``networks`` are bundled ones, each with a folding."""
    units: dict[Arithmetic, dict[str, Any]] = {}
    for name, folding in networks.items():
        network = load_network(name)
        folds = read_folds(folding, network.units, name)
        for unit, fold in zip(units_of(layer_table(network)), folds.values(), strict=True):
            own = units.setdefault(arithmetic_of(unit), {})
            simd = fold.simd or 1
            for pe in range(1, min(3 * unit.channels, max(3 * fold.pe, LEAST_PES)) + 1):
                entries, new = own.setdefault(f"{simd} {pe}", []), _entry(unit, pe, simd)
                if new not in entries:
                    entries.append(new)
    return {
        "source": "finn-plus 1.6.1, MVAU_hls",
        "units": [{"arithmetic": k, "estimates": v} for k, v in units.items()],
    }


def _entry(unit: UnitShape, pe: int, simd: int) -> dict[str, Any]:
    """Of all numbers of folds; LUTs and DSPs must not depend on that."""
    first, last = -(-unit.channels // pe), 3 * unit.channels // pe
    found = [ask_finn(arithmetic_of(unit), folds * pe, pe, simd) for folds in range(first, last + 1)]
    if len({(e.lut, e.dsp) for e in found}) != 1:
        raise AssertionError(f"FINN's LUTs of {unit.name} depend on its folds: the table has to change")
    return {"lut": found[0].lut, "dsp": found[0].dsp, "first": first, "bram_18k": [e.bram_18k for e in found]}


if __name__ == "__main__":
    text = json.dumps(table(), separators=(",", ":"))
    (Path(__file__).parent / TABLE).write_bytes(lzma.compress(text.encode()))
