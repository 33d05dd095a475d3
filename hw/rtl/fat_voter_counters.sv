// Disagreement counters of a voter: for each triplet a counter that stops at its largest value, and a sticky bit for each
// copy that was not as the majority. What disagrees in the very cycle of a clear is counted.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_voter_counters #
(
    // Triplets
    parameter int ENTRIES = 1,
    // Bits of each counter, 1 to 29
    parameter int COUNT_BITS = 8,
    // Width of the index that reads
    parameter int INDEX_W = 10
)
(
    input  wire                  clk,
    input  wire                  rst,

    // Votes: which triplets are judged in this cycle, and which of their three copies differ
    input  wire [ENTRIES-1:0]    valid,
    input  wire [ENTRIES*3-1:0]  differs,
    // Which triplets disagree in this cycle
    output wire [ENTRIES-1:0]    disagrees,

    // Clear all
    input  wire                  clear,
    // Read one, in the same cycle, and clear it
    input  wire [INDEX_W-1:0]    rd_index,
    input  wire                  rd_clear,
    output reg  [31:0]           rd_data
);

reg [ENTRIES-1:0][COUNT_BITS-1:0] count_reg, count_next;
reg [ENTRIES-1:0][2:0] copies_reg, copies_next;
wire [ENTRIES-1:0] selected;

generate
for (genvar t = 0; t < ENTRIES; t = t + 1) begin : entries
    assign selected[t] = rd_index == INDEX_W'(t);
    assign disagrees[t] = valid[t] && (|differs[t*3 +: 3]);
end
endgenerate

always_comb begin
    rd_data = 32'd0;
    for (int t = 0; t < ENTRIES; t = t + 1) begin
        count_next[t] = count_reg[t];
        copies_next[t] = copies_reg[t];

        if (clear || (rd_clear && selected[t])) begin
            count_next[t] = '0;
            copies_next[t] = '0;
        end
        if (disagrees[t]) begin
            count_next[t] = (&count_next[t]) ? count_next[t] : count_next[t] + 1'b1;
            copies_next[t] = copies_next[t] | differs[t*3 +: 3];
        end

        if (selected[t]) begin
            rd_data = rd_data | (32'(copies_reg[t]) << fat_registers_pkg::COPIES_SHIFT) | 32'(count_reg[t]);
        end
    end
end

always_ff @(posedge clk) begin
    count_reg <= count_next;
    copies_reg <= copies_next;

    if (rst) begin
        count_reg <= '0;
        copies_reg <= '0;
    end
end

endmodule

`resetall
