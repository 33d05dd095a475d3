// AXI-Stream register: breaks all paths between its two sides, at one beat a cycle.
//
// A second register takes the beat that arrives in the cycle in which the output stalls.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_axis_register #
(
    // Width of a beat in bits
    parameter int DATA_W = 8,
    // 1: registers, one cycle of latency; 0: plain wires, no latency
    parameter bit ENABLE = 1'b1
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

generate
if (ENABLE) begin : registers
    reg [DATA_W-1:0] out_data_reg, out_data_next;
    reg [DATA_W-1:0] skid_data_reg, skid_data_next;
    reg out_valid_reg, out_valid_next;
    reg skid_valid_reg, skid_valid_next;

    assign s_axis_tready = !skid_valid_reg;
    assign m_axis_tdata = out_data_reg;
    assign m_axis_tvalid = out_valid_reg;

    always_comb begin
        out_data_next = out_data_reg;
        out_valid_next = out_valid_reg;
        skid_data_next = skid_data_reg;
        skid_valid_next = skid_valid_reg;

        if (!out_valid_reg || m_axis_tready) begin
            out_data_next = skid_valid_reg ? skid_data_reg : s_axis_tdata;
            out_valid_next = skid_valid_reg || s_axis_tvalid;
            skid_valid_next = 1'b0;
        end else if (s_axis_tvalid && !skid_valid_reg) begin
            skid_data_next = s_axis_tdata;
            skid_valid_next = 1'b1;
        end
    end

    always_ff @(posedge clk) begin
        out_data_reg <= out_data_next;
        skid_data_reg <= skid_data_next;
        out_valid_reg <= out_valid_next;
        skid_valid_reg <= skid_valid_next;

        if (rst) begin
            out_valid_reg <= 1'b0;
            skid_valid_reg <= 1'b0;
        end
    end
end else begin : wires
    /* verilator lint_off UNUSEDSIGNAL */
    wire unused = clk | rst;
    /* verilator lint_on UNUSEDSIGNAL */
    assign s_axis_tready = m_axis_tready;
    assign m_axis_tdata = s_axis_tdata;
    assign m_axis_tvalid = s_axis_tvalid;
end
endgenerate

endmodule

`resetall
