"""The top module of a simulated board: FINN's units in a row, with our blocks in the streams behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fat_fpga.board.description import Address, StreamPlace
from fat_fpga.board.simulated import PAGE
from fat_fpga.board.stream import StreamLayout
from fat_fpga.board.voter import signature, sources_literal

PAGE_BITS = (PAGE - 1).bit_length()


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


class _Top:
    def __init__(self) -> None:
        self.body: list[str] = []
        self.pages: list[int] = []
        self.count = 0

    def stream(self, width: int) -> str:
        """New wires for a stream of ``width`` bits a beat, filled up to bytes."""
        name = f"s{self.count}"
        self.count += 1
        self.body.append(f"wire [{-(-width // 8) * 8 - 1}:0] {name}_data; wire {name}_valid, {name}_ready;")
        return name

    def instance(self, module: str, parameters: dict[str, object], ports: dict[str, str], label: str = "") -> None:
        settings = ", ".join(f".{name}({value})" for name, value in parameters.items())
        wires = ", ".join(f".{name}({value})" for name, value in ports.items())
        name = label or f"u{len(self.body)}"
        self.body.append(f"{module} {f'#({settings}) ' if settings else ''}{name} (\n    {wires}\n);")

    def axilite(self, address: int, upper: bool) -> dict[str, str]:
        """AXI-Lite ports of the block at ``address``, named as FINN does (upper case) or as we do."""
        n = address // PAGE
        self.pages.append(n)
        shared = {name: f"s_axil_{name}" for name in ("awaddr", "wdata", "wstrb", "araddr")}
        own = {name: f"b_{name}[{n}]" for name in HANDSHAKES}
        ports = {**shared, **own, "rdata": f"b_rdata[{n * 32} +: 32]", "bresp": "", "rresp": ""}
        if upper:
            return {f"s_axilite_{name.upper()}": wire for name, wire in ports.items()}
        return {f"s_axil_{name}": wire for name, wire in ports.items()}


def _flow(prefix: tuple[str, str, str], stream: str) -> dict[str, str]:
    return {prefix[0]: f"{stream}_data", prefix[1]: f"{stream}_valid", prefix[2]: f"{stream}_ready"}


def _finn(port: str, stream: str) -> dict[str, str]:
    return _flow((f"{port}_V_TDATA", f"{port}_V_TVALID", f"{port}_V_TREADY"), stream)


def _ours(port: str, stream: str) -> dict[str, str]:
    return _flow((f"{port}_tdata", f"{port}_tvalid", f"{port}_tready"), stream)


HANDSHAKES = ("awvalid", "awready", "wvalid", "wready", "bvalid", "bready", "arvalid", "arready", "rvalid", "rready")
FINN_CLOCK = {"ap_clk": "clk", "ap_rst_n": "!rst"}
CLOCK = {"clk": "clk", "rst": "rst"}


def top_module(stages: list[Stage], entry: StreamLayout, output: StreamLayout) -> str:
    """SystemVerilog of ``fat_board``: stream in, stream out, one AXI-Lite port with a page for each block."""
    top = _Top()
    at = "in"
    for stage in stages:
        weights = top.stream(stage.weight_bits)
        quiet = ("AWVALID", "WVALID", "BREADY", "ARVALID", "RREADY", "AWADDR", "WDATA", "WSTRB", "ARADDR",
                 "AWPROT", "ARPROT")  # fmt: skip
        top.instance(
            f"{stage.mvau}_memstream_wrapper",
            {},
            {**FINN_CLOCK, "ap_clk2x": "clk", **{f"s_axilite_{name}": "'0" for name in quiet},
             "s_axis_0_tvalid": "1'b0", "s_axis_0_tdata": "'0", **_ours("m_axis_0", weights)},
        )  # fmt: skip
        sums = top.stream(stage.sum_bits)
        ports = {**FINN_CLOCK, "ap_clk2x": "clk", **_finn("in0", at), **_finn("in1", weights), **_finn("out0", sums)}
        top.instance(stage.mvau, {}, ports)
        at = sums
        for stream in stage.streams:
            if stream.thresholds is not None:
                behind = top.stream(_bits(stream))
                assert stage.thresholding is not None
                assert isinstance(stream.thresholds.address, int)
                ports = {**FINN_CLOCK, **top.axilite(stream.thresholds.address, True), "in1_V_TVALID": "1'b0",
                         "in1_V_TDATA": "'0", **_finn("in0", at), **_finn("out0", behind)}  # fmt: skip
                top.instance(stage.thresholding, {}, ports)
                at = behind
            if stream.voter is not None:
                at = _voter(top, stage.streams[0].layout, stream, at)
            if stream.saboteur is not None:
                at = _saboteur(top, stream, at)
            if stream.checksum is not None:
                at = _checksum(top, stream, at)
    top.body.append(f"assign out_data = {at}_data; assign out_valid = {at}_valid; assign {at}_ready = out_ready;")
    return _text(top, entry, output)


def _bits(stream: StreamPlace) -> int:
    return stream.layout.lanes * stream.layout.register.bits


def _ours_between(
    top: _Top, module: str, parameters: dict[str, object], address: Address, at: str, stream: StreamPlace
) -> str:
    """One of our blocks behind ``at``; the stream behind it."""
    assert isinstance(address, int)
    behind = top.stream(_bits(stream))
    ports = {**CLOCK, **_ours("s_axis", at), **_ours("m_axis", behind), **top.axilite(address, False)}
    label = f"{module}_{address // PAGE}"  # by its page, so that the host finds its registers
    top.instance(module, {**parameters, "AXIL_ADDR_W": PAGE_BITS}, ports, label)
    return behind


def _voter(top: _Top, front: StreamLayout, stream: StreamPlace, at: str) -> str:
    assert stream.voter is not None
    sources = np.array(stream.sources, np.int32)
    parameters: dict[str, object] = {
        "CHANNELS": len(sources),
        "ROWS": front.channels,
        "LANES_IN": front.lanes,
        "LANES_OUT": stream.layout.lanes,
        "BITS": front.register.bits,
        "SOURCES": sources_literal(sources),
        "SIGNATURE": f"32'h{signature(sources):08x}",
    }
    return _ours_between(top, "fat_voter", parameters, stream.voter, at, stream)


def _saboteur(top: _Top, stream: StreamPlace, at: str) -> str:
    assert stream.saboteur is not None
    layout = stream.layout
    sizes: dict[str, object] = {"LANES": layout.lanes, "FOLDS": layout.folds, "WIDTH": layout.width}
    sizes |= {"HEIGHT": layout.height, "BITS": layout.register.bits}
    return _ours_between(top, "fat_saboteur", sizes, stream.saboteur, at, stream)


def _checksum(top: _Top, stream: StreamPlace, at: str) -> str:
    assert stream.checksum is not None
    layout = stream.layout
    sizes: dict[str, object] = {"LANES": layout.lanes, "BEATS": layout.beats, "BITS": layout.register.bits}
    return _ours_between(top, "fat_checksum", sizes, stream.checksum, at, stream)


def _text(top: _Top, entry: StreamLayout, output: StreamLayout) -> str:
    blocks = max(top.pages) + 1
    demux = {f"s_axil_{name}": f"s_axil_{name}" for name in ("awaddr", "araddr", "rdata", *HANDSHAKES)}
    demux |= {f"m_axil_{name}": f"b_{name}" for name in ("rdata", *HANDSHAKES)}
    top.instance("fat_axil_demux", {"BLOCKS": blocks, "PAGE_W": PAGE_BITS}, demux)
    body = "\n".join(top.body)
    return f"""// {len(top.pages)} blocks on AXI-Lite, a page of {PAGE} bytes each

