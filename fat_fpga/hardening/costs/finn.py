"""FINN's own estimates of LUTs, BRAM_18K and DSPs of a matrix-vector unit, and the LUTs of its voter.

The figures are what FINN's ``MVAU_hls`` node says of itself (``lut_estimation``, ``bram_estimation``,
``dsp_estimation``; multiplications in LUTs, memories by FINN's defaults). A table that was made by asking it comes
first. What the table lacks, FINN itself is asked where it is installed; else its formulas are used (`mvau`).
"""

from __future__ import annotations

import importlib.util
import json
import lzma
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any

from fat_fpga.boards import Board
from fat_fpga.campaign import LayerRow
from fat_fpga.hardening.costs.around import between_units
from fat_fpga.hardening.costs.around_graph import between_layers
from fat_fpga.hardening.costs.estimate import Arithmetic, Estimate
from fat_fpga.hardening.costs.model import Between, Built
from fat_fpga.hardening.costs.mvau import accumulator_bits, formula, on_dsps, one_bit
from fat_fpga.hardening.costs.voter import voter_luts
from fat_fpga.hardening.costs.vvau import depthwise
from fat_fpga.hardening.design import UnitShape, bits_of
from fat_fpga.network import Network
from fat_fpga.network.folding import Fold

TABLE = "finn_mvau.json.xz"
VERSION = "finn-plus 1.6.1"
"""Whose estimates the table and the formulas give."""

FROM_TABLE = f"stored estimates of {VERSION}"
FROM_FINN = "FINN itself, which is installed here"
BY_FORMULA = f"formulas of {VERSION}, equal to its estimates for these datatypes"
IN_LUTS = f"{BY_FORMULA}; FINN may take DSP slices instead of these LUTs, which depends on weights: give --model"
"""Where figures come from."""

BY_TYPES = "LUTs of a whole network 0 to 9 % above FINN's, which knows the weights (give --model)"
BY_VALUES = "LUTs of a whole network within 0.1 % of FINN's, by the model's weights"
"""The error of estimates against FINN's for a whole network: `tests/finn/costs_against_finn.py` measures it."""

DSP48E2_PART = "xczu3eg-sbva484-1-e"
"""A part with such slices, as FINN names it."""


def arithmetic_of(unit: UnitShape) -> Arithmetic:
    """The types that FINN's streamlining gives a unit; accumulators by the values of weights where these are known."""
    found = _by_datatypes(unit)
    if not unit.accumulator_bits or unit.accumulator_bits == accumulator_bits(found):
        return found
    accumulator = f"INT{unit.accumulator_bits}"
    return found._replace(accumulator=accumulator, output=_behind(unit, accumulator))


def _by_datatypes(unit: UnitShape) -> Arithmetic:
    """As `arithmetic_of`, without values.

    One-bit weights behind one-bit activations become XNOR. Elsewhere they stay of one bit where `one_bit` says
    so, and are INT2 else. The accumulators of one-bit weights are as wide as the largest sum.
    """
    if unit.weight_type == "BIPOLAR" and unit.input_type == "BIPOLAR" and unit.groups == 1:
        accumulator = f"UINT{unit.inputs.bit_length()}"
        return Arithmetic(unit.built_inputs, True, "BINARY", "BINARY", accumulator, _behind(unit, accumulator))
    if unit.weight_type == "BIPOLAR":
        bits = bits_of(unit.input_type)
        largest = unit.inputs * (2 ** (bits - 1) if unit.input_type.startswith("INT") else 2**bits - 1)
        accumulator = f"INT{largest.bit_length() + 1}"
        weight = "BIPOLAR" if unit.groups == 1 and one_bit(unit.weight_type, bits) else "INT2"
        return Arithmetic(unit.built_inputs, False, weight, unit.input_type, accumulator, _behind(unit, accumulator))
    return Arithmetic(unit.built_inputs, False, unit.weight_type, unit.input_type, "INT32", _behind(unit, "INT32"))


def _behind(unit: UnitShape, accumulator: str) -> str:
    return unit.output_type.replace("BIPOLAR", "BINARY") or accumulator


