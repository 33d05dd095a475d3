// Memory of constants: read by a stream's unit, and read or written by a host in parts of a word.
//
// Both sides have a port of their own; data are there in the next cycle. A part is PART_BITS wide, the last one may be
// narrower. What a host writes acts from the next read of the word on.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_memory #
(
    // Bits of a word
    parameter int WIDTH = 32,
    // Words
    parameter int DEPTH = 1,
    // Bits of a part, 1 to 32
    parameter int PART_BITS = 32,
    // What is in it after configuration: hexadecimal words, one a line; none: nothing
    parameter FILE = "",
    // Where it is put: auto, block or distributed
    /* verilator lint_off UNUSEDPARAM */
    parameter RAM_STYLE = "auto",
    /* verilator lint_on UNUSEDPARAM */
    // Width of addresses and numbers of parts (derived, leave alone)
    parameter int ADDR_W = DEPTH > 1 ? $clog2(DEPTH) : 1,
    parameter int PARTS = (WIDTH + PART_BITS - 1)/PART_BITS,
    parameter int PART_W = PARTS > 1 ? $clog2(PARTS) : 1
)
(
    input  wire                  clk,

    // Unit: one word in the cycle after rd_en
    input  wire                  rd_en,
    input  wire [ADDR_W-1:0]     rd_addr,
    output wire [WIDTH-1:0]      rd_data,

    // Host
    input  wire                  host_rd_en,
    input  wire                  host_wr_en,
    input  wire [ADDR_W-1:0]     host_addr,
    input  wire [PART_W-1:0]     host_part,
    /* verilator lint_off UNUSEDSIGNAL */
    input  wire [PART_BITS-1:0]  host_wr_data,
    /* verilator lint_on UNUSEDSIGNAL */
    output wire [PART_BITS-1:0]  host_rd_data
);

localparam int LAST = (PARTS - 1)*PART_BITS;

(* ram_style = RAM_STYLE *) reg [WIDTH-1:0] memory [0:DEPTH-1];

reg [WIDTH-1:0] rd_data_reg;
reg [WIDTH-1:0] host_word_reg;
reg [PART_W-1:0] host_part_reg;

generate
if (PART_BITS < 1 || PART_BITS > 32 || WIDTH < 1 || DEPTH < 1) begin : check
    $fatal(1, "Error: a word must have 1 bit at least, and a part 1 to 32");
end
endgenerate

generate
if (FILE != "") begin : filled
    initial begin
        $readmemh(FILE, memory);
    end
end
endgenerate

assign rd_data = rd_data_reg;

wire [PARTS*PART_BITS-1:0] host_word = (PARTS*PART_BITS)'(host_word_reg);
assign host_rd_data = host_word[host_part_reg*PART_BITS +: PART_BITS];

always_ff @(posedge clk) begin
    if (rd_en) begin
        rd_data_reg <= memory[rd_addr];
    end
end

generate
if (PARTS == 1) begin : whole
    always_ff @(posedge clk) begin
        if (host_wr_en) begin
            memory[host_addr] <= host_wr_data[WIDTH-1:0];
        end
    end
end else begin : in_parts
    always_ff @(posedge clk) begin
        if (host_wr_en) begin
            for (int n = 0; n < PARTS - 1; n = n + 1) begin
                if (host_part == PART_W'(n)) begin
                    memory[host_addr][n*PART_BITS +: PART_BITS] <= host_wr_data;
                end
            end
            if (host_part == PART_W'(PARTS - 1)) begin
                memory[host_addr][WIDTH-1:LAST] <= host_wr_data[WIDTH-LAST-1:0];
            end
        end
    end
end
endgenerate

always_ff @(posedge clk) begin
    if (host_rd_en) begin
        host_word_reg <= memory[host_addr];
        host_part_reg <= host_part;
    end
end

endmodule

`resetall
