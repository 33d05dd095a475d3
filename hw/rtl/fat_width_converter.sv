// Width converter: the same values with other numbers of lanes a beat.
//
// One number of lanes must divide the other; one beat a cycle on the narrow side.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_width_converter #
(
    // Values a beat on both sides
    parameter int LANES_IN = 1,
    parameter int LANES_OUT = 1,
    // Bits of a value
    parameter int BITS = 1,
    // Width of beats: whole bytes (derived, leave alone)
    parameter int DATA_IN_W = ((LANES_IN*BITS + 7)/8)*8,
    parameter int DATA_OUT_W = ((LANES_OUT*BITS + 7)/8)*8
)
(
    input  wire                   clk,
    input  wire                   rst,

    // AXI-Stream in
    /* verilator lint_off UNUSEDSIGNAL */
    input  wire [DATA_IN_W-1:0]   s_axis_tdata,
    /* verilator lint_on UNUSEDSIGNAL */
    input  wire                   s_axis_tvalid,
    output wire                   s_axis_tready,

    // AXI-Stream out
    output wire [DATA_OUT_W-1:0]  m_axis_tdata,
    output wire                   m_axis_tvalid,
    input  wire                   m_axis_tready
);

localparam int WIDTH_IN = LANES_IN*BITS;
localparam int WIDTH_OUT = LANES_OUT*BITS;

generate
if (LANES_IN % LANES_OUT != 0 && LANES_OUT % LANES_IN != 0) begin : check
    $fatal(1, "Error: LANES_IN must divide LANES_OUT, or LANES_OUT LANES_IN");
end
if (LANES_IN == LANES_OUT) begin : wires
    /* verilator lint_off UNUSEDSIGNAL */
    wire unused = clk | rst;
    /* verilator lint_on UNUSEDSIGNAL */
    assign s_axis_tready = m_axis_tready;
    assign m_axis_tdata = s_axis_tdata;
    assign m_axis_tvalid = s_axis_tvalid;
end else if (LANES_OUT % LANES_IN == 0) begin : widen
    localparam int PARTS = LANES_OUT/LANES_IN;
    localparam int COUNT_W = $clog2(PARTS + 1);
    reg [WIDTH_OUT-1:0] data_reg;
    reg [COUNT_W-1:0] count_reg;

    assign m_axis_tdata = DATA_OUT_W'(data_reg);
    assign m_axis_tvalid = count_reg == COUNT_W'(PARTS);
    assign s_axis_tready = !m_axis_tvalid || m_axis_tready;

    always_ff @(posedge clk) begin
        if (s_axis_tready) begin
            if (s_axis_tvalid) begin
                data_reg <= {s_axis_tdata[WIDTH_IN-1:0], data_reg[WIDTH_OUT-1:WIDTH_IN]};
                count_reg <= m_axis_tvalid ? COUNT_W'(1) : count_reg + 1'b1;
            end else if (m_axis_tvalid) begin
                count_reg <= '0;
            end
        end

        if (rst) begin
            count_reg <= '0;
        end
    end
end else begin : narrow
    localparam int PARTS = LANES_IN/LANES_OUT;
    localparam int COUNT_W = $clog2(PARTS + 1);
    reg [WIDTH_IN-1:0] data_reg;
    reg [COUNT_W-1:0] count_reg;

    assign m_axis_tdata = DATA_OUT_W'(data_reg[WIDTH_OUT-1:0]);
    assign m_axis_tvalid = count_reg != '0;
    assign s_axis_tready = !m_axis_tvalid || (m_axis_tready && count_reg == COUNT_W'(1));

    always_ff @(posedge clk) begin
        if (s_axis_tvalid && s_axis_tready) begin
            data_reg <= s_axis_tdata[WIDTH_IN-1:0];
            count_reg <= COUNT_W'(PARTS);
        end else if (m_axis_tvalid && m_axis_tready) begin
            data_reg <= data_reg >> WIDTH_OUT;
            count_reg <= count_reg - 1'b1;
        end

        if (rst) begin
            count_reg <= '0;
        end
    end
end
endgenerate

endmodule

`resetall
