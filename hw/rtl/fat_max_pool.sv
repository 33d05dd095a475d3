// Max-pool: the largest value of each channel in windows that do not overlap.
//
// A pixel comes, and goes out, in CHANNELS / LANES beats; pixels in raster order. One row of running maxima is kept. Rows and
// columns behind the last whole window are dropped; a frame's last beat goes out when all of the frame has come, so that
// nothing of a frame is on its way when its results are there.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_max_pool #
(
    // Channels of a pixel
    parameter int CHANNELS = 1,
    // Channels a beat
    parameter int LANES = 1,
    // Bits of a value
    parameter int BITS = 1,
    // 1: values are in two's complement
    parameter bit SIGNED = 1'b0,
    // Rows and columns of a frame
    parameter int HEIGHT = 2,
    parameter int WIDTH = 2,
    // Rows and columns of a window
    parameter int KERNEL_H = 2,
    parameter int KERNEL_W = 2,
    // Width of a beat: whole bytes (derived, leave alone)
    parameter int DATA_W = ((LANES*BITS + 7)/8)*8
)
(
    input  wire               clk,
    input  wire               rst,

    // AXI-Stream in
    /* verilator lint_off UNUSEDSIGNAL */
    input  wire [DATA_W-1:0]  s_axis_tdata,
    /* verilator lint_on UNUSEDSIGNAL */
    input  wire               s_axis_tvalid,
    output wire               s_axis_tready,

    // AXI-Stream out
    output wire [DATA_W-1:0]  m_axis_tdata,
    output wire               m_axis_tvalid,
    input  wire               m_axis_tready
);

localparam int FOLDS = CHANNELS/LANES;
localparam int OUT_H = HEIGHT/KERNEL_H;
localparam int OUT_W = WIDTH/KERNEL_W;
localparam bit TRAILING = HEIGHT % KERNEL_H != 0 || WIDTH % KERNEL_W != 0;
localparam int DEPTH = OUT_W*FOLDS;
localparam int ADDR_W = DEPTH > 1 ? $clog2(DEPTH) : 1;
localparam int FOLD_W = FOLDS > 1 ? $clog2(FOLDS) : 1;
localparam int COLUMN_W = WIDTH > 1 ? $clog2(WIDTH) : 1;
localparam int ROW_W = HEIGHT > 1 ? $clog2(HEIGHT) : 1;
localparam int KERNEL_W_W = KERNEL_W > 1 ? $clog2(KERNEL_W) : 1;
localparam int KERNEL_H_W = KERNEL_H > 1 ? $clog2(KERNEL_H) : 1;

generate
if (CHANNELS % LANES != 0) begin : check_lanes
    $fatal(1, "Error: LANES must divide CHANNELS");
end
if (OUT_H < 1 || OUT_W < 1) begin : check_window
    $fatal(1, "Error: the window is larger than the frame");
end
endgenerate

// Maxima of the windows that the next row is in
reg [LANES*BITS-1:0] maxima [0:DEPTH-1];

// The next beat: its place in the frame, in its window and in the row of windows
reg [FOLD_W-1:0] fold_reg;
reg [COLUMN_W-1:0] column_reg;
reg [ROW_W-1:0] row_reg;
reg [KERNEL_W_W-1:0] kernel_x_reg;
reg [KERNEL_H_W-1:0] kernel_y_reg;
reg [ADDR_W-1:0] window_reg;

reg [LANES*BITS-1:0] data_reg;
reg valid_reg;
// The frame's last beat is there, and waits for the frame's end
reg waiting_reg;

wire enable = waiting_reg || !valid_reg || m_axis_tready;
wire beat = s_axis_tvalid && enable;
wire last_fold = fold_reg == FOLD_W'(FOLDS - 1);
wire last_column = column_reg == COLUMN_W'(WIDTH - 1);
wire last_row = row_reg == ROW_W'(HEIGHT - 1);
wire last_kernel_x = kernel_x_reg == KERNEL_W_W'(KERNEL_W - 1);
wire last_kernel_y = kernel_y_reg == KERNEL_H_W'(KERNEL_H - 1);
wire first = kernel_x_reg == '0 && kernel_y_reg == '0;
wire covered = 32'(column_reg) < OUT_W*KERNEL_W && 32'(row_reg) < OUT_H*KERNEL_H;
wire last_out = last_fold && 32'(column_reg) == OUT_W*KERNEL_W - 1 && 32'(row_reg) == OUT_H*KERNEL_H - 1;
wire frame_end = last_fold && last_column && last_row;

wire [ADDR_W-1:0] at = window_reg + ADDR_W'(fold_reg);
wire [LANES*BITS-1:0] kept = maxima[at];
wire [LANES*BITS-1:0] largest;

assign s_axis_tready = enable;
assign m_axis_tdata = DATA_W'(data_reg);
assign m_axis_tvalid = valid_reg && !waiting_reg;

generate
if (BITS == 1 && !SIGNED) begin : ones
    assign largest = first ? s_axis_tdata[LANES-1:0] : kept | s_axis_tdata[LANES-1:0];
end else begin : values
    for (genvar n = 0; n < LANES; n = n + 1) begin : lanes
        wire [BITS-1:0] a = kept[n*BITS +: BITS];
        wire [BITS-1:0] b = s_axis_tdata[n*BITS +: BITS];
        wire larger;
        if (SIGNED) begin : signed_values
            assign larger = $signed(a) > $signed(b);
        end else begin : unsigned_values
            assign larger = a > b;
        end
        assign largest[n*BITS +: BITS] = !first && larger ? a : b;
    end
end
endgenerate

always_ff @(posedge clk) begin
    if (enable && !waiting_reg) begin
        valid_reg <= s_axis_tvalid && covered && last_kernel_x && last_kernel_y;
    end

    if (beat) begin
        if (covered) begin
            data_reg <= largest;
            maxima[at] <= largest;
        end
        waiting_reg <= TRAILING && (waiting_reg ? !frame_end : last_out);
        fold_reg <= last_fold ? '0 : fold_reg + 1'b1;
        if (last_fold) begin
            column_reg <= last_column ? '0 : column_reg + 1'b1;
            kernel_x_reg <= last_kernel_x || last_column ? '0 : kernel_x_reg + 1'b1;
            if (last_column) begin
                window_reg <= '0;
                row_reg <= last_row ? '0 : row_reg + 1'b1;
                kernel_y_reg <= last_kernel_y || last_row ? '0 : kernel_y_reg + 1'b1;
            end else if (last_kernel_x) begin
                window_reg <= window_reg + ADDR_W'(FOLDS);
            end
        end
    end

    if (rst) begin
        fold_reg <= '0;
        column_reg <= '0;
        row_reg <= '0;
        kernel_x_reg <= '0;
        kernel_y_reg <= '0;
        window_reg <= '0;
        valid_reg <= 1'b0;
        waiting_reg <= 1'b0;
    end
end

endmodule

`resetall
