// Dot product of one PE: SIMD weights times SIMD inputs, all in one cycle, without a register.
//
// Bipolar weights (WEIGHT_BITS 1) are 0 for -1 and 1 for +1; others are in two's complement. Their bits stand by place: the
// lowest bits of all lanes, then the next ones. Bipolar weights on bipolar inputs give the number of agreeing bits. Few
// bits are multiplied place by place, by counting ones; inputs then stand by place, too. More bits are multiplied lane
// by lane.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_dot #
(
    // Lanes
    parameter int SIMD = 1,
    // Bits of a weight, 1 (bipolar) to 16
    parameter int WEIGHT_BITS = 1,
    // Bits of an input, 1 to 16
    parameter int INPUT_BITS = 1,
    // 1: inputs are in two's complement
    parameter bit INPUT_SIGNED = 1'b0,
    // 1: inputs of one bit are 0 for -1 and 1 for +1
    parameter bit INPUT_BIPOLAR = 1'b0,
    // Bits of the sum
    parameter int SUM_BITS = 8,
    // 1: bits stand by place and ones are counted; 0: lane by lane
    parameter bit BY_PLACE = 1'b1
)
(
    input  wire [SIMD*WEIGHT_BITS-1:0]  weights,
    input  wire [SIMD*INPUT_BITS-1:0]   inputs,
    output wire [SUM_BITS-1:0]          sum
);

generate
if (WEIGHT_BITS == 1 && INPUT_BIPOLAR) begin : agreeing
    assign sum = SUM_BITS'($countones(~(weights ^ inputs)));
end else if (BY_PLACE) begin : places
    // Of each pair of places; the sum of all those in front of it
    wire [SUM_BITS-1:0] partial [0:WEIGHT_BITS*INPUT_BITS];
    assign partial[0] = '0;
    assign sum = partial[WEIGHT_BITS*INPUT_BITS];
    for (genvar i = 0; i < WEIGHT_BITS; i = i + 1) begin : weight_places
        for (genvar j = 0; j < INPUT_BITS; j = j + 1) begin : input_places
            localparam int N = i*INPUT_BITS + j;
            localparam bit NEGATIVE = (WEIGHT_BITS > 1 && i == WEIGHT_BITS - 1) != (INPUT_SIGNED && j == INPUT_BITS - 1);
            wire [SIMD-1:0] w = weights[i*SIMD +: SIMD];
            wire [SIMD-1:0] a = inputs[j*SIMD +: SIMD];
            wire [SUM_BITS-1:0] term;
            if (WEIGHT_BITS == 1) begin : bipolar_weights
                assign term = SUM_BITS'($countones(w & a)) - SUM_BITS'($countones(~w & a));
            end else if (INPUT_BIPOLAR) begin : bipolar_inputs
                assign term = SUM_BITS'($countones(w & a)) - SUM_BITS'($countones(w & ~a));
            end else begin : both
                assign term = SUM_BITS'($countones(w & a));
            end
            if (NEGATIVE) begin : minus
                assign partial[N+1] = partial[N] - (term << (i + j));
            end else begin : plus
                assign partial[N+1] = partial[N] + (term << (i + j));
            end
        end
    end
end else begin : lanes
    wire [SUM_BITS-1:0] partial [0:SIMD];
    assign partial[0] = '0;
    assign sum = partial[SIMD];
    for (genvar n = 0; n < SIMD; n = n + 1) begin : products
        wire signed [SUM_BITS-1:0] a;
        if (INPUT_SIGNED) begin : signed_input
            assign a = SUM_BITS'($signed(inputs[n*INPUT_BITS +: INPUT_BITS]));
        end else begin : unsigned_input
            assign a = SUM_BITS'(inputs[n*INPUT_BITS +: INPUT_BITS]);
        end
        if (WEIGHT_BITS == 1) begin : bipolar_weights
            assign partial[n+1] = weights[n] ? partial[n] + a : partial[n] - a;
        end else begin : other_weights
            wire [WEIGHT_BITS-1:0] w;
            for (genvar i = 0; i < WEIGHT_BITS; i = i + 1) begin : gather
                assign w[i] = weights[i*SIMD + n];
            end
            assign partial[n+1] = partial[n] + SUM_BITS'(SUM_BITS'($signed(w))*a);
        end
    end
end
endgenerate

endmodule

`resetall
