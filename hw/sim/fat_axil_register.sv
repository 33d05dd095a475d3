// AXI-Lite register: breaks all paths between a master and the blocks behind, in every channel.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_axil_register #
(
    // Width of byte addresses
    parameter int ADDR_W = 32
)
(
    input  wire               clk,
    input  wire               rst,

    // AXI-Lite slave
    input  wire [ADDR_W-1:0]  s_axil_awaddr,
    input  wire               s_axil_awvalid,
    output wire               s_axil_awready,
    input  wire [31:0]        s_axil_wdata,
    input  wire [3:0]         s_axil_wstrb,
    input  wire               s_axil_wvalid,
    output wire               s_axil_wready,
    output wire               s_axil_bvalid,
    input  wire               s_axil_bready,
    input  wire [ADDR_W-1:0]  s_axil_araddr,
    input  wire               s_axil_arvalid,
    output wire               s_axil_arready,
    output wire [31:0]        s_axil_rdata,
    output wire               s_axil_rvalid,
    input  wire               s_axil_rready,

    // AXI-Lite master
    output wire [ADDR_W-1:0]  m_axil_awaddr,
    output wire               m_axil_awvalid,
    input  wire               m_axil_awready,
    output wire [31:0]        m_axil_wdata,
    output wire [3:0]         m_axil_wstrb,
    output wire               m_axil_wvalid,
    input  wire               m_axil_wready,
    input  wire               m_axil_bvalid,
    output wire               m_axil_bready,
    output wire [ADDR_W-1:0]  m_axil_araddr,
    output wire               m_axil_arvalid,
    input  wire               m_axil_arready,
    input  wire [31:0]        m_axil_rdata,
    input  wire               m_axil_rvalid,
    output wire               m_axil_rready
);

fat_axis_register #(.DATA_W(ADDR_W)) write_address (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(s_axil_awaddr),
    .s_axis_tvalid(s_axil_awvalid),
    .s_axis_tready(s_axil_awready),
    .m_axis_tdata(m_axil_awaddr),
    .m_axis_tvalid(m_axil_awvalid),
    .m_axis_tready(m_axil_awready)
);

fat_axis_register #(.DATA_W(36)) write_data (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata({s_axil_wstrb, s_axil_wdata}),
    .s_axis_tvalid(s_axil_wvalid),
    .s_axis_tready(s_axil_wready),
    .m_axis_tdata({m_axil_wstrb, m_axil_wdata}),
    .m_axis_tvalid(m_axil_wvalid),
    .m_axis_tready(m_axil_wready)
);

/* verilator lint_off PINCONNECTEMPTY */
fat_axis_register #(.DATA_W(1)) write_answer (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(1'b0),
    .s_axis_tvalid(m_axil_bvalid),
    .s_axis_tready(m_axil_bready),
    .m_axis_tdata(),
    .m_axis_tvalid(s_axil_bvalid),
    .m_axis_tready(s_axil_bready)
);
/* verilator lint_on PINCONNECTEMPTY */

fat_axis_register #(.DATA_W(ADDR_W)) read_address (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(s_axil_araddr),
    .s_axis_tvalid(s_axil_arvalid),
    .s_axis_tready(s_axil_arready),
    .m_axis_tdata(m_axil_araddr),
    .m_axis_tvalid(m_axil_arvalid),
    .m_axis_tready(m_axil_arready)
);

fat_axis_register #(.DATA_W(32)) read_data (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(m_axil_rdata),
    .s_axis_tvalid(m_axil_rvalid),
    .s_axis_tready(m_axil_rready),
    .m_axis_tdata(s_axil_rdata),
    .m_axis_tvalid(s_axil_rvalid),
    .m_axis_tready(s_axil_rready)
);

endmodule

`resetall
