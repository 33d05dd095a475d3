// Window generator: the windows of a convolution, one after another, out of a stream of pixels.
//
// A pixel comes in CHANNELS / LANES beats, pixels in raster order. A window goes out by kernel row, kernel column, then beats
// of a pixel; windows in raster order. Places in the padding are zeros. Rows of frames go round in ROWS row buffers: a
// row is free as soon as no window needs it any more. With twice the kernel's rows, the next frame's first rows
// come in while the last windows go out.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module fat_window #
(
    // Channels of a pixel
    parameter int CHANNELS = 1,
    // Channels a beat
    parameter int LANES = 1,
    // Bits of a value
    parameter int BITS = 1,
    // Rows and columns of a frame
    parameter int HEIGHT = 3,
    parameter int WIDTH = 3,
    // Rows and columns of a window
    parameter int KERNEL_H = 3,
    parameter int KERNEL_W = 3,
    // From window to window
    parameter int STRIDE_H = 1,
    parameter int STRIDE_W = 1,
    // Rows above and columns to the left of a frame
    parameter int PAD_TOP = 0,
    parameter int PAD_LEFT = 0,
    // Windows down and across
    parameter int OUT_H = 1,
    parameter int OUT_W = 1,
    // Row buffers: at least KERNEL_H + STRIDE_H - 1
    parameter int ROWS = 2*KERNEL_H,
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
// Beats of a row of the frame, of a row of a window, from window to window, and of all row buffers
localparam int ROW = WIDTH*FOLDS;
localparam int SPAN = KERNEL_W*FOLDS;
localparam int STEP = STRIDE_W*FOLDS;
localparam int DEPTH = ROW*ROWS;
// From the first row of a window to that of the next one below, and from the last to the first of the next frame
localparam int DOWN = (STRIDE_H % ROWS)*ROW;
localparam int NEXT = (HEIGHT - (OUT_H - 1)*STRIDE_H + ROWS*STRIDE_H*OUT_H) % ROWS*ROW;
localparam int START = (ROWS - PAD_TOP % ROWS) % ROWS*ROW;
localparam bit PADDED = PAD_TOP > 0 || PAD_LEFT > 0 || (OUT_H - 1)*STRIDE_H + KERNEL_H - PAD_TOP > HEIGHT
    || (OUT_W - 1)*STRIDE_W + KERNEL_W - PAD_LEFT > WIDTH;

localparam int ADDR_W = DEPTH > 1 ? $clog2(DEPTH) : 1;
localparam int ROW_W = ROW > 1 ? $clog2(ROW) : 1;
localparam int SPAN_W = SPAN > 1 ? $clog2(SPAN) : 1;
localparam int KERNEL_H_W = KERNEL_H > 1 ? $clog2(KERNEL_H) : 1;
localparam int OUT_H_W = OUT_H > 1 ? $clog2(OUT_H) : 1;
localparam int OUT_W_W = OUT_W > 1 ? $clog2(OUT_W) : 1;
// Signed positions in a row of beats, and of rows
localparam int X_W = $clog2(ROW + (PAD_LEFT + KERNEL_W + STRIDE_W)*FOLDS + 1) + 1;
localparam int Y_W = $clog2(2*HEIGHT + PAD_TOP + KERNEL_H + STRIDE_H + ROWS + 1) + 1;

generate
if (CHANNELS % LANES != 0) begin : check_lanes
    $fatal(1, "Error: LANES must divide CHANNELS");
end
if (ROWS < KERNEL_H + STRIDE_H - 1 || PAD_TOP >= KERNEL_H || PAD_LEFT >= KERNEL_W) begin : check_rows
    $fatal(1, "Error: ROWS must be KERNEL_H + STRIDE_H - 1 at least, and padding less than the kernel");
end
endgenerate

reg [LANES*BITS-1:0] memory [0:DEPTH-1];

// Where the next beat in is put, and how many rows of the frame that windows are of have come, or more, of the next one
reg [ADDR_W-1:0] write_reg;
reg [ROW_W-1:0] write_x_reg;
reg [Y_W-1:0] come_reg;

// The next beat out: its window, its place in the window, in the frame and in the memory
reg [OUT_H_W-1:0] out_y_reg;
reg [OUT_W_W-1:0] out_x_reg;
reg [KERNEL_H_W-1:0] kernel_y_reg;
reg [SPAN_W-1:0] span_reg;
reg signed [X_W-1:0] left_reg;
reg signed [X_W-1:0] x_reg;
reg signed [Y_W-1:0] top_reg;
reg signed [Y_W-1:0] y_reg;
reg [ADDR_W-1:0] top_row_reg;
reg [ADDR_W-1:0] row_reg;

// The beat that is offered
reg [LANES*BITS-1:0] data_reg;
reg zero_reg;
reg valid_reg;

// Around the row buffers
function automatic logic [ADDR_W-1:0] around(input logic [ADDR_W-1:0] row, input int rows);
    around = 32'(row) + rows >= DEPTH ? ADDR_W'(32'(row) + rows - DEPTH) : ADDR_W'(32'(row) + rows);
endfunction

wire enable = !valid_reg || m_axis_tready;
wire beat = s_axis_tvalid && s_axis_tready;
wire row_come = beat && write_x_reg == ROW_W'(ROW - 1);

wire last_span = span_reg == SPAN_W'(SPAN - 1);
wire last_kernel_y = kernel_y_reg == KERNEL_H_W'(KERNEL_H - 1);
wire last_out_x = out_x_reg == OUT_W_W'(OUT_W - 1);
wire last_out_y = out_y_reg == OUT_H_W'(OUT_H - 1);
wire window_end = last_span && last_kernel_y;
wire row_end = window_end && last_out_x;
wire frame_end = row_end && last_out_y;

wire signed [Y_W-1:0] come = $signed(come_reg);
wire signed [Y_W-1:0] needed = top_reg[Y_W-1] ? '0 : top_reg;
wire below = y_reg >= $signed(Y_W'(HEIGHT));
wire in_frame = !y_reg[Y_W-1] && !below && !x_reg[X_W-1] && x_reg < $signed(X_W'(ROW));
// The frame's last beat waits for all of its rows, also for those that no window has
wire there = (below || y_reg < come) && (!frame_end || come >= $signed(Y_W'(HEIGHT)));
wire go = enable && there;

assign s_axis_tready = come - needed < $signed(Y_W'(ROWS));
assign m_axis_tdata = DATA_W'(PADDED && zero_reg ? '0 : data_reg);
assign m_axis_tvalid = valid_reg;

always_ff @(posedge clk) begin
    if (beat) begin
        memory[write_reg] <= s_axis_tdata[LANES*BITS-1:0];
        write_reg <= write_reg == ADDR_W'(DEPTH - 1) ? '0 : write_reg + 1'b1;
        write_x_reg <= row_come ? '0 : write_x_reg + 1'b1;
    end

    come_reg <= come_reg + Y_W'(row_come) - (go && frame_end ? Y_W'(HEIGHT) : '0);

    if (enable) begin
        valid_reg <= there;
        data_reg <= memory[row_reg + ADDR_W'(x_reg)];
        zero_reg <= !in_frame;
    end

    if (go) begin
        span_reg <= last_span ? '0 : span_reg + 1'b1;
        x_reg <= x_reg + 1'b1;
        if (last_span) begin
            x_reg <= left_reg;
            kernel_y_reg <= last_kernel_y ? '0 : kernel_y_reg + 1'b1;
            y_reg <= y_reg + 1'b1;
            row_reg <= around(row_reg, ROW);
        end
        if (window_end) begin
            out_x_reg <= last_out_x ? '0 : out_x_reg + 1'b1;
            left_reg <= left_reg + $signed(X_W'(STEP));
            x_reg <= left_reg + $signed(X_W'(STEP));
            y_reg <= top_reg;
            row_reg <= top_row_reg;
        end
        if (row_end) begin
            out_y_reg <= last_out_y ? '0 : out_y_reg + 1'b1;
            left_reg <= -$signed(X_W'(PAD_LEFT*FOLDS));
            x_reg <= -$signed(X_W'(PAD_LEFT*FOLDS));
            top_reg <= top_reg + $signed(Y_W'(STRIDE_H));
            y_reg <= top_reg + $signed(Y_W'(STRIDE_H));
            top_row_reg <= around(top_row_reg, DOWN);
            row_reg <= around(top_row_reg, DOWN);
        end
        if (frame_end) begin
            top_reg <= -$signed(Y_W'(PAD_TOP));
            y_reg <= -$signed(Y_W'(PAD_TOP));
            top_row_reg <= around(top_row_reg, NEXT);
            row_reg <= around(top_row_reg, NEXT);
        end
    end

    if (rst) begin
        write_reg <= '0;
        write_x_reg <= '0;
        come_reg <= '0;
        out_y_reg <= '0;
        out_x_reg <= '0;
        kernel_y_reg <= '0;
        span_reg <= '0;
        left_reg <= -$signed(X_W'(PAD_LEFT*FOLDS));
        x_reg <= -$signed(X_W'(PAD_LEFT*FOLDS));
        top_reg <= -$signed(Y_W'(PAD_TOP));
        y_reg <= -$signed(Y_W'(PAD_TOP));
        top_row_reg <= ADDR_W'(START);
        row_reg <= ADDR_W'(START);
        valid_reg <= 1'b0;
    end
end

endmodule

`resetall
