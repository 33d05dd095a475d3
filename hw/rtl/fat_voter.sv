// Channel voter: bitwise majority of the copies of triplicated channels in a FINN stream, with disagreement counters.
//
// In front stand ROWS physical channels, LANES_IN a beat; behind CHANNELS output channels, LANES_OUT a beat. SOURCES says
// for each output channel which three physical channels it takes; three times the same one is an unprotected channel.
// Two structures, chosen by SOURCES:
//   - the copies of every output beat stand in one input beat (as many beats a pixel on both sides): lanes are voted on as
//     they pass, nothing is stored;
//   - else the beats of a pixel are collected, voted on together, and sent in output order while the next pixel is
//     collected. A pixel takes as many cycles as the side with more beats.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_voter #
(
    // Output channels
    parameter int CHANNELS = 1,
    // Physical channels in front: CHANNELS, and two for each triplet
    parameter int ROWS = 3,
    // Physical channels a beat
    parameter int LANES_IN = 3,
    // Output channels a beat
    parameter int LANES_OUT = 1,
    // Bits a value
    parameter int BITS = 1,
    // Three 16-bit physical channels for each output channel, first channel and first copy lowest
    parameter logic [CHANNELS*48-1:0] SOURCES = 48'h0002_0001_0000,
    // CRC-32 of the map of sources, for the driver to compare
    parameter logic [31:0] SIGNATURE = 32'd0,
    // Bits of each triplet's counter of disagreements, 1 to 29
    parameter int COUNT_BITS = 8,
    // 1: a register behind, one cycle of latency; 0: none
    parameter bit OUTPUT_REGISTER = 1'b1,
    // Width of AXI-Lite byte addresses
    parameter int AXIL_ADDR_W = 12,
    // Widths of beats: whole bytes (derived, leave alone)
    parameter int DATA_IN_W = ((LANES_IN*BITS + 7)/8)*8,
    parameter int DATA_OUT_W = ((LANES_OUT*BITS + 7)/8)*8
)
(
    input  wire                    clk,
    input  wire                    rst,

    // AXI-Stream in
    /* verilator lint_off UNUSEDSIGNAL */ // bits that fill a beat up to whole bytes
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

localparam int FOLDS_IN = ROWS / LANES_IN;
localparam int FOLDS_OUT = CHANNELS / LANES_OUT;
localparam int FOLD_IN_W = FOLDS_IN > 1 ? $clog2(FOLDS_IN) : 1;
localparam logic [31:0] COUNT_MAX = 32'hffffffff;

/* verilator coverage_off */ // these run while the design is elaborated, never in a simulation
// Physical channel of a copy of an output channel
function automatic int source(input int channel, input int copy);
    source = int'(SOURCES[(channel*3 + copy)*16 +: 16]);
endfunction

function automatic bit is_triplet(input int channel);
    is_triplet = source(channel, 0) != source(channel, 1) || source(channel, 1) != source(channel, 2);
endfunction

// How many of the output channels in front of this one are triplets
function automatic int triplets_before(input int channel);
    triplets_before = 0;
    for (int c = 0; c < channel; c = c + 1) begin
        if (is_triplet(c)) begin
            triplets_before = triplets_before + 1;
        end
    end
endfunction

// Whether all copies of every output beat stand in the input beat of the same number
function automatic bit stays_in_beat();
    stays_in_beat = FOLDS_IN == FOLDS_OUT;
    for (int c = 0; c < CHANNELS; c = c + 1) begin
        for (int k = 0; k < 3; k = k + 1) begin
            if (source(c, k) / LANES_IN != c / LANES_OUT) begin
                stays_in_beat = 1'b0;
            end
        end
    end
endfunction

/* verilator coverage_on */

localparam int TRIPLETS = triplets_before(CHANNELS);
localparam bit LANEWISE = stays_in_beat();
// One entry is kept even without triplets, so that no vector is empty
localparam int ENTRIES = TRIPLETS > 0 ? TRIPLETS : 1;

/* verilator coverage_off */
initial begin
    if (ROWS % LANES_IN != 0 || CHANNELS % LANES_OUT != 0) begin
        $error("Error: ROWS must be a multiple of LANES_IN, CHANNELS of LANES_OUT (instance %m)");
        $finish;
    end
end
/* verilator coverage_on */

// Per triplet: judged in this cycle, and which copies are not as the majority
wire [ENTRIES-1:0] triplet_valid;
wire [ENTRIES*3-1:0] triplet_differs;

wire [DATA_OUT_W-1:0] voted_data;
wire voted_valid;
wire voted_ready;

wire reg_wr_en;
wire [AXIL_ADDR_W-1:0] reg_wr_addr;
wire [31:0] reg_wr_data;
wire reg_rd_en;
wire [AXIL_ADDR_W-1:0] reg_rd_addr;
reg [31:0] reg_rd_data;
wire [31:0] entry_rd_data;

generate
if (LANEWISE) begin : lanewise
    reg [FOLD_IN_W-1:0] at_fold_reg, at_fold_next;
    wire beat = s_axis_tvalid && s_axis_tready;

    assign s_axis_tready = voted_ready;
    assign voted_valid = s_axis_tvalid;

    always_comb begin
        at_fold_next = at_fold_reg;
        if (beat) begin
            at_fold_next = at_fold_reg == FOLD_IN_W'(FOLDS_IN - 1) ? '0 : at_fold_reg + 1'b1;
        end
    end

    always_ff @(posedge clk) begin
        at_fold_reg <= at_fold_next;

        if (rst) begin
            at_fold_reg <= '0;
        end
    end

    // What each output channel would be if this were its beat
    wire [CHANNELS*BITS-1:0] channel_data;
    for (genvar c = 0; c < CHANNELS; c = c + 1) begin : channels
        wire [BITS-1:0] first = s_axis_tdata[(source(c, 0) % LANES_IN)*BITS +: BITS];
        if (is_triplet(c)) begin : triplet
            localparam int INDEX = triplets_before(c);
            wire [BITS-1:0] second = s_axis_tdata[(source(c, 1) % LANES_IN)*BITS +: BITS];
            wire [BITS-1:0] third = s_axis_tdata[(source(c, 2) % LANES_IN)*BITS +: BITS];
            wire [BITS-1:0] majority = (first & second) | (first & third) | (second & third);
            assign channel_data[c*BITS +: BITS] = majority;
            assign triplet_valid[INDEX] = beat && at_fold_reg == FOLD_IN_W'(c / LANES_OUT);
            assign triplet_differs[INDEX*3 +: 3] = {third != majority, second != majority, first != majority};
        end else begin : single
            assign channel_data[c*BITS +: BITS] = first;
        end
    end

    if (FOLDS_OUT > 1) begin : folded
        assign voted_data[LANES_OUT*BITS-1:0] = channel_data[at_fold_reg*(LANES_OUT*BITS) +: LANES_OUT*BITS];
    end else begin : whole
        assign voted_data[LANES_OUT*BITS-1:0] = channel_data;
    end
end else begin : collected
    localparam int FOLD_OUT_W = FOLDS_OUT > 1 ? $clog2(FOLDS_OUT) : 1;

    reg [FOLD_IN_W-1:0] at_fold_reg, at_fold_next;
    reg [FOLD_OUT_W-1:0] left_reg, left_next;
    reg [CHANNELS*BITS-1:0] send_data_reg, send_data_next;
    reg send_valid_reg, send_valid_next;

    wire last_in = at_fold_reg == FOLD_IN_W'(FOLDS_IN - 1);
    wire send_done = left_reg == '0 && voted_ready;
    wire send_free = !send_valid_reg || send_done;
    wire beat = s_axis_tvalid && s_axis_tready;
    wire pixel = beat && last_in;

    // All but the last beat of a pixel are kept; the last one is voted on as it comes
    wire [ROWS*BITS-1:0] pixel_data;
    wire [CHANNELS*BITS-1:0] channel_data;

    assign s_axis_tready = !last_in || send_free;
    assign voted_data[LANES_OUT*BITS-1:0] = send_data_reg[LANES_OUT*BITS-1:0];
    assign voted_valid = send_valid_reg;

    if (FOLDS_IN > 1) begin : keep
        localparam int KEPT_W = (ROWS - LANES_IN)*BITS;
        reg [KEPT_W-1:0] kept_reg, kept_next;

        assign pixel_data = {s_axis_tdata[LANES_IN*BITS-1:0], kept_reg};

        always_comb begin
            kept_next = kept_reg;
            if (beat) begin
                kept_next = KEPT_W'({s_axis_tdata[LANES_IN*BITS-1:0], kept_reg} >> (LANES_IN*BITS));
            end
        end

        always_ff @(posedge clk) begin
            kept_reg <= kept_next;
        end
    end else begin : pass
        assign pixel_data = s_axis_tdata[LANES_IN*BITS-1:0];
    end

    for (genvar c = 0; c < CHANNELS; c = c + 1) begin : channels
        wire [BITS-1:0] first = pixel_data[source(c, 0)*BITS +: BITS];
        if (is_triplet(c)) begin : triplet
            localparam int INDEX = triplets_before(c);
            wire [BITS-1:0] second = pixel_data[source(c, 1)*BITS +: BITS];
            wire [BITS-1:0] third = pixel_data[source(c, 2)*BITS +: BITS];
            wire [BITS-1:0] majority = (first & second) | (first & third) | (second & third);
            assign channel_data[c*BITS +: BITS] = majority;
            assign triplet_valid[INDEX] = pixel;
            assign triplet_differs[INDEX*3 +: 3] = {third != majority, second != majority, first != majority};
        end else begin : single
            assign channel_data[c*BITS +: BITS] = first;
        end
    end

    always_comb begin
        at_fold_next = at_fold_reg;
        left_next = left_reg;
        send_data_next = send_data_reg;
        send_valid_next = send_valid_reg;

        if (beat) begin
            at_fold_next = last_in ? '0 : at_fold_reg + 1'b1;
        end
        if (send_valid_reg && voted_ready) begin
            send_data_next = send_data_reg >> (LANES_OUT*BITS);
            left_next = left_reg - 1'b1;
            send_valid_next = left_reg != '0;
        end
        if (pixel) begin
            send_data_next = channel_data;
            left_next = FOLD_OUT_W'(FOLDS_OUT - 1);
            send_valid_next = 1'b1;
        end
    end

    always_ff @(posedge clk) begin
        at_fold_reg <= at_fold_next;
        left_reg <= left_next;
        send_data_reg <= send_data_next;
        send_valid_reg <= send_valid_next;

        if (rst) begin
            at_fold_reg <= '0;
            left_reg <= '0;
            send_valid_reg <= 1'b0;
        end
    end
end

if (DATA_OUT_W > LANES_OUT*BITS) begin : padding
    assign voted_data[DATA_OUT_W-1:LANES_OUT*BITS] = '0;
end

if (TRIPLETS == 0) begin : no_triplets
    assign triplet_valid = '0;
    assign triplet_differs = '0;
end
endgenerate

fat_axis_register #(
    .DATA_W(DATA_OUT_W),
    .ENABLE(OUTPUT_REGISTER)
)
output_register (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(voted_data),
    .s_axis_tvalid(voted_valid),
    .s_axis_tready(voted_ready),
    .m_axis_tdata(m_axis_tdata),
    .m_axis_tvalid(m_axis_tvalid),
    .m_axis_tready(m_axis_tready)
);

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
    .reg_rd_en(reg_rd_en),
    .reg_rd_addr(reg_rd_addr),
    .reg_rd_data(reg_rd_data)
);

