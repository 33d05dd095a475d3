// Checksum hook: a tap on a FINN stream that sums every frame up, as FINN's own hook does.
//
// Order of the stream: LANES values a beat, BEATS beats a frame. Value number i of a frame has the coefficient 1 + i mod 3,
// and a frame's checksum is the sum of coefficients times values, modulo 2^24; values wider than 23 bits are folded by XOR
// of their slices of 23 bits. So neither how the values are cut into beats nor how long the beats wait changes it.
//
// The stream passes by wires: no latency, no bubbles, whatever the pipeline beside it does. Lanes of equal n mod 3 are
// added by a tree of their own, and each of the three sums gets its coefficient behind it, as the coefficients move from
// beat to beat. A frame's checksum is there STAGES + 5 cycles behind its last beat; IN_FRAME lasts as long.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_checksum #
(
    // Values a beat
    parameter int LANES = 1,
    // Beats a frame
    parameter int BEATS = 1,
    // Bits a value, 1 to 32
    parameter int BITS = 1,
    // Width of AXI-Lite byte addresses
    parameter int AXIL_ADDR_W = 12,
    // Width of a beat: whole bytes (derived, leave alone)
    parameter int DATA_W = ((LANES*BITS + 7)/8)*8
)
(
    input  wire                    clk,
    input  wire                    rst,

    // AXI-Stream in
    input  wire [DATA_W-1:0]       s_axis_tdata,
    input  wire                    s_axis_tvalid,
    output wire                    s_axis_tready,

    // AXI-Stream out
    output wire [DATA_W-1:0]       m_axis_tdata,
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

localparam int TOTAL_W = fat_registers_pkg::SUM_BITS;
localparam int SLICE_W = TOTAL_W - 1;
localparam int FOLDED_W = BITS < SLICE_W ? BITS : SLICE_W;
localparam int CLASSES = 3;
// Lanes of a class
localparam int PER_CLASS = (LANES + CLASSES - 1)/CLASSES;
// Cycles of an adder tree
localparam int STAGES = ($clog2(PER_CLASS) + 1)/2;
localparam int SUM_FULL_W = FOLDED_W + $clog2(PER_CLASS);
localparam int SUM_W = SUM_FULL_W < TOTAL_W ? SUM_FULL_W : TOTAL_W;
localparam int WEIGHTED_W = SUM_W + 2 < TOTAL_W ? SUM_W + 2 : TOTAL_W;
localparam int TERM_W = SUM_W + 3 < TOTAL_W ? SUM_W + 3 : TOTAL_W;
localparam int BEAT_W = BEATS > 1 ? $clog2(BEATS) : 1;
localparam logic [31:0] COUNT_MAX = 32'hffffffff;

// Where in the frame the next beat stands
reg [BEAT_W-1:0] at_beat_reg, at_beat_next;

// What goes with a beat from register to register: first with the beat itself, behind the trees with the three sums, one
// later with the weighted sums, then with the term that they add up to
localparam int SUMS = STAGES;
localparam int TERM = STAGES + 2;
reg [TERM:0] valid_reg, valid_next;
// It is the last one of its frame
reg [TERM:0] last_reg, last_next;
// And its frame was not cleared away
reg [TERM:0] counts_reg, counts_next;

reg [LANES*BITS-1:0] beat_reg;
reg [1:0] phase_reg, phase_next;
reg [CLASSES-1:0][WEIGHTED_W-1:0] weighted_reg, weighted_next;
reg [CLASSES-1:0][1:0] coefficient;
reg [TERM_W-1:0] term_reg, term_next;
reg [TOTAL_W-1:0] total_reg, total_next;
reg [TOTAL_W-1:0] total;

// Registers as read; a frame is counted in the cycle behind that of its checksum
reg [TOTAL_W-1:0] checksum_reg, checksum_next;
reg ended_reg, ended_next;
reg [31:0] frames_reg, frames_next;
reg [31:0] digest_reg, digest_next;

wire reg_wr_en;
wire [AXIL_ADDR_W-1:0] reg_wr_addr;
wire [31:0] reg_wr_data;
wire [AXIL_ADDR_W-1:0] reg_rd_addr;
reg [31:0] reg_rd_data;

// Values, folded, the lanes of a class side by side
wire [CLASSES*PER_CLASS-1:0][FOLDED_W-1:0] folded;
wire [CLASSES-1:0][SUM_W-1:0] sums;

wire frame_end = at_beat_reg == BEAT_W'(BEATS - 1);
wire beat = s_axis_tvalid && s_axis_tready;
wire in_frame = at_beat_reg != '0 || |valid_reg || ended_reg;
wire clear = reg_wr_en && reg_wr_addr == AXIL_ADDR_W'(fat_registers_pkg::CHECKSUM_CONTROL)
    && reg_wr_data[fat_registers_pkg::CHECKSUM_CONTROL_CLEAR_BIT];

function automatic logic [1:0] below_three(input logic [2:0] number);
    below_three = 2'(number < 3'd3 ? number : number - 3'd3);
endfunction

assign m_axis_tdata = s_axis_tdata;
assign m_axis_tvalid = s_axis_tvalid;
assign s_axis_tready = m_axis_tready;

generate
for (genvar n = 0; n < PER_CLASS*CLASSES; n = n + 1) begin : lanes
    localparam int AT = (n%CLASSES)*PER_CLASS + n/CLASSES;
    if (n >= LANES) begin : none
        assign folded[AT] = '0;
    end else if (BITS > SLICE_W) begin : wide
        assign folded[AT] = beat_reg[n*BITS +: SLICE_W] ^ SLICE_W'(beat_reg[n*BITS + SLICE_W +: BITS - SLICE_W]);
    end else begin : narrow
        assign folded[AT] = beat_reg[n*BITS +: BITS];
    end
end
for (genvar r = 0; r < CLASSES; r = r + 1) begin : classes
    fat_adder_tree #(
        .INPUTS(PER_CLASS),
        .IN_W(FOLDED_W),
        .OUT_W(SUM_W)
    )
    tree (
        .clk(clk),
        .numbers(folded[r*PER_CLASS +: PER_CLASS]),
        .sum(sums[r])
    );
