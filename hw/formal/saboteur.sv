// fat_saboteur passes every beat at once; one that is offered and waits does not change, whatever is written to its
// registers; and without the command ARM nothing changes at all.

`default_nettype none

module saboteur #(
    parameter bit ARMED = 1'b1 // whether the command is ever given
) (input wire clk);

(* anyseq *) wire [7:0] s_data;
(* anyseq *) wire s_valid, m_ready;
(* anyseq *) wire [11:0] awaddr, araddr;
(* anyseq *) wire [31:0] wdata;
(* anyseq *) wire awvalid, wvalid, bready, arvalid, rready;

wire [7:0] m_data;
wire s_ready, m_valid;

reg rst = 1'b1;
always @(posedge clk) rst <= 1'b0;

fat_saboteur #(.LANES(2), .FOLDS(2), .WIDTH(1), .HEIGHT(1), .BITS(2), .OUTPUT_REGISTER(1'b0)) dut (
    .clk(clk), .rst(rst), .s_axis_tdata(s_data), .s_axis_tvalid(s_valid), .s_axis_tready(s_ready),
    .m_axis_tdata(m_data), .m_axis_tvalid(m_valid), .m_axis_tready(m_ready),
    .s_axil_awaddr(awaddr), .s_axil_awvalid(awvalid), .s_axil_wdata(wdata), .s_axil_wstrb(4'hf),
    .s_axil_wvalid(wvalid), .s_axil_bready(bready), .s_axil_araddr(araddr), .s_axil_arvalid(arvalid),
    .s_axil_rready(rready)
);

reg running = 1'b0;

always @(posedge clk) begin
    running <= !rst;
    if (rst) begin
        assume (!s_valid);
    end else begin
        assert (m_valid == s_valid && s_ready == m_ready);
        assert (m_data[7:4] == s_data[7:4]); // what fills a beat up to whole bytes
        if (!ARMED) begin
            assume (!(awvalid && awaddr == 12'(fat_registers_pkg::SABOTEUR_CONTROL) && wdata[0]));
            assert (m_data == s_data);
        end
    end
    if (running) begin
        if ($past(s_valid && !s_ready)) assume (s_valid && $stable(s_data));
        if ($past(m_valid && !m_ready)) assert (m_valid && $stable(m_data));
    end
    cover (m_valid && m_ready && m_data != s_data);
end

endmodule