`timescale 1ns / 1ps

module fat_board (
    input  wire clk, input wire rst,
    input  wire [{entry.beat_bytes * 8 - 1}:0] s_axis_tdata, input wire s_axis_tvalid, output wire s_axis_tready,
    output wire [{output.beat_bytes * 8 - 1}:0] m_axis_tdata, output wire m_axis_tvalid, input wire m_axis_tready,
    input  wire [31:0] s_axil_awaddr, input wire s_axil_awvalid, output wire s_axil_awready,
    input  wire [31:0] s_axil_wdata, input wire [3:0] s_axil_wstrb, input wire s_axil_wvalid, output wire s_axil_wready,
    output wire s_axil_bvalid, input wire s_axil_bready,
    input  wire [31:0] s_axil_araddr, input wire s_axil_arvalid, output wire s_axil_arready,
    output wire [31:0] s_axil_rdata, output wire s_axil_rvalid, input wire s_axil_rready
);

wire [{entry.beat_bytes * 8 - 1}:0] in_data = s_axis_tdata;
wire in_valid = s_axis_tvalid;
wire in_ready;
assign s_axis_tready = in_ready;
wire [{output.beat_bytes * 8 - 1}:0] out_data;
wire out_valid;
wire out_ready = m_axis_tready;
assign m_axis_tdata = out_data;
assign m_axis_tvalid = out_valid;
wire [{blocks - 1}:0] {", ".join(f"b_{name}" for name in HANDSHAKES)};
wire [{blocks * 32 - 1}:0] b_rdata;

{body}

endmodule
"""
