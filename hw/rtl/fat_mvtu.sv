// Matrix-vector-threshold unit: a layer's weights times each vector of its stream, and an activation by thresholds.
//
// Folding and orders are those of FINN's MVAU: a vector of INPUTS values comes in beats of SIMD, a beat goes out for each
// fold of PE channels; channel c is PE c mod PE of fold c div PE. The vector is kept for the folds behind the first one.
// One cycle for SIMD x PE products: a vector takes (INPUTS / SIMD) x (CHANNELS / PE) cycles.
//
// An output is OUT_BASE + OUT_STEP x the number of thresholds that the sum meets, in any order of thresholds. Without
// thresholds sums go out. Bipolar weights on bipolar inputs are summed as counts of agreeing bits, and thresholds
// are such counts, without sign; other sums and thresholds are in two's complement.
//
// On AXI-Lite, thresholds are in the lower half of addresses, weights in the upper half; a host reads and writes them while
// streams run. Threshold i of channel c is 32-bit word (c div PE, c mod PE, i), each padded to a power of two. Word
// (fold, beat) of weights, PE after PE and the bits of a PE by place, takes a power of two of 32-bit words.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_mvtu #
(
    // Values of a vector
    parameter int INPUTS = 1,
    // Output channels
    parameter int CHANNELS = 1,
    // Channels worked on at once
    parameter int PE = 1,
    // Inputs that each of them takes a cycle
    parameter int SIMD = 1,
    // Bits of a weight: 1 (bipolar) to 16 (two's complement)
    parameter int WEIGHT_BITS = 1,
    // Bits of an input, 1 to 16
    parameter int INPUT_BITS = 1,
    // 1: inputs are in two's complement
    parameter bit INPUT_SIGNED = 1'b0,
    // 1: inputs of one bit are 0 for -1 and 1 for +1
    parameter bit INPUT_BIPOLAR = 1'b0,
    // Bits of sums and thresholds, 2 to 32
    parameter int SUM_BITS = 8,
    // Thresholds of a channel; 0: none, sums go out
    parameter int THRESHOLDS = 1,
    // Bits of an output
    parameter int OUT_BITS = 1,
    // The output where no threshold is met, and what each threshold adds
    parameter int OUT_BASE = 0,
    parameter int OUT_STEP = 1,
    // Memories after configuration: hexadecimal words, one a line
    parameter WEIGHTS_FILE = "",
    parameter THRESHOLDS_FILE = "",
    // Where weights are put: auto, block or distributed
    parameter RAM_STYLE = "auto",
    // Width of AXI-Lite byte addresses
    parameter int AXIL_ADDR_W = 16,
    // Width of beats: whole bytes (derived, leave alone)
    parameter int DATA_IN_W = ((SIMD*INPUT_BITS + 7)/8)*8,
    parameter int DATA_OUT_W = ((PE*OUT_BITS + 7)/8)*8
)
(
    input  wire                    clk,
    input  wire                    rst,

    // AXI-Stream in
    /* verilator lint_off UNUSEDSIGNAL */
    input  wire [DATA_IN_W-1:0]    s_axis_tdata,
    /* verilator lint_on UNUSEDSIGNAL */
    input  wire                    s_axis_tvalid,
    output wire                    s_axis_tready,

    // AXI-Stream out
    output wire [DATA_OUT_W-1:0]   m_axis_tdata,
    output wire                    m_axis_tvalid,
    input  wire                    m_axis_tready,

    // AXI-Lite slave
    input  wire [AXIL_ADDR_W-1:0]  s_axil_awaddr,
    input  wire                    s_axil_awvalid,
    output wire                    s_axil_awready,
    input  wire [31:0]             s_axil_wdata,
    input  wire [3:0]              s_axil_wstrb,
    input  wire                    s_axil_wvalid,
    output wire                    s_axil_wready,
    output wire [1:0]              s_axil_bresp,
    output wire                    s_axil_bvalid,
    input  wire                    s_axil_bready,
    input  wire [AXIL_ADDR_W-1:0]  s_axil_araddr,
    input  wire                    s_axil_arvalid,
    output wire                    s_axil_arready,
    output wire [31:0]             s_axil_rdata,
    output wire [1:0]              s_axil_rresp,
    output wire                    s_axil_rvalid,
    input  wire                    s_axil_rready
);

