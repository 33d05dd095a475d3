"""The top module of a simulated board: FINN's units in a row, with our blocks in the streams behind them."""

from __future__ import annotations

from dataclasses import dataclass

from fat_fpga.board.description import StreamPlace
from fat_fpga.board.stream import StreamLayout
from fat_fpga.rtl.top import Top, stream_ports


@dataclass(frozen=True)
class Stage:
    """A unit with what stands behind it.

    Attributes:
        mvau: FINN's module name of the unit; its weights come from the module ``<mvau>_memstream_wrapper``.
        weight_bits, sum_bits: of a beat of weights, and of accumulators.
        thresholding: FINN's module name of the thresholds; None in the last unit.
        streams: behind the thresholds, or behind the last unit: the unit's, and the voter's if there is one.
    """

    mvau: str
    weight_bits: int
    sum_bits: int
    thresholding: str | None
    streams: tuple[StreamPlace, ...]


HOLD = 63
"""Cycles for which a unit's clock goes on after the last move in its streams: more than its pipeline has stages."""


def finn_clock(clock: str) -> dict[str, str]:
    """The clock and reset of FINN's modules."""
    return {"ap_clk": clock, "ap_rst_n": "!rst"}


def finn_ports(port: str, stream: str) -> dict[str, str]:
    """Ports of one side of FINN's modules."""
    return {f"{port}_V_T{name.upper()}": f"{stream}_{name}" for name in ("data", "valid", "ready")}


def top_module(stages: list[Stage], entry: StreamLayout, output: StreamLayout) -> str:
    """SystemVerilog of ``fat_board``: stream in, stream out, one AXI-Lite port with a page for each block."""
    top = Top()
    at = "in"
    for stage in stages:
        weights, sums = top.stream(stage.weight_bits), top.stream(stage.sum_bits)
        with top.awake([f"{at}_valid", f"{sums}_valid", f"{weights}_valid && {weights}_ready"], HOLD) as clock:
            _unit(top, stage, clock, at, weights, sums)
        at = sums
        front = stage.streams[0].layout
        for stream in stage.streams:
            if stream.thresholds is not None:
                behind = top.stream(stream.layout.lanes * stream.layout.register.bits)
                assert stage.thresholding is not None
                with top.awake([f"{at}_valid", f"{behind}_valid"], HOLD) as clock:
                    registers = top.axilite(stream.thresholds.address, True)
                    ports = {**finn_clock(clock), **registers, "in1_V_TVALID": "1'b0", "in1_V_TDATA": "'0",
                             **finn_ports("in0", at), **finn_ports("out0", behind)}  # fmt: skip
                    top.instance(stage.thresholding, {}, ports)
                at = behind
            at = top.blocks(front, stream, at)
    return top.text(entry, output, at)


def _unit(top: Top, stage: Stage, clock: str, at: str, weights: str, sums: str) -> None:
    """FINN's memory of weights and its unit, from the stream ``at`` to ``sums``."""
    quiet = ("AWVALID", "WVALID", "BREADY", "ARVALID", "RREADY", "AWADDR", "WDATA", "WSTRB", "ARADDR", "AWPROT",
             "ARPROT")  # fmt: skip
    memory = {f"s_axilite_{name}": "'0" for name in quiet}
    memory |= {"s_axis_0_tvalid": "1'b0", "s_axis_0_tdata": "'0", **stream_ports("m_axis_0", weights)}
    shared = {**finn_clock(clock), "ap_clk2x": clock}
    top.instance(f"{stage.mvau}_memstream_wrapper", {}, {**shared, **memory})
    streams = {**finn_ports("in0", at), **finn_ports("in1", weights), **finn_ports("out0", sums)}
    top.instance(stage.mvau, {}, {**shared, **streams})
