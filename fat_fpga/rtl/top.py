"""The top module of a board: wires, instances, and a page of addresses on AXI-Lite for each block.

Streams have the ports ``<prefix>_tdata``, ``_tvalid`` and ``_tready``, of whole bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from fat_fpga.board.description import Address, StreamPlace
from fat_fpga.board.simulated import PAGE
from fat_fpga.board.stream import StreamLayout
from fat_fpga.board.voter import signature, sources_literal

PAGE_BITS = (PAGE - 1).bit_length()
HANDSHAKES = ("awvalid", "awready", "wvalid", "wready", "bvalid", "bready", "arvalid", "arready", "rvalid", "rready")
WAKING = ("awvalid", "wvalid", "bvalid", "arvalid", "rvalid")
"""Of AXI-Lite: what a block is awake for."""
CLOCK = {"clk": "clk", "rst": "rst"}


@dataclass(frozen=True)
class _Page:
    """Where a block is: its first page, and how many it has, a power of two."""

    first: int
    span: int


class Top:
    """A top module that grows by a stream and an instance at a time. The stream that comes in is ``in``."""

    def __init__(self, gated: bool = True) -> None:
        """
        Args:
            gated: whether the clocks of blocks stop where nothing in them would change: the simulator is faster then.
        """
        self.body: list[str] = []
        self.pages: list[_Page] = []
        self._gated, self._clock, self._streams = gated, "clk", 0

    def stream(self, width: int) -> str:
        """New wires for a stream of ``width`` bits a beat, filled up to bytes."""
        name = f"s{self._streams}"
        self._streams += 1
        self.body.append(f"wire [{-(-width // 8) * 8 - 1}:0] {name}_data; wire {name}_valid, {name}_ready;")
        return name

    def instance(
        self, module: str, parameters: Mapping[str, object], ports: Mapping[str, str], label: str = ""
    ) -> None:
        """A module with its parameters and ports."""
        settings = ", ".join(f".{name}({value})" for name, value in parameters.items())
        wires = ", ".join(f".{name}({value})" for name, value in ports.items())
        name = label or f"u{len(self.body)}"
        self.body.append(f"{module} {f'#({settings}) ' if settings else ''}{name} (\n    {wires}\n);")

    def axilite(self, address: Address, upper: bool = False, size: int = PAGE) -> dict[str, str]:
        """AXI-Lite ports of the block at ``address``, named as FINN does (upper case) or as we do.

        Args:
            size: bytes of its addresses, a page or a power of two of them, of which ``address`` is a multiple.
        """
        assert isinstance(address, int)
        assert address % size == 0
        n = len(self.pages)
        self.pages.append(_Page(address // PAGE, size // PAGE))
        shared = {name: f"b_{name}" for name in ("awaddr", "wdata", "wstrb", "araddr")}
        own = {name: f"b_{name}[{n}]" for name in HANDSHAKES}
        ports = {**shared, **own, "rdata": f"b_rdata[{n * 32} +: 32]", "bresp": "", "rresp": ""}
        if upper:
            return {f"s_axilite_{name.upper()}": wire for name, wire in ports.items()}
        return {f"s_axil_{name}": wire for name, wire in ports.items()}

    def between(
        self,
        module: str,
        parameters: Mapping[str, object],
        at: str,
        width: int,
        more: Mapping[str, str],
        label: str = "",
    ) -> str:
        """One of our modules behind the stream ``at``; the stream of ``width`` bits behind it."""
        behind = self.stream(width)
        ports = {
            "clk": self._clock,
            "rst": "rst",
            **stream_ports("s_axis", at),
            **stream_ports("m_axis", behind),
            **more,
        }
        self.instance(module, parameters, ports, label)
        return behind

    def blocks(self, front: StreamLayout, stream: StreamPlace, at: str) -> str:
        """The voter, the saboteur and the checksum block of a place, those that it has; the stream behind them.

        Args:
            front: layout of the stream ``at``, which a voter takes.
        """
        if not self._gated:
            return self._blocks(front, stream, at)
        gate, first = self._gate(), len(self.pages)
        width_in, width_out = (-(-of.lanes * of.register.bits // 8) * 8 for of in (front, stream.layout))
        self._clock = gate
        entry = self.between("fat_axis_register", {"DATA_W": width_in}, at, width_in, {})
        behind = self._blocks(front, stream, entry)
        leaving = self.between("fat_axis_register", {"DATA_W": width_out}, behind, width_out, {})
        self._clock = "clk"
        self._wake(gate, [f"{name}_valid && {name}_ready" for name in (at, leaving)], first)
        return leaving

    @contextmanager
    def awake(self, waking: Sequence[str], hold: int) -> Iterator[str]:
        """The clock of what is made in here. It runs while one of the expressions ``waking`` is 1, or a page made in
        here is accessed, and for ``hold`` cycles more."""
        if not self._gated:
            yield "clk"
            return
        gate, first = self._gate(), len(self.pages)
        yield gate
        self._wake(gate, waking, first, HOLD=hold)

    def _gate(self) -> str:
        gate = f"g{len(self.body)}"
        self.body.append(f"wire {gate}, {gate}_awake;")
        return gate

    def _wake(self, gate: str, waking: Sequence[str], first: int, **parameters: int) -> None:
        """The clock gate, also awake for each access to pages from ``first`` on."""
        moves = [*waking, *(f"b_{wire}[{n}]" for n in range(first, len(self.pages)) for wire in WAKING)]
        self.body.append(f"assign {gate}_awake = {' || '.join(moves)};")
        self.instance("fat_clock_gate", parameters, {**CLOCK, "awake": f"{gate}_awake", "gated": gate})

    def _blocks(self, front: StreamLayout, stream: StreamPlace, at: str) -> str:
        layout = stream.layout
        sizes = {"LANES": layout.lanes, "BITS": layout.register.bits}
        if stream.voter is not None:
            at = self._block("fat_voter", _voter(front, stream), stream.voter, layout, at)
        if stream.saboteur is not None:
            shape = {"FOLDS": layout.folds, "WIDTH": layout.width, "HEIGHT": layout.height}
            at = self._block("fat_saboteur", {**sizes, **shape}, stream.saboteur, layout, at)
        if stream.checksum is not None:
            at = self._block("fat_checksum", {**sizes, "BEATS": layout.beats}, stream.checksum, layout, at)
        return at

    def _block(
        self, module: str, parameters: Mapping[str, object], address: Address, layout: StreamLayout, at: str
    ) -> str:
        assert isinstance(address, int)
        label = f"{module}_{address // PAGE}"  # by its page, so that the host finds its registers
        width = layout.lanes * layout.register.bits
        return self.between(module, {**parameters, "AXIL_ADDR_W": PAGE_BITS}, at, width, self.axilite(address), label)

    def text(self, entry: StreamLayout, output: StreamLayout, at: str) -> str:
        """SystemVerilog of ``fat_board``: a stream in, the stream ``at`` out, one AXI-Lite port with a page a block."""
        self.body.append(f"assign out_data = {at}_data; assign out_valid = {at}_valid; assign {at}_ready = out_ready;")
        parameters = {"BLOCKS": len(self.pages), "PAGE_W": PAGE_BITS}
        for name, numbers in (("FIRST", [page.first for page in self.pages]), ("SPAN", [p.span for p in self.pages])):
            word = sum(number << 16 * n for n, number in enumerate(numbers))
            parameters[name] = f"{16 * len(numbers)}'h{word:x}"  # type: ignore[assignment]
        demux = {f"s_axil_{name}": f"r_{name}" for name in ("awaddr", "araddr", "rdata", *HANDSHAKES)}
        demux |= {f"m_axil_{name}": f"b_{name}" for name in ("rdata", *HANDSHAKES)}
        self.instance("fat_axil_demux", parameters, demux)
        return _MODULE.format(
            number=len(self.pages),
            page=PAGE,
            last_in=entry.beat_bytes * 8 - 1,
            last_out=output.beat_bytes * 8 - 1,
            bits_in=entry.beat_bytes * 8,
            bits_out=output.beat_bytes * 8,
            last=len(self.pages) - 1,
            last_data=len(self.pages) * 32 - 1,
            handshakes=", ".join(f"b_{name}" for name in HANDSHAKES),
            own=", ".join(f"r_{name}" for name in HANDSHAKES),
            body="\n".join(self.body),
        )


def stream_ports(prefix: str, stream: str) -> dict[str, str]:
    """The ports of one side of our modules."""
    return {f"{prefix}_t{name}": f"{stream}_{name}" for name in ("data", "valid", "ready")}


def _voter(front: StreamLayout, stream: StreamPlace) -> dict[str, object]:
    sources = np.array(stream.sources, np.int32)
    return {
        "CHANNELS": len(sources),
        "ROWS": front.channels,
        "LANES_IN": front.lanes,
        "LANES_OUT": stream.layout.lanes,
        "BITS": front.register.bits,
        "SOURCES": sources_literal(sources),
        "SIGNATURE": f"32'h{signature(sources):08x}",
    }


_MODULE = """// {number} blocks on AXI-Lite, in pages of {page} bytes

