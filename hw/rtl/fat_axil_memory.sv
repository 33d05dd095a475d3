// AXI-Lite slave in front of a memory: 32-bit words at byte addresses, which the memory answers a cycle later.
//
// A read waits one cycle at the bus, in which the memory looks its word up.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_axil_memory #
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

    // Memory: word address of a read or a write; enables last one cycle, read data is there in the next one
    output wire [ADDR_W-3:0]  word_addr,
    output wire               word_wr_en,
    output wire [31:0]        word_wr_data,
    output wire               word_rd_en,
    input  wire [31:0]        word_rd_data
);

// The memory has had a cycle for the address on the bus
reg known_reg, known_next;

/* verilator lint_off UNUSEDSIGNAL */
wire [ADDR_W-1:0] reg_wr_addr;
wire [ADDR_W-1:0] reg_rd_addr;
/* verilator lint_on UNUSEDSIGNAL */

assign word_addr = word_wr_en ? reg_wr_addr[ADDR_W-1:2] : reg_rd_addr[ADDR_W-1:2];
assign word_rd_en = s_axil_arvalid && !word_wr_en;

/* verilator lint_off PINCONNECTEMPTY */
fat_axil_slave #(
    .ADDR_W(ADDR_W)
)
slave (
    .clk(clk),
    .rst(rst),
    .s_axil_awaddr(s_axil_awaddr),
    .s_axil_awvalid(s_axil_awvalid),
    .s_axil_awready(s_axil_awready),
    .s_axil_wdata(s_axil_wdata),
    .s_axil_wstrb(s_axil_wstrb),
    .s_axil_wvalid(s_axil_wvalid),
    .s_axil_wready(s_axil_wready),
    .s_axil_bresp(s_axil_bresp),
    .s_axil_bvalid(s_axil_bvalid),
    .s_axil_bready(s_axil_bready),
    .s_axil_araddr(s_axil_araddr),
    .s_axil_arvalid(s_axil_arvalid && known_reg),
    .s_axil_arready(s_axil_arready),
    .s_axil_rdata(s_axil_rdata),
    .s_axil_rresp(s_axil_rresp),
    .s_axil_rvalid(s_axil_rvalid),
    .s_axil_rready(s_axil_rready),
    .reg_wr_en(word_wr_en),
    .reg_wr_addr(reg_wr_addr),
    .reg_wr_data(word_wr_data),
    .reg_rd_en(),
    .reg_rd_addr(reg_rd_addr),
    .reg_rd_data(word_rd_data)
);
/* verilator lint_on PINCONNECTEMPTY */

always_comb begin
    // A write takes the memory's port, so that what was read may be another word
    known_next = s_axil_arvalid && !s_axil_arready && !word_wr_en;
end

always_ff @(posedge clk) begin
    known_reg <= known_next;

    if (rst) begin
        known_reg <= 1'b0;
    end
end

endmodule

`resetall
