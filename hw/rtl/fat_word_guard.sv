// Decoder of protected memory words, as they come out of a memory: parity, or SECDED (the extended Hamming code).
//
// A stored word holds its data bits first, then its check bits, numbered as in fat_fpga.faults.codes. Combinational: it is
// put into the data of a stream of weights, whose valid and ready go past it. Encoders are not needed: a memory that is
// filled with the bitstream holds its check bits already.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_word_guard #
(
    // Words that come in a beat
    parameter int WORDS = 1,
    // Data bits of a word, 1 to 1024
    parameter int DATA = 8,
    // 1: SECDED, which corrects one wrong bit and tells of two; 0: parity, which tells of one
    parameter bit SECDED = 1'b0,
    // 1: the data of a word that is told to be wrong are 0
    parameter bit ERASE = 1'b0,
    // Check bits of a word (derived, leave alone)
    parameter int CHECKS = SECDED ? hamming_bits(DATA) + 1 : 1
)
(
    input  wire [WORDS*(DATA+CHECKS)-1:0] stored,
    output wire [WORDS*DATA-1:0]          data,
    // Words that are told to be wrong
    output wire [WORDS-1:0]               wrong
);

/* verilator coverage_off */ // these run while the design is elaborated, never in a simulation
// Check bits of the Hamming code of so many data bits: the fewest, at least two, that tell all places apart
function automatic int hamming_bits(input int bits);
    hamming_bits = 2;
    for (int n = 2; n < 11; n = n + 1) begin
        if ((1 << n) < bits + n + 1) begin
            hamming_bits = n + 1;
        end
    end
endfunction

// Column of a data bit: numbers from 1 on, without the powers of two, which are check bits
function automatic int column(input int number);
    column = number + 1;
    for (int n = 0; n < 11; n = n + 1) begin
        if ((1 << n) <= number + 1 + n) begin
            column = number + 2 + n;
        end
    end
endfunction
/* verilator coverage_on */

generate
if (DATA < 1 || DATA > 1024) begin : check_data
    $fatal(1, "Error: DATA must be 1 to 1024");
end

for (genvar w = 0; w < WORDS; w = w + 1) begin : words
    wire [DATA-1:0] read = stored[w*(DATA + CHECKS) +: DATA];
    wire [CHECKS-1:0] checks = stored[w*(DATA + CHECKS) + DATA +: CHECKS];
    wire odd = ^{read, checks};
    wire [DATA-1:0] corrected;
    wire told;

    if (SECDED) begin : secded
        localparam int HAMMING = CHECKS - 1;
        wire [HAMMING-1:0] syndrome;
        for (genvar j = 0; j < HAMMING; j = j + 1) begin : sums
            wire [DATA-1:0] members;
            for (genvar i = 0; i < DATA; i = i + 1) begin : bits
                localparam int COLUMN = column(i);
                assign members[i] = COLUMN[j] && read[i];
            end
            assign syndrome[j] = ^members ^ checks[j];
        end
        for (genvar i = 0; i < DATA; i = i + 1) begin : corrects
            localparam int COLUMN = column(i);
            assign corrected[i] = read[i] ^ (odd && syndrome == HAMMING'(COLUMN));
        end
        assign told = odd ? 32'(syndrome) > DATA + HAMMING : syndrome != '0;
    end else begin : parity
        assign corrected = read;
        assign told = odd;
    end

    assign data[w*DATA +: DATA] = ERASE && told ? '0 : corrected;
    assign wrong[w] = told;
end
endgenerate

endmodule

`resetall