`timescale 1ns / 1ps

module fat_board (
    input  wire clk, input wire rst,
    input  wire [{last_in}:0] s_axis_tdata, input wire s_axis_tvalid, output wire s_axis_tready,
    output wire [{last_out}:0] m_axis_tdata, output wire m_axis_tvalid, input wire m_axis_tready,
    input  wire [31:0] s_axil_awaddr, input wire s_axil_awvalid, output wire s_axil_awready,
    input  wire [31:0] s_axil_wdata, input wire [3:0] s_axil_wstrb, input wire s_axil_wvalid, output wire s_axil_wready,
    output wire s_axil_bvalid, input wire s_axil_bready,
    input  wire [31:0] s_axil_araddr, input wire s_axil_arvalid, output wire s_axil_arready,
    output wire [31:0] s_axil_rdata, output wire s_axil_rvalid, input wire s_axil_rready
);

// Registers at every pin: nothing inside follows an input in the same cycle
wire [{last_in}:0] in_data;
wire in_valid;
wire in_ready;
wire [{last_out}:0] out_data;
wire out_valid;
wire out_ready;
fat_axis_register #(.DATA_W({bits_in})) entry (
    .clk(clk), .rst(rst), .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
    .m_axis_tdata(in_data), .m_axis_tvalid(in_valid), .m_axis_tready(in_ready)
);
fat_axis_register #(.DATA_W({bits_out})) leaving (
    .clk(clk), .rst(rst), .s_axis_tdata(out_data), .s_axis_tvalid(out_valid), .s_axis_tready(out_ready),
    .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
);

wire [31:0] b_awaddr, b_araddr, b_wdata;
wire [3:0] b_wstrb;
wire [31:0] r_awaddr = b_awaddr;
wire [31:0] r_araddr = b_araddr;
wire {own};
wire [31:0] r_rdata;
wire [{last}:0] {handshakes};
wire [{last_data}:0] b_rdata;
wire bus_clk;
fat_clock_gate bus_gate (
    .clk(clk), .rst(rst), .gated(bus_clk),
    .awake(s_axil_awvalid || s_axil_wvalid || s_axil_bready || s_axil_arvalid || s_axil_rready || r_bvalid || r_rvalid)
);
fat_axil_register bus (
    .clk(bus_clk), .rst(rst),
    .s_axil_awaddr(s_axil_awaddr), .s_axil_awvalid(s_axil_awvalid), .s_axil_awready(s_axil_awready),
    .s_axil_wdata(s_axil_wdata), .s_axil_wstrb(s_axil_wstrb),
    .s_axil_wvalid(s_axil_wvalid), .s_axil_wready(s_axil_wready),
    .s_axil_bvalid(s_axil_bvalid), .s_axil_bready(s_axil_bready),
    .s_axil_araddr(s_axil_araddr), .s_axil_arvalid(s_axil_arvalid), .s_axil_arready(s_axil_arready),
    .s_axil_rdata(s_axil_rdata), .s_axil_rvalid(s_axil_rvalid), .s_axil_rready(s_axil_rready),
    .m_axil_awaddr(b_awaddr), .m_axil_awvalid(r_awvalid), .m_axil_awready(r_awready),
    .m_axil_wdata(b_wdata), .m_axil_wstrb(b_wstrb), .m_axil_wvalid(r_wvalid), .m_axil_wready(r_wready),
    .m_axil_bvalid(r_bvalid), .m_axil_bready(r_bready),
    .m_axil_araddr(b_araddr), .m_axil_arvalid(r_arvalid), .m_axil_arready(r_arready),
    .m_axil_rdata(r_rdata), .m_axil_rvalid(r_rvalid), .m_axil_rready(r_rready)
);

{body}

endmodule
"""
