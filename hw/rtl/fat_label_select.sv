// Label select: the class with the largest score, the first one where several have it.
//
// CLASSES scores come in beats of LANES, in the order of classes; the class goes out as one beat.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_label_select #
(
    // Scores of a frame
    parameter int CLASSES = 10,
    // Scores a beat
    parameter int LANES = 1,
    // Bits of a score, 1 to 32
    parameter int BITS = 8,
    // 1: scores are in two's complement
    parameter bit SIGNED = 1'b0,
    // Bits of a class (derived, leave alone)
    parameter int CLASS_BITS = CLASSES > 1 ? $clog2(CLASSES) : 1,
    // Width of beats: whole bytes (derived, leave alone)
    parameter int DATA_IN_W = ((LANES*BITS + 7)/8)*8,
    parameter int DATA_OUT_W = ((CLASS_BITS + 7)/8)*8
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

localparam int BEATS = CLASSES/LANES;
localparam int BEAT_W = BEATS > 1 ? $clog2(BEATS) : 1;
// Adding it turns the order of signed scores into that of unsigned ones
localparam logic [BITS-1:0] OFFSET = SIGNED ? BITS'(1) << (BITS - 1) : '0;

generate
if (CLASSES % LANES != 0 || BITS < 1 || BITS > 32) begin : check
    $fatal(1, "Error: LANES must divide CLASSES, and BITS be 1 to 32");
end
endgenerate

reg [BEAT_W-1:0] beat_reg;
reg [CLASS_BITS-1:0] first_class_reg;
reg [BITS-1:0] best_reg, best_next;
reg [CLASS_BITS-1:0] class_reg, class_next;
reg valid_reg;

wire beat = s_axis_tvalid && s_axis_tready;
wire last_beat = beat_reg == BEAT_W'(BEATS - 1);

assign s_axis_tready = !valid_reg || m_axis_tready;
assign m_axis_tdata = DATA_OUT_W'(class_reg);
assign m_axis_tvalid = valid_reg;

always_comb begin
    best_next = best_reg;
    class_next = class_reg;
    for (int n = 0; n < LANES; n = n + 1) begin
        if ((beat_reg == '0 && n == 0) || (s_axis_tdata[n*BITS +: BITS] ^ OFFSET) > best_next) begin
            best_next = s_axis_tdata[n*BITS +: BITS] ^ OFFSET;
            class_next = first_class_reg + CLASS_BITS'(n);
        end
    end
end

always_ff @(posedge clk) begin
    if (s_axis_tready) begin
        valid_reg <= s_axis_tvalid && last_beat;
    end
    if (beat) begin
        best_reg <= best_next;
        class_reg <= class_next;
        beat_reg <= last_beat ? '0 : beat_reg + 1'b1;
        first_class_reg <= last_beat ? '0 : first_class_reg + CLASS_BITS'(LANES);
    end

    if (rst) begin
        beat_reg <= '0;
        first_class_reg <= '0;
        valid_reg <= 1'b0;
    end
end

endmodule

`resetall
