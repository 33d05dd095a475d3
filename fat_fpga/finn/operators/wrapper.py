"""The Verilog wrapper that gives a module of ``hw/rtl`` the port names FINN's block design wants."""

from __future__ import annotations

from collections.abc import Mapping

ADDRESS_BITS = 16
"""Of AXI-Lite byte addresses: a page of 64 KiB for each operator, the registers of a large voter included."""

_ADDRESS = ("AWADDR", "ARADDR")
_WRITE = (("AWVALID", "input", 1), ("AWREADY", "output", 1), ("AWADDR", "input", ADDRESS_BITS), ("WVALID", "input", 1),
          ("WREADY", "output", 1), ("WDATA", "input", 32), ("WSTRB", "input", 4), ("BVALID", "output", 1),
          ("BREADY", "input", 1), ("BRESP", "output", 2))  # fmt: skip
_READ = (("ARVALID", "input", 1), ("ARREADY", "output", 1), ("ARADDR", "input", ADDRESS_BITS), ("RVALID", "output", 1),
         ("RREADY", "input", 1), ("RDATA", "output", 32), ("RRESP", "output", 2))  # fmt: skip
_AXI_LITE = (*_WRITE, *_READ)


def wrapper(
    top: str,
    module: str,
    parameters: Mapping[str, int | str],
    bits_in: int,
    bits_out: int,
    registers: bool = True,
    address_bits: int = ADDRESS_BITS,
) -> str:
    """Verilog of a module ``top`` around ``module``.

    Args:
        parameters: of the inner module, by name.
        bits_in, bits_out: of a beat, before they are rounded up to whole bytes.
        registers: whether the AXI-Lite port goes out, of `ADDRESS_BITS`; else its inputs are held at 0.
        address_bits: of the inner module's AXI-Lite port; 0 where it has none.
    """
    width_in, width_out = -(-bits_in // 8) * 8, -(-bits_out // 8) * 8
    buses = "s_axilite:in0_V:out0_V" if registers else "in0_V:out0_V"
    ports = [
        f'(* X_INTERFACE_PARAMETER = "ASSOCIATED_BUSIF {buses}, ASSOCIATED_RESET ap_rst_n" *)\n'
        '    (* X_INTERFACE_INFO = "xilinx.com:signal:clock:1.0 ap_clk CLK" *)\n'
        "    input  wire ap_clk",
        '(* X_INTERFACE_PARAMETER = "POLARITY ACTIVE_LOW" *)\n    input  wire ap_rst_n',
        *(f"{way:6} wire {_bits(bits)}s_axilite_{name}" for name, way, bits in _AXI_LITE if registers),
        f"input  wire [{width_in - 1}:0] in0_V_TDATA",
        "input  wire in0_V_TVALID",
        "output wire in0_V_TREADY",
        f"output wire [{width_out - 1}:0] out0_V_TDATA",
        "output wire out0_V_TVALID",
        "input  wire out0_V_TREADY",
    ]
    settings = [f".{name}({value})" for name, value in parameters.items()]
    if address_bits:
        settings.append(f".AXIL_ADDR_W({address_bits})")
    wires = [
        ".clk(ap_clk)",
        ".rst(!ap_rst_n)",
        *(f".s_axil_{name.lower()}({_wire(name, way, registers, bits, address_bits)})" for name, way, bits in _AXI_LITE
          if address_bits),
        *(f".{inner}_{name.lower()}({outer}_{name})" for inner, outer in (("s_axis", "in0_V"), ("m_axis", "out0_V"))
          for name in ("TDATA", "TVALID", "TREADY")),
    ]  # fmt: skip
    return (
        f"// {module} under FINN's port names\n\n`timescale 1ns / 1ps\n\nmodule {top}\n(\n    "
        + ",\n    ".join(ports)
        + f"\n);\n\n{module} #\n(\n    "
        + ",\n    ".join(settings)
        + "\n)\ninner\n(\n    "
        + ",\n    ".join(wires)
        + "\n);\n\nendmodule\n"
    )


def _bits(bits: int) -> str:
    return f"[{bits - 1}:0] " if bits > 1 else ""


def _wire(name: str, way: str, registers: bool, bits: int, address_bits: int) -> str:
    if registers:
        return f"s_axilite_{name}"
    return f"{address_bits if name in _ADDRESS else bits}'d0" if way.strip() == "input" else ""