localparam int BEATS = INPUTS/SIMD;
localparam int FOLDS = CHANNELS/PE;
localparam int DEPTH = BEATS*FOLDS;
localparam int BEAT_W = BEATS > 1 ? $clog2(BEATS) : 1;
localparam int FOLD_W = FOLDS > 1 ? $clog2(FOLDS) : 1;
localparam int DEPTH_W = DEPTH > 1 ? $clog2(DEPTH) : 1;
localparam int VECTOR_W = SIMD*INPUT_BITS;
localparam int WORD_W = PE*SIMD*WEIGHT_BITS;
localparam int PARTS = (WORD_W + 31)/32;
localparam int PART_W = PARTS > 1 ? $clog2(PARTS) : 1;
// Bits of a number below a power of two that may be one
localparam int PART_SHIFT = $clog2(PARTS);
localparam int LANE_SHIFT = $clog2(PE);
localparam int INDEX_SHIFT = THRESHOLDS > 1 ? $clog2(THRESHOLDS) : 0;
localparam int WORD_ADDR_W = AXIL_ADDR_W - 3;
localparam bit COUNTING = WEIGHT_BITS == 1 && INPUT_BIPOLAR;
localparam bit BY_PLACE = INPUT_BITS == 1 || INPUT_BITS*WEIGHT_BITS <= 4;

generate
if (INPUTS % SIMD != 0 || CHANNELS % PE != 0) begin : check_folding
    $fatal(1, "Error: SIMD must divide INPUTS, and PE CHANNELS");
end
if (WEIGHT_BITS < 1 || WEIGHT_BITS > 16 || INPUT_BITS < 1 || INPUT_BITS > 16 || (INPUT_BIPOLAR && INPUT_BITS != 1)) begin : check_bits
    $fatal(1, "Error: weights and inputs must have 1 to 16 bits, bipolar inputs 1");
end
if (SUM_BITS < 2 || SUM_BITS > 32 || THRESHOLDS < 0 || OUT_BITS < 1 || OUT_BITS > 32) begin : check_sums
    $fatal(1, "Error: SUM_BITS must be 2 to 32, OUT_BITS 1 to 32, THRESHOLDS 0 or more");
end
if (PART_SHIFT + $clog2(DEPTH) > WORD_ADDR_W || $clog2(FOLDS) + LANE_SHIFT + INDEX_SHIFT > WORD_ADDR_W) begin : check_addresses
    $fatal(1, "Error: AXIL_ADDR_W is too narrow for these weights and thresholds");
end
endgenerate

// Where in the vector and in the channels the next cycle is
reg [BEAT_W-1:0] beat_reg;
reg [FOLD_W-1:0] fold_reg;
reg [DEPTH_W-1:0] word_reg;
// The vector, for the folds behind the first one
reg [VECTOR_W-1:0] kept [0:BEATS-1];

// Operands
reg [VECTOR_W-1:0] inputs_reg;
reg [FOLD_W-1:0] operands_fold_reg;
reg operands_valid_reg, first_reg, last_reg;
// Sums
reg sums_valid_reg;
// Outputs
reg out_valid_reg;

wire [WORD_W-1:0] weights;
wire [VECTOR_W-1:0] arrived;

wire enable = !out_valid_reg || m_axis_tready;
wire first_fold = fold_reg == '0;
wire go = enable && (!first_fold || s_axis_tvalid);
wire last_beat = beat_reg == BEAT_W'(BEATS - 1);
wire last_fold = fold_reg == FOLD_W'(FOLDS - 1);

assign s_axis_tready = enable && first_fold;
assign m_axis_tvalid = out_valid_reg;

generate
if (BY_PLACE && INPUT_BITS > 1) begin : by_place
    for (genvar n = 0; n < SIMD; n = n + 1) begin : lanes
        for (genvar j = 0; j < INPUT_BITS; j = j + 1) begin : places
            assign arrived[j*SIMD + n] = s_axis_tdata[n*INPUT_BITS + j];
        end
    end
