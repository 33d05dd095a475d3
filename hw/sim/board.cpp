// The simulated board: a verilated accelerator behind a C interface that does what a host does to a board, registers
// over AXI-Lite and frames over AXI-Stream. BEAT_IN and BEAT_OUT are bytes of a beat, given by the build.

#include <cstdint>
#include <cstring>
#include <memory>

#include "Vfat_board.h"
#include "verilated.h"
#include "verilated_syms.h"

namespace {

constexpr int kBusCycles = 1000;  // a block that has not answered by then never will

struct Board {
  VerilatedContext context;
  std::unique_ptr<Vfat_board> top;
  std::uint64_t cycles = 0;
  VerilatedVar* upset_register = nullptr;
  std::uint32_t upset_mask = 0;
  std::int64_t upset_delay = 0;
  // Chances in 256 that a beat is not offered, or not taken, in a cycle
  std::uint32_t stall_in = 0;
  std::uint32_t stall_out = 0;
  std::uint64_t chance = 0;

  Board() : top(new Vfat_board(&context)) { reset(); }
  ~Board() { top->final(); }

  // Everything driven before this call is seen by the rising edge in it. The pins have registers, so that what they
  // show does not follow what is driven: the model is evaluated at the two edges alone.
  void clock() {
    top->clk = 0;
    top->eval();
    top->clk = 1;
    top->eval();
    ++cycles;
    if (upset_register != nullptr && upset_delay-- == 0) flip();
  }

  // Bits of a register flip between two clock edges, as by a particle; false if the model has no such register.
  bool upset(const char* scope, const char* name, std::uint32_t mask, std::int64_t delay) {
    const VerilatedScope* found = context.scopeFind(scope);
    upset_register = found == nullptr ? nullptr : found->varFind(name);
    upset_mask = mask;
    upset_delay = delay;
    return upset_register != nullptr;
  }

  void flip() {
    void* data = upset_register->datap();
    switch (upset_register->vltype()) {
      case VLVT_UINT8:
        *static_cast<std::uint8_t*>(data) ^= static_cast<std::uint8_t>(upset_mask);
        break;
      case VLVT_UINT16:
        *static_cast<std::uint16_t*>(data) ^= static_cast<std::uint16_t>(upset_mask);
        break;
      default:
        *static_cast<std::uint32_t*>(data) ^= upset_mask;
        break;
    }
    upset_register = nullptr;
    top->eval();
  }

  void reset() {
    top->rst = 1;
    top->clk = 0;
    top->s_axis_tvalid = 0;
    top->m_axis_tready = 0;
    top->s_axil_awvalid = top->s_axil_wvalid = top->s_axil_bready = 0;
    top->s_axil_arvalid = top->s_axil_rready = 0;
    for (int i = 0; i < 16; ++i) clock();
    top->rst = 0;
    for (int i = 0; i < 16; ++i) clock();
  }

  bool write(std::uint32_t address, std::uint32_t data) {
    top->s_axil_awaddr = address;
    top->s_axil_wdata = data;
    top->s_axil_wstrb = 15;
    top->s_axil_awvalid = top->s_axil_wvalid = top->s_axil_bready = 1;
    bool answered = false;
    for (int i = 0; i < kBusCycles && !answered; ++i) {
      const bool address_taken = top->s_axil_awvalid && top->s_axil_awready;
      const bool data_taken = top->s_axil_wvalid && top->s_axil_wready;
      answered = top->s_axil_bvalid;
      clock();
      if (address_taken) top->s_axil_awvalid = 0;
      if (data_taken) top->s_axil_wvalid = 0;
      if (answered) top->s_axil_bready = 0;
    }
    top->s_axil_awvalid = top->s_axil_wvalid = top->s_axil_bready = 0;
    return answered;
  }

  bool read(std::uint32_t address, std::uint32_t* data) {
    top->s_axil_araddr = address;
    top->s_axil_arvalid = top->s_axil_rready = 1;
    bool answered = false;
    for (int i = 0; i < kBusCycles && !answered; ++i) {
      const bool taken = top->s_axil_arvalid && top->s_axil_arready;
      answered = top->s_axil_rvalid;
      if (answered) *data = top->s_axil_rdata;
      clock();
      if (taken) top->s_axil_arvalid = 0;
      if (answered) top->s_axil_rready = 0;
    }
    top->s_axil_arvalid = top->s_axil_rready = 0;
    return answered;
  }

  bool stalls(std::uint32_t rate) {
    if (rate == 0) return false;
    chance = chance * 6364136223846793005U + 1442695040888963407U;
    return (chance >> 40) % 256 < rate;
  }

  // Beats received; fewer than asked for if the limit of cycles came first.
  std::int64_t transfer(const std::uint8_t* in, std::int64_t beats_in, std::uint8_t* out, std::int64_t beats_out,
                        std::int64_t limit) {
    std::int64_t sent = 0, received = 0;
    top->s_axis_tvalid = 0;
    for (std::int64_t i = 0; i < limit && received < beats_out; ++i) {
      // A beat that is offered stays until it is taken
      if (!top->s_axis_tvalid && sent < beats_in && !stalls(stall_in)) {
        std::memcpy(&top->s_axis_tdata, in + sent * BEAT_IN, BEAT_IN);
        top->s_axis_tvalid = 1;
      }
      top->m_axis_tready = !stalls(stall_out);
      const bool taken = top->s_axis_tvalid && top->s_axis_tready;
      if (top->m_axis_tvalid && top->m_axis_tready) {
        std::memcpy(out + received * BEAT_OUT, &top->m_axis_tdata, BEAT_OUT);
        ++received;
      }
      clock();
      if (taken) {
        ++sent;
        top->s_axis_tvalid = 0;
      }
    }
    top->s_axis_tvalid = 0;
    top->m_axis_tready = 0;
    return received;
  }
};

}  // namespace

extern "C" {
void* board_open() { return new Board; }
void board_close(void* board) { delete static_cast<Board*>(board); }
void board_reset(void* board) { static_cast<Board*>(board)->reset(); }
std::uint64_t board_cycles(void* board) { return static_cast<Board*>(board)->cycles; }
int board_write(void* board, std::uint32_t address, std::uint32_t data) {
  return static_cast<Board*>(board)->write(address, data);
}
int board_read(void* board, std::uint32_t address, std::uint32_t* data) {
  return static_cast<Board*>(board)->read(address, data);
}
int board_upset(void* board, const char* scope, const char* name, std::uint32_t mask, std::int64_t delay) {
  return static_cast<Board*>(board)->upset(scope, name, mask, delay);
}
void board_stall(void* board, std::uint32_t in, std::uint32_t out, std::uint64_t seed) {
  Board* one = static_cast<Board*>(board);
  one->stall_in = in;
  one->stall_out = out;
  one->chance = seed;
}
std::int64_t board_transfer(void* board, const std::uint8_t* in, std::int64_t beats_in, std::uint8_t* out,
                            std::int64_t beats_out, std::int64_t limit) {
  return static_cast<Board*>(board)->transfer(in, beats_in, out, beats_out, limit);
}
}
