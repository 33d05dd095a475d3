// Stream saboteur: holds a channel, a pixel, one activation or a processing element of a FINN stream at a value.
//
// Order of the stream: LANES channels a beat, FOLDS beats a pixel, pixels in raster order; channel c is lane c mod LANES of
// fold c div LANES. ARM takes what the index registers hold in its cycle; it becomes active between frames: a frame is held
// as a whole or not at all. Beats pass without bubbles in every mode.
//
// What acts is in two sets of registers: what ARM took stays as a copy, which is compared in every cycle. A signature of
// what acts in each beat is compared with that of the first one. Both stick where they differ.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_saboteur #
(
    // Channels a beat
    parameter int LANES = 1,
    // Beats a pixel: channels div LANES
    parameter int FOLDS = 1,
    // Pixels a row
    parameter int WIDTH = 1,
    // Rows a frame
    parameter int HEIGHT = 1,
    // Bits a value, 1 to 32
    parameter int BITS = 1,
    // 1: a register behind, one cycle of latency; 0: combinational from side to side
    parameter bit OUTPUT_REGISTER = 1'b1,
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

localparam int LANE_W = LANES > 1 ? $clog2(LANES) : 1;
localparam int FOLD_W = FOLDS > 1 ? $clog2(FOLDS) : 1;
localparam int ROW_W = HEIGHT > 1 ? $clog2(HEIGHT) : 1;
localparam int COLUMN_W = WIDTH > 1 ? $clog2(WIDTH) : 1;
localparam int MODE_W = 5;
localparam logic [31:0] COUNT_MAX = 32'hffffffff;

// Registers as written
reg [MODE_W-1:0] mode_reg, mode_next;
reg [LANE_W-1:0] lane_reg, lane_next;
reg [FOLD_W-1:0] fold_reg, fold_next;
reg [ROW_W-1:0] row_reg, row_next;
reg [COLUMN_W-1:0] column_reg, column_next;
reg [BITS-1:0] value_reg, value_next;

// Registers as ARM took them: they wait here for the end of a frame, then they are the copy of those that act
reg [MODE_W-1:0] armed_mode_reg, armed_mode_next;
reg [LANE_W-1:0] armed_lane_reg, armed_lane_next;
reg [FOLD_W-1:0] armed_fold_reg, armed_fold_next;
reg [ROW_W-1:0] armed_row_reg, armed_row_next;
reg [COLUMN_W-1:0] armed_column_reg, armed_column_next;
reg [BITS-1:0] armed_value_reg, armed_value_next;

// Registers that act
reg [MODE_W-1:0] active_mode_reg, active_mode_next;
reg [LANE_W-1:0] active_lane_reg, active_lane_next;
reg [FOLD_W-1:0] active_fold_reg, active_fold_next;
reg [ROW_W-1:0] active_row_reg, active_row_next;
reg [COLUMN_W-1:0] active_column_reg, active_column_next;
reg [BITS-1:0] active_value_reg, active_value_next;
reg arming_reg, arming_next;

reg upset_reg, upset_next;
reg changed_reg, changed_next;
reg seen_reg, seen_next;
reg [15:0] first_reg, first_next;
reg [7:0] arms_reg, arms_next;
reg [7:0] clears_reg, clears_next;

// Where in the frame the next beat stands
reg [FOLD_W-1:0] at_fold_reg, at_fold_next;
reg [COLUMN_W-1:0] at_column_reg, at_column_next;
reg [ROW_W-1:0] at_row_reg, at_row_next;

reg [31:0] hits_reg, hits_next;
reg [31:0] changes_reg, changes_next;
reg [31:0] frames_reg, frames_next;

wire reg_wr_en;
wire [AXIL_ADDR_W-1:0] reg_wr_addr;
wire [31:0] reg_wr_data;
wire [AXIL_ADDR_W-1:0] reg_rd_addr;
reg [31:0] reg_rd_data;

wire [DATA_W-1:0] held_data;
wire [LANES-1:0] lane_held;
wire [LANES-1:0] lane_changed;

wire last_fold = at_fold_reg == FOLD_W'(FOLDS - 1);
wire last_column = at_column_reg == COLUMN_W'(WIDTH - 1);
wire last_row = at_row_reg == ROW_W'(HEIGHT - 1);
wire frame_start = at_fold_reg == '0 && at_column_reg == '0 && at_row_reg == '0;
wire frame_end = last_fold && last_column && last_row;
wire beat = s_axis_tvalid && s_axis_tready;

// Between frames: nothing offered at the start of one, or its last beat passing now. A beat that is offered and waits
// must not change.
wire boundary = (frame_start && !s_axis_tvalid) || (beat && frame_end);

wire here = active_mode_reg[fat_registers_pkg::SABOTEUR_MODE_ENABLE_BIT]
    && (!active_mode_reg[fat_registers_pkg::SABOTEUR_MODE_MATCH_FOLD_BIT] || at_fold_reg == active_fold_reg)
    && (!active_mode_reg[fat_registers_pkg::SABOTEUR_MODE_MATCH_ROW_BIT] || at_row_reg == active_row_reg)
    && (!active_mode_reg[fat_registers_pkg::SABOTEUR_MODE_MATCH_COLUMN_BIT] || at_column_reg == active_column_reg);
wire any_lane = !active_mode_reg[fat_registers_pkg::SABOTEUR_MODE_MATCH_LANE_BIT];

wire ended = beat && frame_end;
wire hit = beat && |lane_held;
wire change = beat && |lane_changed;

wire upset = !arming_reg && (active_mode_reg != armed_mode_reg || active_lane_reg != armed_lane_reg
    || active_fold_reg != armed_fold_reg || active_row_reg != armed_row_reg || active_column_reg != armed_column_reg
    || active_value_reg != armed_value_reg);

// A setting, folded to 16 bits and rotated to the left
function automatic logic [15:0] rotated(input logic [31:0] setting, input int shift);
    logic [15:0] folded;
    folded = setting[31:16] ^ setting[15:0];
    rotated = 16'({folded, folded} >> (16 - shift));
endfunction

wire [15:0] signature = fat_registers_pkg::SIGNATURE_SEED
    ^ rotated(32'(active_mode_reg), fat_registers_pkg::SIGNATURE_MODE)
    ^ rotated(32'(active_lane_reg), fat_registers_pkg::SIGNATURE_LANE)
    ^ rotated(32'(active_fold_reg), fat_registers_pkg::SIGNATURE_FOLD)
    ^ rotated(32'(active_row_reg), fat_registers_pkg::SIGNATURE_ROW)
    ^ rotated(32'(active_column_reg), fat_registers_pkg::SIGNATURE_COLUMN)
    ^ rotated(32'(active_value_reg), fat_registers_pkg::SIGNATURE_VALUE);

wire control = reg_wr_en && reg_wr_addr == AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_CONTROL);
wire arm = control && reg_wr_data[fat_registers_pkg::SABOTEUR_CONTROL_ARM_BIT];
wire clear = control && reg_wr_data[fat_registers_pkg::SABOTEUR_CONTROL_CLEAR_BIT];

generate
for (genvar n = 0; n < LANES; n = n + 1) begin : lanes
    wire [BITS-1:0] passing = s_axis_tdata[n*BITS +: BITS];
    assign lane_held[n] = here && (any_lane || active_lane_reg == LANE_W'(n));
    assign lane_changed[n] = lane_held[n] && passing != active_value_reg;
    assign held_data[n*BITS +: BITS] = lane_held[n] ? active_value_reg : passing;
end
if (DATA_W > LANES*BITS) begin : padding
    assign held_data[DATA_W-1:LANES*BITS] = s_axis_tdata[DATA_W-1:LANES*BITS];
end
endgenerate

fat_axis_register #(
    .DATA_W(DATA_W),
    .ENABLE(OUTPUT_REGISTER)
)
output_register (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(held_data),
    .s_axis_tvalid(s_axis_tvalid),
    .s_axis_tready(s_axis_tready),
    .m_axis_tdata(m_axis_tdata),
    .m_axis_tvalid(m_axis_tvalid),
    .m_axis_tready(m_axis_tready)
);

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
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_ID): reg_rd_data = fat_registers_pkg::SABOTEUR_IDENTITY;
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_VERSION): reg_rd_data = fat_registers_pkg::SABOTEUR_MAP;
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_LANES): reg_rd_data = LANES;
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_FOLDS): reg_rd_data = FOLDS;
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_WIDTH): reg_rd_data = WIDTH;
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_HEIGHT): reg_rd_data = HEIGHT;
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_BITS): reg_rd_data = BITS;
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_STATUS):
            reg_rd_data = (32'(active_mode_reg) << fat_registers_pkg::SABOTEUR_STATUS_MODE_BIT)
                | (32'(changed_reg) << fat_registers_pkg::SABOTEUR_STATUS_CHANGED_BIT)
                | (32'(upset_reg) << fat_registers_pkg::SABOTEUR_STATUS_UPSET_BIT)
                | (32'(!frame_start) << fat_registers_pkg::SABOTEUR_STATUS_IN_FRAME_BIT)
                | (32'(arming_reg) << fat_registers_pkg::SABOTEUR_STATUS_ARMING_BIT);
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_MODE): reg_rd_data = 32'(mode_reg);
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_LANE): reg_rd_data = 32'(lane_reg);
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_FOLD): reg_rd_data = 32'(fold_reg);
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_ROW): reg_rd_data = 32'(row_reg);
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_COLUMN): reg_rd_data = 32'(column_reg);
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_VALUE): reg_rd_data = 32'(value_reg);
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_HITS): reg_rd_data = hits_reg;
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_CHANGES): reg_rd_data = changes_reg;
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_FRAMES): reg_rd_data = frames_reg;
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_COMMANDS): reg_rd_data = {16'd0, clears_reg, arms_reg};
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_SIGNATURE): reg_rd_data = {16'd0, first_reg};
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_ACTIVE_LANE): reg_rd_data = 32'(active_lane_reg);
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_ACTIVE_FOLD): reg_rd_data = 32'(active_fold_reg);
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_ACTIVE_ROW): reg_rd_data = 32'(active_row_reg);
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_ACTIVE_COLUMN): reg_rd_data = 32'(active_column_reg);
        AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_ACTIVE_VALUE): reg_rd_data = 32'(active_value_reg);
        default: reg_rd_data = 32'd0;
    endcase