reg clear_on_read_reg, clear_on_read_next;
reg [31:0] disagreements_reg, disagreements_next;
reg clear;

wire [ENTRIES-1:0] triplet_disagrees;
localparam int INDEX_W = AXIL_ADDR_W - 2;
wire [INDEX_W-1:0] window_index = reg_rd_addr[AXIL_ADDR_W-1:2] - INDEX_W'(fat_registers_pkg::VOTER_WINDOW / 4);
wire in_window = reg_rd_addr >= AXIL_ADDR_W'(fat_registers_pkg::VOTER_WINDOW);

fat_voter_counters #(
    .ENTRIES(ENTRIES),
    .COUNT_BITS(COUNT_BITS),
    .INDEX_W(INDEX_W)
)
counters (
    .clk(clk),
    .rst(rst),
    .valid(triplet_valid),
    .differs(triplet_differs),
    .disagrees(triplet_disagrees),
    .clear(clear),
    .rd_index(window_index),
    .rd_clear(reg_rd_en && in_window && clear_on_read_reg),
    .rd_data(entry_rd_data)
);

always_comb begin
    case (reg_rd_addr)
        AXIL_ADDR_W'(fat_registers_pkg::VOTER_ID): reg_rd_data = fat_registers_pkg::VOTER_IDENTITY;
        AXIL_ADDR_W'(fat_registers_pkg::VOTER_VERSION): reg_rd_data = fat_registers_pkg::VOTER_MAP;
        AXIL_ADDR_W'(fat_registers_pkg::VOTER_CHANNELS): reg_rd_data = CHANNELS;
        AXIL_ADDR_W'(fat_registers_pkg::VOTER_ROWS): reg_rd_data = ROWS;
        AXIL_ADDR_W'(fat_registers_pkg::VOTER_LANES_IN): reg_rd_data = LANES_IN;
        AXIL_ADDR_W'(fat_registers_pkg::VOTER_LANES_OUT): reg_rd_data = LANES_OUT;
        AXIL_ADDR_W'(fat_registers_pkg::VOTER_BITS): reg_rd_data = BITS;
        AXIL_ADDR_W'(fat_registers_pkg::VOTER_MODE):
            reg_rd_data = 32'(clear_on_read_reg) << fat_registers_pkg::VOTER_MODE_CLEAR_ON_READ_BIT;
        AXIL_ADDR_W'(fat_registers_pkg::VOTER_TRIPLETS): reg_rd_data = TRIPLETS;
        AXIL_ADDR_W'(fat_registers_pkg::VOTER_COUNT_BITS): reg_rd_data = COUNT_BITS;
        AXIL_ADDR_W'(fat_registers_pkg::VOTER_SIGNATURE): reg_rd_data = SIGNATURE;
        AXIL_ADDR_W'(fat_registers_pkg::VOTER_DISAGREEMENTS): reg_rd_data = disagreements_reg;
        default: reg_rd_data = in_window ? entry_rd_data : 32'd0;
    endcase
end

always_comb begin
    clear_on_read_next = clear_on_read_reg;
    disagreements_next = disagreements_reg;
    clear = 1'b0;

    if (reg_wr_en && reg_wr_addr == AXIL_ADDR_W'(fat_registers_pkg::VOTER_CONTROL)) begin
        clear = reg_wr_data[fat_registers_pkg::VOTER_CONTROL_CLEAR_BIT];
    end
    if (reg_wr_en && reg_wr_addr == AXIL_ADDR_W'(fat_registers_pkg::VOTER_MODE)) begin
        clear_on_read_next = reg_wr_data[fat_registers_pkg::VOTER_MODE_CLEAR_ON_READ_BIT];
    end

    // What disagrees in the very cycle of a clear is counted
    if (clear) begin
        disagreements_next = 32'(|triplet_disagrees);
    end else if (|triplet_disagrees && disagreements_reg != COUNT_MAX) begin
        disagreements_next = disagreements_reg + 32'd1;
    end
end

always_ff @(posedge clk) begin
    clear_on_read_reg <= clear_on_read_next;
    disagreements_reg <= disagreements_next;

    if (rst) begin
        clear_on_read_reg <= 1'b0;
        disagreements_reg <= 32'd0;
    end
end

endmodule

`resetall
