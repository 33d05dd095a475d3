// Rectangles of pixels, and what becomes of them through sliding windows.
#pragma once

#include <algorithm>

namespace fat {

// Rows y0 <= y < y1, columns x0 <= x < x1; empty unless both are non-empty.
struct Rect {
  int y0 = 0, y1 = 0, x0 = 0, x1 = 0;

  static Rect whole(int height, int width) { return {0, height, 0, width}; }
  bool empty() const { return y0 >= y1 || x0 >= x1; }
  bool inside(const Rect& other) const {
    return empty() || (other.y0 <= y0 && y1 <= other.y1 && other.x0 <= x0 && x1 <= other.x1);
  }
  int pixels() const { return empty() ? 0 : (y1 - y0) * (x1 - x0); }
  bool has(int y, int x) const { return y0 <= y && y < y1 && x0 <= x && x < x1; }
  void include(const Rect& other) {
    if (other.empty()) return;
    if (empty()) {
      *this = other;
      return;
    }
    y0 = std::min(y0, other.y0), y1 = std::max(y1, other.y1);
    x0 = std::min(x0, other.x0), x1 = std::max(x1, other.x1);
  }
  Rect common(const Rect& other) const {
    return {std::max(y0, other.y0), std::min(y1, other.y1), std::max(x0, other.x0), std::min(x1, other.x1)};
  }
  Rect moved(int y, int x) const { return {y0 + y, y1 + y, x0 + x, x1 + x}; }
};

// Windows of a convolution or pool over a frame, one for each of height x width outputs. The first of them begins at
// the origin: other readers of the stream may want a wider frame.
struct Windows {
  int kernel_y, kernel_x, stride_y, stride_x, height, width;
  int origin_y = 0, origin_x = 0;

  static int by(int at, int stride) { return stride == 1 ? at : at / stride; }  // a division takes its time

  // Outputs whose window touches `frame`.
  Rect touching(const Rect& frame) const {
    const Rect at = frame.moved(-origin_y, -origin_x);
    if (frame.empty() || at.y1 <= 0 || at.x1 <= 0) return {};
    const auto first = [](int at, int kernel, int stride) { return std::max(0, by(at - kernel + stride, stride)); };
    return Rect{first(at.y0, kernel_y, stride_y), std::min(height, by(at.y1 - 1, stride_y) + 1),
                first(at.x0, kernel_x, stride_x), std::min(width, by(at.x1 - 1, stride_x) + 1)};
  }
  // Places of the frame that the windows of `outputs` cover.
  Rect covered(const Rect& outputs) const {
    if (outputs.empty()) return {};
    return Rect{outputs.y0 * stride_y, (outputs.y1 - 1) * stride_y + kernel_y, outputs.x0 * stride_x,
                (outputs.x1 - 1) * stride_x + kernel_x}
        .moved(origin_y, origin_x);
  }
};

}  // namespace fat