def ask_finn(what: Arithmetic, rows: int, pe: int, simd: int, dsps: bool = False) -> Estimate:
    """What FINN says of a unit; ``dsps`` of one from DSP48E2 slices. ModuleNotFoundError where it is not installed."""
    from onnx import helper

    kind = "rtl" if dsps else "hls"
    node = _node_class(kind)(
        helper.make_node(
            f"MVAU_{kind}", ["input", "weights", "thresholds"], ["output"],
            domain=f"finn.custom_op.fpgadataflow.{kind}",
            MW=what.inputs, MH=rows, PE=pe, SIMD=simd, inputDataType=what.input, weightDataType=what.weight,
            accDataType=what.accumulator, outputDataType=what.output, binaryXnorMode=int(what.xnor),
            noActivation=int(what.output == what.accumulator), mem_mode="internal_decoupled",
            resType="dsp" if dsps else "lut",
        )
    )  # fmt: skip
    part = DSP48E2_PART if dsps else ""
    return Estimate(*(int(f(part)) for f in (node.lut_estimation, node.bram_estimation, node.dsp_estimation)))


@lru_cache(maxsize=2)
def _node_class(kind: str) -> Any:
    """FINN's operator; its package wants a place for Vivado named, which is not looked at for estimates."""
    import os

    os.environ.setdefault("XILINX_VIVADO", "/no/Vivado/2022.2")
    module = importlib.import_module(f"finn.custom_op.fpgadataflow.{kind}.matrixvectoractivation_{kind}")
    return getattr(module, f"MVAU_{kind}")


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
    """FINN's estimates of units: those of the stored table, else of FINN itself, else by formula."""

    name = "finn"
    title = "LUTs (FINN's estimate of units, and voters)"
    folded = True
    parts = True

    @classmethod
    def of(cls, board: Board | None) -> FinnModel:
        return cls(board=board)

    def __init__(self, live: bool | None = None, board: Board | None = None) -> None:
        """``live``: ask FINN what the table lacks; by default where it is installed. ``board``: to build for, where
        that is known; FINN takes DSP slices for some units of some parts."""
        self.live = importlib.util.find_spec("finn") is not None if live is None else live
        self.board = board
        self._known: dict[tuple[UnitShape, int, int, int], tuple[Estimate, str]] = {}

    def estimate(self, built: Built) -> Estimate:
        """Of the unit without its voter."""
        return self._found(built)[0]

    def price(self, built: Built) -> float:
        return self.estimate(built).lut + voter_luts(built)

    def resources(self, built: Built) -> dict[str, float]:
        found = self.estimate(built)
        return {"BRAM_18K": found.bram_18k, "DSP": found.dsp}

    def sources(self, built: Sequence[Built]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in built:
            source = f"{self._found(one)[1]}; {BY_VALUES if one.unit.accumulator_bits else BY_TYPES}"
            found.setdefault(source, []).append(one.unit.name)
        return found

    def between(
        self, places: Sequence[LayerRow], folds: Mapping[str, Fold], cycles: int, network: Network | None = None
    ) -> list[Between]:
        return between_units(places, folds, cycles) if network is None else between_layers(network, folds, cycles)

    def _found(self, built: Built) -> tuple[Estimate, str]:
        """The estimate, and where it comes from."""
        key = built.unit, built.rows, built.pe, built.simd
        if key not in self._known:
            self._known[key] = self._find(*key)
        return self._known[key]

    def _find(self, unit: UnitShape, rows: int, pe: int, simd: int) -> tuple[Estimate, str]:
        what, dsps = arithmetic_of(unit), takes_dsps(unit, self.board)
        if unit.depthwise:
            return depthwise(what, rows, pe, simd), BY_FORMULA
        found = None if dsps else look_up(what, rows, pe, simd)
        if found is not None:
            return found, FROM_TABLE
        if self.live:
            return ask_finn(what, rows, pe, simd, dsps), FROM_FINN
        return (on_dsps if dsps else formula)(what, rows, pe, simd), IN_LUTS if _unsure(
            unit, self.board
        ) else BY_FORMULA


def takes_dsps(unit: UnitShape, board: Board | None) -> bool:
    """Whether FINN builds a unit from DSP slices on a board (``MVAU_rtl``): the last one, which has no thresholds, with
    weights and activations of four bits or more. On Zynq-7000 no weight may be the least value of its datatype; where
    values are not known, LUTs are counted."""
    return board is not None and not unit.joined and _wide_scores(unit) and (board.dsp48e2 or bool(unit.narrow))


def _wide_scores(unit: UnitShape) -> bool:
    return not unit.output_type and bits_of(unit.weight_type) >= 4 and bits_of(unit.input_type) >= 4


def _unsure(unit: UnitShape, board: Board | None) -> bool:
    return _wide_scores(unit) and unit.narrow is None and board is not None and not board.dsp48e2
