// Clock gate of the simulated board: stops the clock of blocks that would not change.
//
// The clock runs in every cycle in which AWAKE is set and for HOLD cycles more. A latch holds the decision while the clock
// is high, as in a real gate. The simulator then skips these blocks.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_clock_gate #
(
    // Cycles for which the clock goes on
    parameter int HOLD = 15
)
(
    input  wire  clk,
    input  wire  rst,
    input  wire  awake,
    output wire  gated
);

localparam int HOLD_W = $clog2(HOLD + 1);

reg [HOLD_W-1:0] left_reg;
reg open;

assign gated = clk & open;

always_latch begin
    if (!clk) begin
        open = awake || rst || left_reg != '0;
    end
end

always_ff @(posedge clk) begin
    if (awake || rst) begin
        left_reg <= HOLD_W'(HOLD);
    end else if (left_reg != '0) begin
        left_reg <= left_reg - 1'b1;
    end
end

endmodule

`resetall
