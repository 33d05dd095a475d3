// AXI-Lite interconnect of the simulated board: one master, a page of addresses for each block, or several.
//
// One transfer at a time in each direction, as the board's program makes them. A page without a block never answers.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_axil_demux #
(
    // Blocks behind
    parameter int BLOCKS = 1,
    // Width of byte addresses in a page
    parameter int PAGE_W = 16,
    // Width of the master's byte addresses
    parameter int ADDR_W = 32,
    // The first page of each block, 16 bits each
    parameter logic [BLOCKS*16-1:0] FIRST = '0,
    // Pages of each block, a power of two that divides the number of the first one, 16 bits each
    parameter logic [BLOCKS*16-1:0] SPAN = {BLOCKS{16'd1}}
)
(
    // AXI-Lite slave, for the master
    input  wire [ADDR_W-1:0]     s_axil_awaddr,
    input  wire                  s_axil_awvalid,
    output wire                  s_axil_awready,
    input  wire                  s_axil_wvalid,
    output wire                  s_axil_wready,
    output wire                  s_axil_bvalid,
    input  wire                  s_axil_bready,
    input  wire [ADDR_W-1:0]     s_axil_araddr,
    input  wire                  s_axil_arvalid,
    output wire                  s_axil_arready,
    output wire [31:0]           s_axil_rdata,
    output wire                  s_axil_rvalid,
    input  wire                  s_axil_rready,

    // AXI-Lite masters, one a block; addresses and written data go to all of them unchanged
    output wire [BLOCKS-1:0]     m_axil_awvalid,
    input  wire [BLOCKS-1:0]     m_axil_awready,
    output wire [BLOCKS-1:0]     m_axil_wvalid,
    input  wire [BLOCKS-1:0]     m_axil_wready,
    input  wire [BLOCKS-1:0]     m_axil_bvalid,
    output wire [BLOCKS-1:0]     m_axil_bready,
    output wire [BLOCKS-1:0]     m_axil_arvalid,
    input  wire [BLOCKS-1:0]     m_axil_arready,
    input  wire [BLOCKS*32-1:0]  m_axil_rdata,
    input  wire [BLOCKS-1:0]     m_axil_rvalid,
    output wire [BLOCKS-1:0]     m_axil_rready
);

wire [BLOCKS-1:0] writes;
wire [BLOCKS-1:0] reads;

generate
for (genvar n = 0; n < BLOCKS; n = n + 1) begin : blocks
    localparam logic [ADDR_W-PAGE_W-1:0] PAGE = (ADDR_W - PAGE_W)'(FIRST[n*16 +: 16]);
    localparam logic [ADDR_W-PAGE_W-1:0] KEEP = ~((ADDR_W - PAGE_W)'(SPAN[n*16 +: 16]) - 1'b1);
    assign writes[n] = (s_axil_awaddr[ADDR_W-1:PAGE_W] & KEEP) == PAGE;
    assign reads[n] = (s_axil_araddr[ADDR_W-1:PAGE_W] & KEEP) == PAGE;
end
endgenerate

assign m_axil_awvalid = writes & {BLOCKS{s_axil_awvalid}};
assign m_axil_wvalid = writes & {BLOCKS{s_axil_wvalid}};
assign m_axil_bready = writes & {BLOCKS{s_axil_bready}};
assign m_axil_arvalid = reads & {BLOCKS{s_axil_arvalid}};
assign m_axil_rready = reads & {BLOCKS{s_axil_rready}};

assign s_axil_awready = |(writes & m_axil_awready);
assign s_axil_wready = |(writes & m_axil_wready);
assign s_axil_bvalid = |(writes & m_axil_bvalid);
assign s_axil_arready = |(reads & m_axil_arready);
assign s_axil_rvalid = |(reads & m_axil_rvalid);

reg [31:0] rdata;
always_comb begin
    rdata = 32'd0;
    for (int n = 0; n < BLOCKS; n = n + 1) begin
        if (reads[n]) begin
            rdata = rdata | m_axil_rdata[n*32 +: 32];
        end
    end
end
assign s_axil_rdata = rdata;

endmodule

`resetall
