// FINN's thresholding.sv by itself: writes the words of a file into its memory, sends every integer that it takes to
// every channel, and writes down what comes out. One instance for each set of parameters.
module thresholding_bench #(
    parameter int ID = 0,
    parameter int K = 4,
    parameter int N = 3,
    parameter int C = 2,
    parameter int PE = 1,
    parameter bit SIGNED = 1,
    parameter int BIAS = 0,
    parameter bit DEEP = 0
) (
    input  logic clk,
    output logic done
);
  localparam int FOLDS = C / PE;
  localparam int BEATS = FOLDS << K;
  localparam int ADDRESS = $clog2(FOLDS) + $clog2(PE) + $clog2(N);
  localparam int OUT = BIAS >= 0 ? $clog2(N + BIAS + 1) : 1 + $clog2(-BIAS >= N + BIAS + 1 ? -BIAS : N + BIAS + 1);

  logic [K-1:0] words[C*N];
  int file, at = 0, sent = 0, seen = 0, waited = 0;
  logic [15:0] noise = 16'hACE1;  // of stalls
  logic writing, sending, irdy, ovld, ordy;
  logic [PE-1:0][K-1:0] idat;
  logic [PE-1:0][OUT-1:0] odat;
  logic [ADDRESS-1:0] address;

  initial begin
    $readmemh($sformatf("words_%0d.hex", ID), words);
    file = $fopen($sformatf("levels_%0d.txt", ID), "w");
  end

  assign writing = waited > 4 && at < C * N;
  assign sending = at == C * N && sent < BEATS && noise[0];
  assign address = ADDRESS'((((((at / N) / PE) << $clog2(PE)) + (at / N) % PE) << $clog2(N)) + at % N);
  assign idat = {PE{K'(sent / FOLDS)}};
  assign ordy = noise[3];
  assign done = seen == BEATS;

  always_ff @(posedge clk) begin
    waited <= waited + 1;
    noise <= {noise[14:0], noise[15] ^ noise[13] ^ noise[12] ^ noise[10]};
    if (writing) at <= at + 1;
    if (sending && irdy) sent <= sent + 1;
    if (ovld && ordy && !done) begin
      seen <= seen + 1;
      for (int lane = 0; lane < PE; lane++) $fwrite(file, "%0d\n", odat[lane]);
      if (seen == BEATS - 1) $fclose(file);
    end
  end

  thresholding #(
      .K(K), .N(N), .C(C), .PE(PE), .SIGNED(SIGNED), .BIAS(BIAS), .USE_CONFIG(1), .DEEP_PIPELINE(DEEP)
  ) dut (
      .clk(clk), .rst(waited < 4),
      .cfg_en(writing), .cfg_we(writing), .cfg_a(address), .cfg_d(words[at < C * N ? at : 0]), .cfg_rack(), .cfg_q(),
      .irdy(irdy), .ivld(sending), .iset('0), .idat(idat),
      .ordy(ordy), .ovld(ovld), .odat(odat)
  );
endmodule
