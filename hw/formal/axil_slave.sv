// A master that keeps AXI-Lite's rules, and what fat_axil_slave owes it: answers after their handshakes, one for each, that
// stay until they are taken; one enable for each write; and the data of the register at the address that was asked.

`default_nettype none

module axil_slave (input wire clk);

localparam int ADDR_W = 4;

(* anyseq *) wire [ADDR_W-1:0] awaddr, araddr;
(* anyseq *) wire [31:0] wdata;
(* anyseq *) wire [3:0] wstrb;
(* anyseq *) wire awvalid, wvalid, bready, arvalid, rready;
(* anyconst *) wire [31:0] registers_seed;

wire awready, wready, bvalid, arready, rvalid, wr_en, rd_en;
wire [1:0] bresp, rresp;
wire [31:0] rdata, wr_data;
wire [ADDR_W-1:0] wr_addr, rd_addr;

reg rst = 1'b1;
always @(posedge clk) rst <= 1'b0;

fat_axil_slave #(.ADDR_W(ADDR_W)) dut (
    .clk(clk), .rst(rst),
    .s_axil_awaddr(awaddr), .s_axil_awvalid(awvalid), .s_axil_awready(awready),
    .s_axil_wdata(wdata), .s_axil_wstrb(wstrb), .s_axil_wvalid(wvalid), .s_axil_wready(wready),
    .s_axil_bresp(bresp), .s_axil_bvalid(bvalid), .s_axil_bready(bready),
    .s_axil_araddr(araddr), .s_axil_arvalid(arvalid), .s_axil_arready(arready),
    .s_axil_rdata(rdata), .s_axil_rresp(rresp), .s_axil_rvalid(rvalid), .s_axil_rready(rready),
    .reg_wr_en(wr_en), .reg_wr_addr(wr_addr), .reg_wr_data(wr_data),
    .reg_rd_en(rd_en), .reg_rd_addr(rd_addr), .reg_rd_data(registers_seed ^ 32'(rd_addr))
);

reg [3:0] writes = 0, enables = 0, answers = 0, reads = 0, data = 0;
reg [ADDR_W-1:0] asked;
reg armed = 1'b0;

always @(posedge clk) begin
    armed <= !rst;
    if (rst) begin
        assume (!awvalid && !wvalid && !arvalid);
    end else begin
        writes <= writes + 4'(awvalid && awready);
        enables <= enables + 4'(wr_en);
        answers <= answers + 4'(bvalid && bready);
        reads <= reads + 4'(arvalid && arready);
        data <= data + 4'(rvalid && rready);
        if (arvalid && arready) asked <= araddr;
        assume (&wstrb);

        assert (awready == wready);
        assert (!(awready && !(awvalid && wvalid)));
        assert (bvalid == (writes != answers));
        assert (rvalid == (reads != data));
        assert (enables == writes || (enables == writes + 4'd1 && awready));
        assert (bresp == 2'b00 && rresp == 2'b00);
        if (rvalid) assert (rdata == (registers_seed ^ 32'(asked)));
    end
    if (armed) begin
        if ($past(awvalid && !awready)) assume (awvalid && $stable(awaddr));
        if ($past(wvalid && !wready)) assume (wvalid && $stable(wdata) && $stable(wstrb));
        if ($past(arvalid && !arready)) assume (arvalid && $stable(araddr));
        if ($past(bvalid && !bready)) assert (bvalid);
        if ($past(rvalid && !rready)) assert (rvalid && $stable(rdata));
        if ($past(wr_en)) assert (awready && $past(wr_addr) == awaddr && $past(wr_data) == wdata);
    end
    cover (answers == 3 && data == 3);
end

endmodule