end
endgenerate

/* verilator lint_off PINCONNECTEMPTY */
fat_axil_slave #(
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
    .reg_wr_en(reg_wr_en),
    .reg_wr_addr(reg_wr_addr),
    .reg_wr_data(reg_wr_data),
    .reg_rd_en(),
    .reg_rd_addr(reg_rd_addr),
    .reg_rd_data(reg_rd_data)
);
/* verilator lint_on PINCONNECTEMPTY */

always_comb begin
    case (reg_rd_addr)
        AXIL_ADDR_W'(fat_registers_pkg::CHECKSUM_ID): reg_rd_data = fat_registers_pkg::CHECKSUM_IDENTITY;
        AXIL_ADDR_W'(fat_registers_pkg::CHECKSUM_VERSION): reg_rd_data = fat_registers_pkg::CHECKSUM_MAP;
        AXIL_ADDR_W'(fat_registers_pkg::CHECKSUM_LANES): reg_rd_data = LANES;
        AXIL_ADDR_W'(fat_registers_pkg::CHECKSUM_BEATS): reg_rd_data = BEATS;
        AXIL_ADDR_W'(fat_registers_pkg::CHECKSUM_BITS): reg_rd_data = BITS;
        AXIL_ADDR_W'(fat_registers_pkg::CHECKSUM_CHECKSUM):
            reg_rd_data = {frames_reg == 32'd0 ? 8'd0 : frames_reg[7:0] - 8'd1, checksum_reg};
        AXIL_ADDR_W'(fat_registers_pkg::CHECKSUM_FRAMES): reg_rd_data = frames_reg;
        AXIL_ADDR_W'(fat_registers_pkg::CHECKSUM_DIGEST): reg_rd_data = digest_reg;
        AXIL_ADDR_W'(fat_registers_pkg::CHECKSUM_STATUS):
            reg_rd_data = 32'(in_frame) << fat_registers_pkg::CHECKSUM_STATUS_IN_FRAME_BIT;
        default: reg_rd_data = 32'd0;
    endcase
end

always_comb begin
    at_beat_next = at_beat_reg;
    phase_next = phase_reg;
    total_next = total_reg;
    checksum_next = checksum_reg;
    frames_next = frames_reg;
    digest_next = digest_reg;

    if (beat) begin
        at_beat_next = frame_end ? '0 : at_beat_reg + 1'b1;
    end

    // A frame that ends in the very cycle of a clear is counted
    valid_next[0] = beat;
    last_next[0] = frame_end;
    counts_next[0] = frame_end;
    for (int k = 1; k <= TERM; k = k + 1) begin
        valid_next[k] = valid_reg[k-1];
        last_next[k] = last_reg[k-1];
        counts_next[k] = counts_reg[k-1] && !clear;
    end

    // Coefficients of the classes: 1 2 3 in a frame's first beat, moved on by LANES in each further one
    for (int r = 0; r < CLASSES; r = r + 1) begin
        coefficient[r] = below_three(3'(r) + 3'(phase_reg)) + 2'd1;
        weighted_next[r] = ({WEIGHTED_W{coefficient[r][0]}} & WEIGHTED_W'(sums[r]))
            + ({WEIGHTED_W{coefficient[r][1]}} & (WEIGHTED_W'(sums[r]) << 1));
    end
    if (valid_reg[SUMS]) begin
        phase_next = last_reg[SUMS] ? 2'd0 : below_three(3'(phase_reg) + 3'(LANES % CLASSES));
    end

    term_next = TERM_W'(weighted_reg[0]) + TERM_W'(weighted_reg[1]) + TERM_W'(weighted_reg[2]);

    total = total_reg + TOTAL_W'(term_reg);
    ended_next = 1'b0;
    if (valid_reg[TERM]) begin
        total_next = last_reg[TERM] ? '0 : total;
        if (counts_reg[TERM]) begin
            checksum_next = total;
            ended_next = 1'b1;
        end
    end

    if (ended_reg) begin
        digest_next = {digest_reg[30:0], digest_reg[31]} + 32'(checksum_reg);
        if (frames_reg != COUNT_MAX) begin
            frames_next = frames_reg + 32'd1;
        end
    end

    if (clear) begin
        checksum_next = '0;
        ended_next = 1'b0;
        frames_next = 32'd0;
        digest_next = 32'd0;
    end
end

always_ff @(posedge clk) begin
    at_beat_reg <= at_beat_next;
    valid_reg <= valid_next;
    last_reg <= last_next;
    counts_reg <= counts_next;
    beat_reg <= s_axis_tdata[LANES*BITS-1:0];
    phase_reg <= phase_next;
    weighted_reg <= weighted_next;
    term_reg <= term_next;
    total_reg <= total_next;
    checksum_reg <= checksum_next;
    ended_reg <= ended_next;
    frames_reg <= frames_next;
    digest_reg <= digest_next;

    if (rst) begin
        at_beat_reg <= '0;
        valid_reg <= '0;
        phase_reg <= 2'd0;
        total_reg <= '0;
        checksum_reg <= '0;
        ended_reg <= 1'b0;
        frames_reg <= 32'd0;
        digest_reg <= 32'd0;
    end
end

endmodule

`resetall
