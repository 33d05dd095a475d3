// FIFO: beats wait here until the next unit takes them.
//
// A beat is offered in the cycle after it came; one comes and one goes in each cycle.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_fifo #
(
    // Width of a beat in bits
    parameter int DATA_W = 8,
    // Beats that it holds, 2 at least
    parameter int DEPTH = 2
)
(
    input  wire               clk,
    input  wire               rst,

    // AXI-Stream in
    input  wire [DATA_W-1:0]  s_axis_tdata,
    input  wire               s_axis_tvalid,
    output wire               s_axis_tready,

    // AXI-Stream out
    output wire [DATA_W-1:0]  m_axis_tdata,
    output wire               m_axis_tvalid,
    input  wire               m_axis_tready
);

localparam int ADDR_W = DEPTH > 1 ? $clog2(DEPTH) : 1;
localparam int COUNT_W = $clog2(DEPTH + 1);

generate
if (DEPTH < 2) begin : check
    $fatal(1, "Error: DEPTH must be 2 at least");
end
endgenerate

reg [DATA_W-1:0] memory [0:DEPTH-1];
reg [ADDR_W-1:0] write_reg;
reg [ADDR_W-1:0] read_reg;
reg [COUNT_W-1:0] count_reg;

wire push = s_axis_tvalid && s_axis_tready;
wire pop = m_axis_tvalid && m_axis_tready;

assign s_axis_tready = count_reg != COUNT_W'(DEPTH);
assign m_axis_tdata = memory[read_reg];
assign m_axis_tvalid = count_reg != '0;

always_ff @(posedge clk) begin
    if (push) begin
        memory[write_reg] <= s_axis_tdata;
        write_reg <= write_reg == ADDR_W'(DEPTH - 1) ? '0 : write_reg + 1'b1;
    end
    if (pop) begin
        read_reg <= read_reg == ADDR_W'(DEPTH - 1) ? '0 : read_reg + 1'b1;
    end
    count_reg <= count_reg + COUNT_W'(push) - COUNT_W'(pop);

    if (rst) begin
        write_reg <= '0;
        read_reg <= '0;
        count_reg <= '0;
    end
end

endmodule

`resetall