end

always_comb begin
    mode_next = mode_reg;
    lane_next = lane_reg;
    fold_next = fold_reg;
    row_next = row_reg;
    column_next = column_reg;
    value_next = value_reg;
    armed_mode_next = armed_mode_reg;
    armed_lane_next = armed_lane_reg;
    armed_fold_next = armed_fold_reg;
    armed_row_next = armed_row_reg;
    armed_column_next = armed_column_reg;
    armed_value_next = armed_value_reg;
    active_mode_next = active_mode_reg;
    active_lane_next = active_lane_reg;
    active_fold_next = active_fold_reg;
    active_row_next = active_row_reg;
    active_column_next = active_column_reg;
    active_value_next = active_value_reg;
    arming_next = arming_reg;
    at_fold_next = at_fold_reg;
    at_column_next = at_column_reg;
    at_row_next = at_row_reg;
    hits_next = hits_reg;
    changes_next = changes_reg;
    frames_next = frames_reg;
    upset_next = upset || (upset_reg && !clear);
    changed_next = changed_reg && !clear;
    seen_next = seen_reg && !clear;
    first_next = first_reg;
    arms_next = arms_reg;
    clears_next = clears_reg;

    if (beat) begin
        at_fold_next = last_fold ? '0 : at_fold_reg + 1'b1;
        if (last_fold) begin
            at_column_next = last_column ? '0 : at_column_reg + 1'b1;
            if (last_column) begin
                at_row_next = last_row ? '0 : at_row_reg + 1'b1;
            end
        end
        if (seen_next && signature != first_reg) begin
            changed_next = 1'b1;
        end
        if (!seen_next) begin
            first_next = signature;
        end
        seen_next = 1'b1;
    end

    if (ended && frames_reg != COUNT_MAX) begin
        frames_next = frames_reg + 32'd1;
    end
    if (hit && hits_reg != COUNT_MAX) begin
        hits_next = hits_reg + 32'd1;
    end
    if (change && changes_reg != COUNT_MAX) begin
        changes_next = changes_reg + 32'd1;
    end
    // What passes in the cycle of a clear is counted
    if (clear) begin
        frames_next = 32'(ended);
        hits_next = 32'(hit);
        changes_next = 32'(change);
        clears_next = clears_reg + 8'd1;
    end

    if (arming_reg && boundary) begin
        active_mode_next = armed_mode_reg;
        active_lane_next = armed_lane_reg;
        active_fold_next = armed_fold_reg;
        active_row_next = armed_row_reg;
        active_column_next = armed_column_reg;
        active_value_next = armed_value_reg;
        arming_next = 1'b0;
        seen_next = 1'b0;
    end

    if (arm) begin
        armed_mode_next = mode_reg;
        armed_lane_next = lane_reg;
        armed_fold_next = fold_reg;
        armed_row_next = row_reg;
        armed_column_next = column_reg;
        armed_value_next = value_reg;
        arming_next = 1'b1;
        arms_next = arms_reg + 8'd1;
    end

    if (reg_wr_en) begin
        case (reg_wr_addr)
            AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_MODE): mode_next = MODE_W'(reg_wr_data);
            AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_LANE): lane_next = LANE_W'(reg_wr_data);
            AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_FOLD): fold_next = FOLD_W'(reg_wr_data);
            AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_ROW): row_next = ROW_W'(reg_wr_data);
            AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_COLUMN): column_next = COLUMN_W'(reg_wr_data);
            AXIL_ADDR_W'(fat_registers_pkg::SABOTEUR_VALUE): value_next = BITS'(reg_wr_data);
            default: ;
        endcase
    end
