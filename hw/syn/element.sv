// One processing element of fat_mvtu between its registers, for synthesis: the dot product and the sum.
//
// Units are too large to be synthesised in every size, elements are not. fat_mvtu is what is simulated; this is counted only.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module element #
(
    parameter int SIMD = 1,
    parameter int WEIGHT_BITS = 1,
    parameter int INPUT_BITS = 1,
    parameter bit INPUT_BIPOLAR = 1'b0,
    parameter int SUM_BITS = 8,
    // 1: a vector takes several beats
    parameter bit ACCUMULATES = 1'b1
)
(
    input  wire                         clk,
    input  wire                         enable,
    input  wire                         first,
    input  wire [SIMD*WEIGHT_BITS-1:0]  weights,
    input  wire [SIMD*INPUT_BITS-1:0]   inputs,
    output reg  [SUM_BITS-1:0]          sum_reg
);

wire [SUM_BITS-1:0] part;

fat_dot #(
    .SIMD(SIMD),
    .WEIGHT_BITS(WEIGHT_BITS),
    .INPUT_BITS(INPUT_BITS),
    .INPUT_SIGNED(INPUT_BITS > 1),
    .INPUT_BIPOLAR(INPUT_BIPOLAR),
    .SUM_BITS(SUM_BITS),
    .BY_PLACE(INPUT_BITS == 1 || INPUT_BITS*WEIGHT_BITS <= 4)
)
dot (
    .weights(weights),
    .inputs(inputs),
    .sum(part)
);

always_ff @(posedge clk) begin
    if (enable) begin
        sum_reg <= (first || !ACCUMULATES ? '0 : sum_reg) + part;
    end
end

endmodule

`resetall