end else begin : by_lane
    assign arrived = s_axis_tdata[VECTOR_W-1:0];
end
endgenerate

// Host's side
wire [AXIL_ADDR_W-3:0] word_addr;
wire word_wr_en;
wire [31:0] word_wr_data;
wire word_rd_en;
wire [31:0] word_rd_data;
wire [31:0] threshold_data;
wire [31:0] weight_data;
wire to_weights = word_addr[AXIL_ADDR_W-3];
reg from_weights_reg;

assign word_rd_data = from_weights_reg ? weight_data : threshold_data;

fat_axil_memory #(
    .ADDR_W(AXIL_ADDR_W)
)
slave (
    .clk(clk),
    .rst(rst),
    .s_axil_awaddr(s_axil_awaddr),
    .s_axil_awvalid(s_axil_awvalid),
    .s_axil_awready(s_axil_awready),
    .s_axil_wdata(s_axil_wdata),
    .s_axil_wstrb(s_axil_wstrb),
    .s_axil_wvalid(s_axil_wvalid),
    .s_axil_wready(s_axil_wready),
    .s_axil_bresp(s_axil_bresp),
    .s_axil_bvalid(s_axil_bvalid),
    .s_axil_bready(s_axil_bready),
    .s_axil_araddr(s_axil_araddr),
    .s_axil_arvalid(s_axil_arvalid),
    .s_axil_arready(s_axil_arready),
    .s_axil_rdata(s_axil_rdata),
    .s_axil_rresp(s_axil_rresp),
    .s_axil_rvalid(s_axil_rvalid),
    .s_axil_rready(s_axil_rready),
    .word_addr(word_addr),
    .word_wr_en(word_wr_en),
    .word_wr_data(word_wr_data),
    .word_rd_en(word_rd_en),
    .word_rd_data(word_rd_data)
);

