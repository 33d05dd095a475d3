"""FINN's own estimates of LUTs, BRAM_18K and DSPs of a matrix-vector unit, and the LUTs of its voter.

The figures are what FINN's ``MVAU_hls`` node says of itself (``lut_estimation``, ``bram_estimation``,
``dsp_estimation``; multiplications in LUTs, memories by FINN's defaults). Where finn-plus is installed the node is
asked; else a table that was made by asking it is read. Nothing is interpolated. Window generators, FIFOs and pools are
left out: copies do not change them, as the voter hands on as many channels as before.
"""

from __future__ import annotations

import importlib.util
import json
import lzma
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from fat_fpga.hardening.costs.model import Built
from fat_fpga.hardening.costs.voter import voter_luts
from fat_fpga.hardening.design import UnitShape, bits_of

TABLE = "finn_mvau.json.xz"


class Estimate(NamedTuple):
    """FINN's estimate of one unit."""

    lut: int
    bram_18k: int
    dsp: int


class Arithmetic(NamedTuple):
    """What FINN's estimates depend on beside rows, PEs and SIMD lanes. Types are QONNX datatypes.

    Attributes:
        inputs: FINN's MW.
        xnor: weights and activations of one bit, multiplied by XNOR.
        accumulator: ``INT32`` where FINN is left to bound it by the types.
    """

    inputs: int
    xnor: bool
    weight: str
    input: str
    accumulator: str
    output: str


def arithmetic_of(unit: UnitShape) -> Arithmetic:
    """The types that FINN's streamlining gives a unit.

    One-bit weights behind one-bit activations become XNOR; one-bit weights behind anything else stand as INT2, which
    reproduces FINN's figures of the stock cnv-w1a1. The accumulators of one-bit weights are as wide as the largest sum.
    """
    if unit.weight_type == "BIPOLAR" and unit.input_type == "BIPOLAR":
        accumulator = f"UINT{unit.inputs.bit_length()}"
        return Arithmetic(unit.inputs, True, "BINARY", "BINARY", accumulator, _behind(unit, accumulator))
    if unit.weight_type == "BIPOLAR":
        bits = bits_of(unit.input_type)
        largest = unit.inputs * (2 ** (bits - 1) if unit.input_type.startswith("INT") else 2**bits - 1)
        accumulator = f"INT{largest.bit_length() + 1}"
        return Arithmetic(unit.inputs, False, "INT2", unit.input_type, accumulator, _behind(unit, accumulator))
    return Arithmetic(unit.inputs, False, unit.weight_type, unit.input_type, "INT32", _behind(unit, "INT32"))


def _behind(unit: UnitShape, accumulator: str) -> str:
    return unit.output_type.replace("BIPOLAR", "BINARY") or accumulator


def ask_finn(what: Arithmetic, rows: int, pe: int, simd: int) -> Estimate:
    """What FINN says of a unit; ModuleNotFoundError where it is not installed."""
    from onnx import helper

    node = _node_class()(
        helper.make_node(
            "MVAU_hls", ["input", "weights", "thresholds"], ["output"], domain="finn.custom_op.fpgadataflow.hls",
            MW=what.inputs, MH=rows, PE=pe, SIMD=simd, inputDataType=what.input, weightDataType=what.weight,
            accDataType=what.accumulator, outputDataType=what.output, binaryXnorMode=int(what.xnor),
            noActivation=int(what.output == what.accumulator), resType="lut", mem_mode="internal_decoupled",
        )
    )  # fmt: skip
    return Estimate(*(int(f("")) for f in (node.lut_estimation, node.bram_estimation, node.dsp_estimation)))


@lru_cache(maxsize=1)
def _node_class() -> Any:
    """FINN's operator; its package wants a place for Vivado named, which is not looked at for estimates."""
    import os

    os.environ.setdefault("XILINX_VIVADO", "/no/Vivado/2022.2")
    module = importlib.import_module("finn.custom_op.fpgadataflow.hls.matrixvectoractivation_hls")
    return module.MVAU_hls


@lru_cache(maxsize=1)
def stored() -> dict[Arithmetic, dict[str, Any]]:
    """The table: for each arithmetic, SIMD lanes and PEs the LUTs, the DSPs, and BRAM_18K for ranges of folds."""
    file = resources.files("fat_fpga.hardening.costs") / TABLE
    content = json.loads(lzma.decompress(file.read_bytes()))
    return {Arithmetic(*entry["arithmetic"]): entry["estimates"] for entry in content["units"]}


def look_up(what: Arithmetic, rows: int, pe: int, simd: int) -> Estimate | None:
    """The table's entry, None where there is none."""
    folds = rows // pe
    for found in stored().get(what, {}).get(f"{simd} {pe}", ()):
        if 0 <= folds - found["first"] < len(found["bram_18k"]):
            return Estimate(found["lut"], found["bram_18k"][folds - found["first"]], found["dsp"])
    return None


class FinnModel:
    name = "finn"
    title = "LUTs (FINN's estimate of units, and voters)"
    folded = True

    def __init__(self, live: bool | None = None) -> None:
        """``live``: ask FINN itself; by default where it is installed."""
        self.live = importlib.util.find_spec("finn") is not None if live is None else live
        self._known: dict[tuple[UnitShape, int, int, int], Estimate | None] = {}

    def estimate(self, built: Built) -> Estimate | None:
        """Of the unit without its voter; None where the table has no entry."""
        key = built.unit, built.rows, built.pe, built.simd
        if key not in self._known:
            ask = ask_finn if self.live else look_up
            self._known[key] = ask(arithmetic_of(built.unit), built.rows, built.pe, built.simd)
        return self._known[key]

    def price(self, built: Built) -> float | None:
        found = self.estimate(built)
        return None if found is None else found.lut + voter_luts(built)

    def resources(self, built: Built) -> dict[str, float]:
        found = self.estimate(built)
        return {} if found is None else {"BRAM_18K": found.bram_18k, "DSP": found.dsp}

    def missing(self, built: Built) -> str:
        return (
            f"no stored FINN estimate for {built.unit.name} with {built.rows} rows, {built.pe} PEs, {built.simd} SIMD "
            "lanes: install finn-plus beside fat_fpga, which is then asked, or take --cost folded"
        )
