// Activation of fat_mvtu: how many thresholds a sum meets, in any order of thresholds, as a level of the output.
//
// Synthesis keeps it as a module, as it does fat_element.

`resetall
`timescale 1ns / 1ps
`default_nettype none

(* keep_hierarchy = "yes" *)
module fat_levels #
(
    // Bits of the sum and of each threshold
    parameter int SUM_BITS = 8,
    // 1: they are in two's complement
    parameter bit SUM_SIGNED = 1'b1,
    parameter int THRESHOLDS = 1,
    // Bits of the output, its value where no threshold is met, and what each threshold adds
    parameter int OUT_BITS = 1,
    parameter int OUT_BASE = 0,
    parameter int OUT_STEP = 1
)
(
    input  wire                            clk,

    input  wire                            enable,
    input  wire [SUM_BITS-1:0]             sum,
    input  wire [THRESHOLDS*SUM_BITS-1:0]  thresholds,

    // In the next cycle
    output wire [OUT_BITS-1:0]             out
);

localparam int LEVEL_W = $clog2(THRESHOLDS + 1);

reg [OUT_BITS-1:0] out_reg;
wire [THRESHOLDS-1:0] met;
wire [LEVEL_W-1:0] level = LEVEL_W'($countones(met));

assign out = out_reg;

generate
for (genvar i = 0; i < THRESHOLDS; i = i + 1) begin : thresholds_of
    wire [SUM_BITS-1:0] threshold = thresholds[i*SUM_BITS +: SUM_BITS];
    if (SUM_SIGNED) begin : sums
        assign met[i] = $signed(sum) >= $signed(threshold);
    end else begin : counts
        assign met[i] = sum >= threshold;
    end
end
endgenerate

always_ff @(posedge clk) begin
    if (enable) begin
        out_reg <= OUT_BITS'(OUT_BASE + OUT_STEP*32'(level));
    end
end

endmodule

`resetall