fat_memory #(
    .WIDTH(WORD_W),
    .DEPTH(DEPTH),
    .PART_BITS(32),
    .FILE(WEIGHTS_FILE),
    .RAM_STYLE(RAM_STYLE)
)
weight_memory (
    .clk(clk),
    .rd_en(enable),
    .rd_addr(word_reg),
    .rd_data(weights),
    .host_rd_en(word_rd_en && to_weights),
    .host_wr_en(word_wr_en && to_weights),
    .host_addr(DEPTH_W'(word_addr[WORD_ADDR_W-1:0] >> PART_SHIFT)),
    .host_part(PART_SHIFT > 0 ? word_addr[PART_W-1:0] : '0),
    .host_wr_data(word_wr_data),
    .host_rd_data(weight_data)
);

always_ff @(posedge clk) begin
    if (word_rd_en) begin
        from_weights_reg <= to_weights;
    end
end

always_ff @(posedge clk) begin
    if (enable) begin
        operands_valid_reg <= go;
        first_reg <= beat_reg == '0;
        last_reg <= last_beat;
        operands_fold_reg <= fold_reg;
        inputs_reg <= first_fold ? arrived : kept[beat_reg];
        sums_valid_reg <= operands_valid_reg && last_reg;
        out_valid_reg <= sums_valid_reg;
    end
    if (go) begin
        if (first_fold) begin
            kept[beat_reg] <= arrived;
        end
        beat_reg <= last_beat ? '0 : beat_reg + 1'b1;
        word_reg <= last_beat && last_fold ? '0 : word_reg + 1'b1;
        if (last_beat) begin
            fold_reg <= last_fold ? '0 : fold_reg + 1'b1;
        end
    end

    if (rst) begin
        beat_reg <= '0;
        fold_reg <= '0;
        word_reg <= '0;
        operands_valid_reg <= 1'b0;
        sums_valid_reg <= 1'b0;
        out_valid_reg <= 1'b0;
    end
end

wire [PE*SUM_BITS-1:0] sums;
wire [PE*OUT_BITS-1:0] outputs;

assign m_axis_tdata = DATA_OUT_W'(outputs);

generate
for (genvar p = 0; p < PE; p = p + 1) begin : pes
    fat_element #(
        .SIMD(SIMD),
        .WEIGHT_BITS(WEIGHT_BITS),
        .INPUT_BITS(INPUT_BITS),
        .INPUT_SIGNED(INPUT_SIGNED),
        .INPUT_BIPOLAR(INPUT_BIPOLAR),
        .SUM_BITS(SUM_BITS),
        .BY_PLACE(BY_PLACE),
        .ACCUMULATES(BEATS > 1)
    )
    element (
        .clk(clk),
        .enable(enable && operands_valid_reg),
        .first(first_reg),
        .weights(weights[p*SIMD*WEIGHT_BITS +: SIMD*WEIGHT_BITS]),
        .inputs(inputs_reg),
        .sum(sums[p*SUM_BITS +: SUM_BITS])
    );
end

if (THRESHOLDS > 0) begin : activation
    localparam int TOTAL = PE*THRESHOLDS;
    localparam int TOTAL_W = TOTAL > 1 ? $clog2(TOTAL) : 1;
    wire [TOTAL*SUM_BITS-1:0] thresholds;
    wire [SUM_BITS-1:0] threshold_word;
    wire [WORD_ADDR_W-1:0] lane = (word_addr[WORD_ADDR_W-1:0] >> INDEX_SHIFT) & WORD_ADDR_W'((1 << LANE_SHIFT) - 1);
    wire [WORD_ADDR_W-1:0] index = word_addr[WORD_ADDR_W-1:0] & WORD_ADDR_W'((1 << INDEX_SHIFT) - 1);

    fat_memory #(
        .WIDTH(TOTAL*SUM_BITS),
        .DEPTH(FOLDS),
        .PART_BITS(SUM_BITS),
        .FILE(THRESHOLDS_FILE)
    )
    threshold_memory (
        .clk(clk),
        .rd_en(enable),
        .rd_addr(operands_fold_reg),
        .rd_data(thresholds),
        .host_rd_en(word_rd_en && !to_weights),
        .host_wr_en(word_wr_en && !to_weights),
        .host_addr(FOLD_W'(word_addr[WORD_ADDR_W-1:0] >> (LANE_SHIFT + INDEX_SHIFT))),
        .host_part(TOTAL_W'(32'(lane)*THRESHOLDS + 32'(index))),
        .host_wr_data(word_wr_data[SUM_BITS-1:0]),
        .host_rd_data(threshold_word)
    );

    if (COUNTING) begin : unsigned_data
        assign threshold_data = 32'(threshold_word);
    end else begin : signed_data
        assign threshold_data = 32'($signed(threshold_word));
    end

    for (genvar p = 0; p < PE; p = p + 1) begin : levels
        fat_levels #(
            .SUM_BITS(SUM_BITS),
            .SUM_SIGNED(!COUNTING),
            .THRESHOLDS(THRESHOLDS),
            .OUT_BITS(OUT_BITS),
            .OUT_BASE(OUT_BASE),
            .OUT_STEP(OUT_STEP)
        )
        pe_levels (
            .clk(clk),
            .enable(enable && sums_valid_reg),
            .sum(sums[p*SUM_BITS +: SUM_BITS]),
            .thresholds(thresholds[p*THRESHOLDS*SUM_BITS +: THRESHOLDS*SUM_BITS]),
            .out(outputs[p*OUT_BITS +: OUT_BITS])
        );
    end
end else begin : plain
    /* verilator lint_off UNUSEDSIGNAL */
    wire unused = |operands_fold_reg;
    /* verilator lint_on UNUSEDSIGNAL */
    assign threshold_data = '0;

    reg [PE*OUT_BITS-1:0] out_reg;

    assign outputs = out_reg;

    for (genvar p = 0; p < PE; p = p + 1) begin : plain_sums
        wire [SUM_BITS-1:0] sum = sums[p*SUM_BITS +: SUM_BITS];

        always_ff @(posedge clk) begin
            if (enable && sums_valid_reg) begin
                out_reg[p*OUT_BITS +: OUT_BITS] <= COUNTING ? OUT_BITS'(sum) : OUT_BITS'($signed(sum));
            end
        end
    end
end
endgenerate

endmodule

`resetall
