// What goes into fat_axis_register comes out, each beat once, in order; and a beat that is offered and waits stays.

`default_nettype none

module axis_register (input wire clk);

(* anyseq *) wire [7:0] s_data;
(* anyseq *) wire s_valid, m_ready;
(* anyconst *) wire [3:0] index; // of the beat that is followed

wire [7:0] m_data;
wire s_ready, m_valid;

reg rst = 1'b1;
always @(posedge clk) rst <= 1'b0;

fat_axis_register #(.DATA_W(8)) dut (
    .clk(clk), .rst(rst), .s_axis_tdata(s_data), .s_axis_tvalid(s_valid), .s_axis_tready(s_ready),
    .m_axis_tdata(m_data), .m_axis_tvalid(m_valid), .m_axis_tready(m_ready)
);

reg [3:0] sent = 0, received = 0;
reg [7:0] followed;
reg running = 1'b0;

always @(posedge clk) begin
    running <= !rst;
    if (rst) begin
        assume (!s_valid);
    end else begin
        sent <= sent + 4'(s_valid && s_ready);
        received <= received + 4'(m_valid && m_ready);
        if (s_valid && s_ready && sent == index) followed <= s_data;

        assert (4'(sent - received) <= 4'd2);
        assert (m_valid == (sent != received));
        if (m_valid && received == index) assert (m_data == followed);
    end
    if (running) begin
        if ($past(s_valid && !s_ready)) assume (s_valid && $stable(s_data));
        if ($past(m_valid && !m_ready)) assert (m_valid && $stable(m_data));
        if ($past(m_ready)) assert (s_ready); // no bubble
    end
    cover (received == 5 && sent == 7);
end

endmodule
