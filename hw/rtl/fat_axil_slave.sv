// AXI-Lite slave: turns bus transfers into single-cycle register reads and writes.
//
// A write is taken when its address and its data are both there; only whole words are written. READY follows in the next
// cycle and the answer in the one after it, as AXI allows none before the handshake. Every answer is OKAY, as an error on
// the bus would stop the processor; registers that do not exist read as 0.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_axil_slave #
(
    // Width of byte addresses
    parameter int ADDR_W = 12
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
    output wire [1:0]         s_axil_bresp,
    output wire               s_axil_bvalid,
    input  wire               s_axil_bready,
    input  wire [ADDR_W-1:0]  s_axil_araddr,
    input  wire               s_axil_arvalid,
    output wire               s_axil_arready,
    output wire [31:0]        s_axil_rdata,
    output wire [1:0]         s_axil_rresp,
    output wire               s_axil_rvalid,
    input  wire               s_axil_rready,

    // Registers: enables last one cycle; reg_rd_data answers reg_rd_addr in the same cycle
    output wire               reg_wr_en,
    output wire [ADDR_W-1:0]  reg_wr_addr,
    output wire [31:0]        reg_wr_data,
    output wire               reg_rd_en,
    output wire [ADDR_W-1:0]  reg_rd_addr,
    input  wire [31:0]        reg_rd_data
);

reg wready_reg, wready_next;
reg bvalid_reg, bvalid_next;
reg arready_reg, arready_next;
reg rvalid_reg, rvalid_next;
reg [31:0] rdata_reg, rdata_next;
reg take_write, take_read;

assign s_axil_awready = wready_reg;
assign s_axil_wready = wready_reg;
assign s_axil_bresp = 2'b00;
assign s_axil_bvalid = bvalid_reg;
assign s_axil_arready = arready_reg;
assign s_axil_rdata = rdata_reg;
assign s_axil_rresp = 2'b00;
assign s_axil_rvalid = rvalid_reg;

assign reg_wr_en = take_write && (&s_axil_wstrb);
assign reg_wr_addr = s_axil_awaddr;
assign reg_wr_data = s_axil_wdata;
assign reg_rd_en = take_read;
assign reg_rd_addr = s_axil_araddr;

always_comb begin
    take_write = s_axil_awvalid && s_axil_wvalid && (!bvalid_reg || s_axil_bready) && !wready_reg;
    take_read = s_axil_arvalid && (!rvalid_reg || s_axil_rready) && !arready_reg;

    wready_next = take_write;
    bvalid_next = wready_reg || (bvalid_reg && !s_axil_bready);
    arready_next = take_read;
    rvalid_next = arready_reg || (rvalid_reg && !s_axil_rready);
    rdata_next = take_read ? reg_rd_data : rdata_reg;
end

always_ff @(posedge clk) begin
    wready_reg <= wready_next;
    bvalid_reg <= bvalid_next;
    arready_reg <= arready_next;
    rvalid_reg <= rvalid_next;
    rdata_reg <= rdata_next;

    if (rst) begin
        wready_reg <= 1'b0;
        bvalid_reg <= 1'b0;
        arready_reg <= 1'b0;
        rvalid_reg <= 1'b0;
    end
end

endmodule

`resetall
