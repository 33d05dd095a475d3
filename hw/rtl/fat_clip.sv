// Clipped activations (FT-ClipAct, Hoang et al. 2020): a value above a bound is a fault, and becomes 0.
//
// FINN's thresholds only rise with their sums, so a level that falls to 0 again takes this in the stream behind them.
// Combinational: valid and ready of the stream go past it.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_clip #
(
    // Values a beat
    parameter int LANES = 1,
    // Bits of a value
    parameter int BITS = 8,
    // 1: values are in two's complement
    parameter bit SIGNED = 1'b0,
    // The largest value that is no fault
    parameter int BOUND = 1
)
(
    input  wire [LANES*BITS-1:0] in_data,
    output wire [LANES*BITS-1:0] out_data
);

generate
if (BITS < 1 || BITS > 30) begin : check_bits
    $fatal(1, "Error: BITS must be 1 to 30");
end
if (BOUND < 0 || BOUND >= (1 << (BITS - int'(SIGNED))) - 1) begin : check_bound
    $fatal(1, "Error: BOUND must be 0 or above, and below the largest value, which clips nothing");
end

for (genvar n = 0; n < LANES; n = n + 1) begin : lanes
    wire [BITS-1:0] value = in_data[n*BITS +: BITS];
    wire negative = SIGNED && value[BITS-1];
    assign out_data[n*BITS +: BITS] = !negative && 32'(value) > BOUND ? '0 : value;
end
endgenerate

endmodule

`resetall
