// What comes out of fat_voter is, value by value, what at least two of three copies of the pixel say, whatever is written
// to its registers; and a beat that is offered and waits stays.

`default_nettype none

module voter #(
    parameter int CHANNELS = 2,
    parameter int ROWS = 4,
    parameter int LANES_IN = 2,
    parameter int LANES_OUT = 1,
    parameter logic [CHANNELS*48-1:0] SOURCES = '0
) (input wire clk);

localparam int FOLDS_IN = ROWS / LANES_IN;
localparam int FOLDS_OUT = CHANNELS / LANES_OUT;

(* anyseq *) wire [7:0] s_data;
(* anyseq *) wire s_valid, m_ready;
(* anyseq *) wire [11:0] awaddr, araddr;
(* anyseq *) wire [31:0] wdata;
(* anyseq *) wire awvalid, wvalid, bready, arvalid, rready;
(* anyconst *) wire [2:0] index; // of the pixel that is followed

wire [7:0] m_data;
wire s_ready, m_valid;

reg rst = 1'b1;
always @(posedge clk) rst <= 1'b0;

fat_voter #(
    .CHANNELS(CHANNELS), .ROWS(ROWS), .LANES_IN(LANES_IN), .LANES_OUT(LANES_OUT), .SOURCES(SOURCES), .COUNT_BITS(2)
) dut (
    .clk(clk), .rst(rst), .s_axis_tdata(s_data), .s_axis_tvalid(s_valid), .s_axis_tready(s_ready),
    .m_axis_tdata(m_data), .m_axis_tvalid(m_valid), .m_axis_tready(m_ready),
    .s_axil_awaddr(awaddr), .s_axil_awvalid(awvalid), .s_axil_wdata(wdata), .s_axil_wstrb(4'hf),
    .s_axil_wvalid(wvalid), .s_axil_bready(bready), .s_axil_araddr(araddr), .s_axil_arvalid(arvalid),
    .s_axil_rready(rready)
);

reg [2:0] pixel_in = 0, pixel_out = 0;
reg [2:0] fold_in = 0, fold_out = 0;
reg [ROWS-1:0] rows;
reg running = 1'b0;

function automatic bit wanted(input [ROWS-1:0] values, input int channel);
    int votes;
    votes = 0;
    for (int k = 0; k < 3; k = k + 1) begin
        votes = votes + int'(values[SOURCES[(channel*3 + k)*16 +: 4]]);
    end
    wanted = votes >= 2;
endfunction

integer lane;

always @(posedge clk) begin
    running <= !rst;
    if (rst) begin
        assume (!s_valid);
    end else begin
        if (s_valid && s_ready) begin
            fold_in <= fold_in == FOLDS_IN - 1 ? 3'd0 : fold_in + 3'd1;
            pixel_in <= pixel_in + 3'(fold_in == FOLDS_IN - 1);
            if (pixel_in == index) rows[fold_in*LANES_IN +: LANES_IN] <= s_data[LANES_IN-1:0];
        end
        if (m_valid && m_ready) begin
            fold_out <= fold_out == FOLDS_OUT - 1 ? 3'd0 : fold_out + 3'd1;
            pixel_out <= pixel_out + 3'(fold_out == FOLDS_OUT - 1);
        end
        if (m_valid && pixel_out == index) begin
            for (lane = 0; lane < LANES_OUT; lane = lane + 1) begin
                assert (m_data[lane] == wanted(rows, 32'(fold_out)*LANES_OUT + lane));
            end
        end
        if (m_valid) assert (m_data >> LANES_OUT == 0);
    end
    if (running) begin
        if ($past(s_valid && !s_ready)) assume (s_valid && $stable(s_data));
        if ($past(m_valid && !m_ready)) assert (m_valid && $stable(m_data));
    end
    cover (pixel_out == 2);
end

endmodule