end

always_ff @(posedge clk) begin
    mode_reg <= mode_next;
    lane_reg <= lane_next;
    fold_reg <= fold_next;
    row_reg <= row_next;
    column_reg <= column_next;
    value_reg <= value_next;
    armed_mode_reg <= armed_mode_next;
    armed_lane_reg <= armed_lane_next;
    armed_fold_reg <= armed_fold_next;
    armed_row_reg <= armed_row_next;
    armed_column_reg <= armed_column_next;
    armed_value_reg <= armed_value_next;
    active_mode_reg <= active_mode_next;
    active_lane_reg <= active_lane_next;
    active_fold_reg <= active_fold_next;
    active_row_reg <= active_row_next;
    active_column_reg <= active_column_next;
    active_value_reg <= active_value_next;
    arming_reg <= arming_next;
    upset_reg <= upset_next;
    changed_reg <= changed_next;
    seen_reg <= seen_next;
    first_reg <= first_next;
    arms_reg <= arms_next;
    clears_reg <= clears_next;
    at_fold_reg <= at_fold_next;
    at_column_reg <= at_column_next;
    at_row_reg <= at_row_next;
    hits_reg <= hits_next;
    changes_reg <= changes_next;
    frames_reg <= frames_next;

    if (rst) begin
        mode_reg <= '0;
        lane_reg <= '0;
        fold_reg <= '0;
        row_reg <= '0;
        column_reg <= '0;
        value_reg <= '0;
        armed_mode_reg <= '0;
        armed_lane_reg <= '0;
        armed_fold_reg <= '0;
        armed_row_reg <= '0;
        armed_column_reg <= '0;
        armed_value_reg <= '0;
        active_mode_reg <= '0;
        active_lane_reg <= '0;
        active_fold_reg <= '0;
        active_row_reg <= '0;
        active_column_reg <= '0;
        active_value_reg <= '0;
        arming_reg <= 1'b0;
        upset_reg <= 1'b0;
        changed_reg <= 1'b0;
        seen_reg <= 1'b0;
        first_reg <= 16'd0;
        arms_reg <= 8'd0;
        clears_reg <= 8'd0;
        at_fold_reg <= '0;
        at_column_reg <= '0;
        at_row_reg <= '0;
        hits_reg <= 32'd0;
        changes_reg <= 32'd0;
        frames_reg <= 32'd0;
    end
end

endmodule

`resetall
