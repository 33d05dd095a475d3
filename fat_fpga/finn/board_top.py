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


FINN_CLOCK = {"ap_clk": "clk", "ap_rst_n": "!rst"}


def finn_ports(port: str, stream: str) -> dict[str, str]:
    """Ports of one side of FINN's modules."""
    return {f"{port}_V_T{name.upper()}": f"{stream}_{name}" for name in ("data", "valid", "ready")}


def top_module(stages: list[Stage], entry: StreamLayout, output: StreamLayout) -> str:
    """SystemVerilog of ``fat_board``: stream in, stream out, one AXI-Lite port with a page for each block."""
    top = Top()
    at = "in"
    for stage in stages:
        weights = top.stream(stage.weight_bits)
        quiet = ("AWVALID", "WVALID", "BREADY", "ARVALID", "RREADY", "AWADDR", "WDATA", "WSTRB", "ARADDR",
                 "AWPROT", "ARPROT")  # fmt: skip
        top.instance(
            f"{stage.mvau}_memstream_wrapper",
            {},
            {**FINN_CLOCK, "ap_clk2x": "clk", **{f"s_axilite_{name}": "'0" for name in quiet},
             "s_axis_0_tvalid": "1'b0", "s_axis_0_tdata": "'0", **stream_ports("m_axis_0", weights)},
        )  # fmt: skip
        sums = top.stream(stage.sum_bits)
        ports = {
            **FINN_CLOCK,
            "ap_clk2x": "clk",
            **finn_ports("in0", at),
            **finn_ports("in1", weights),
            **finn_ports("out0", sums),
        }
        top.instance(stage.mvau, {}, ports)
        at = sums
        front = stage.streams[0].layout
        for stream in stage.streams:
            if stream.thresholds is not None:
                behind = top.stream(stream.layout.lanes * stream.layout.register.bits)
                assert stage.thresholding is not None
                ports = {**FINN_CLOCK, **top.axilite(stream.thresholds.address, True), "in1_V_TVALID": "1'b0",
                         "in1_V_TDATA": "'0", **finn_ports("in0", at), **finn_ports("out0", behind)}  # fmt: skip
                top.instance(stage.thresholding, {}, ports)
                at = behind
            at = top.blocks(front, stream, at)
    return top.text(entry, output, at)
