// Processing element of fat_mvtu: SIMD products a cycle, and their sum over the beats of a vector.
//
// Synthesis keeps it as a module, so that all elements of a unit are alike and each takes what it takes alone.

`resetall
`timescale 1ns / 1ps
`default_nettype none

(* keep_hierarchy = "yes" *)
module fat_element #
(
    // As those of fat_dot
    parameter int SIMD = 1,
    parameter int WEIGHT_BITS = 1,
    parameter int INPUT_BITS = 1,
    parameter bit INPUT_SIGNED = 1'b0,
    parameter bit INPUT_BIPOLAR = 1'b0,
    parameter int SUM_BITS = 8,
    parameter bit BY_PLACE = 1'b1,
    // 1: a vector takes several beats
    parameter bit ACCUMULATES = 1'b1
)
(
    input  wire                         clk,

    // Operands are there; first: of the first beat of a vector
    input  wire                         enable,
    input  wire                         first,
    input  wire [SIMD*WEIGHT_BITS-1:0]  weights,
    input  wire [SIMD*INPUT_BITS-1:0]   inputs,

    // In the next cycle
    output wire [SUM_BITS-1:0]          sum
);

reg [SUM_BITS-1:0] sum_reg;
wire [SUM_BITS-1:0] part;

assign sum = sum_reg;

fat_dot #(
    .SIMD(SIMD),
    .WEIGHT_BITS(WEIGHT_BITS),
    .INPUT_BITS(INPUT_BITS),
    .INPUT_SIGNED(INPUT_SIGNED),
    .INPUT_BIPOLAR(INPUT_BIPOLAR),
    .SUM_BITS(SUM_BITS),
    .BY_PLACE(BY_PLACE)
)
dot (
    .weights(weights),
    .inputs(inputs),
    .sum(part)
);

generate
if (ACCUMULATES) begin : beats
    always_ff @(posedge clk) begin
        if (enable) begin
            sum_reg <= (first ? '0 : sum_reg) + part;
        end
    end
end else begin : beat
    /* verilator lint_off UNUSEDSIGNAL */
    wire unused = first;
    /* verilator lint_on UNUSEDSIGNAL */

    always_ff @(posedge clk) begin
        if (enable) begin
            sum_reg <= part;
        end
    end
end
endgenerate

endmodule

`resetall
