// Adder tree: the sum of unsigned numbers, four to a sum and a register behind each level.
//
// Takes $clog2(INPUTS) / 2 cycles, rounded up; a new set of numbers may come in every cycle. One level and the same
// module again for what is left.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_adder_tree #
(
    // Numbers
    parameter int INPUTS = 1,
    // Bits of each of them
    parameter int IN_W = 1,
    // Bits of the sum; what does not fit is cut off
    parameter int OUT_W = 1
)
(
    input  wire                    clk,
    input  wire [INPUTS*IN_W-1:0]  numbers,
    output wire [OUT_W-1:0]        sum
);

localparam int GROUP = 4;

generate
if (INPUTS == 1) begin : leaf
    /* verilator lint_off UNUSEDSIGNAL */
    wire unused = clk;
    /* verilator lint_on UNUSEDSIGNAL */
    assign sum = OUT_W'(numbers);
end else begin : level
    localparam int LEFT = (INPUTS + GROUP - 1)/GROUP;
    localparam int FULL_W = IN_W + $clog2(INPUTS < GROUP ? INPUTS : GROUP);
    localparam int SUM_W = FULL_W < OUT_W ? FULL_W : OUT_W;

    reg [LEFT*SUM_W-1:0] sums_reg, sums_next;

    always_comb begin
        for (int n = 0; n < LEFT; n = n + 1) begin
            sums_next[n*SUM_W +: SUM_W] = '0;
            for (int k = n*GROUP; k < (n + 1)*GROUP && k < INPUTS; k = k + 1) begin
                sums_next[n*SUM_W +: SUM_W] = sums_next[n*SUM_W +: SUM_W] + SUM_W'(numbers[k*IN_W +: IN_W]);
            end
        end
    end

    always_ff @(posedge clk) begin
        sums_reg <= sums_next;
    end

    fat_adder_tree #(
        .INPUTS(LEFT),
        .IN_W(SUM_W),
        .OUT_W(OUT_W)
    )
    tree (
        .clk(clk),
        .numbers(sums_reg),
        .sum(sum)
    );
end
endgenerate

endmodule

`resetall
