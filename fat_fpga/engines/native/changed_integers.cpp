#include "changed_integers.hpp"

#include <algorithm>

#include "changes.hpp"
#include "simd.hpp"

namespace fat {

ChangedIntegers::ChangedIntegers(Image& image) : Part(image) {
  size_t places = 0;
  for (const Stream& stream : model_.streams) places = std::max(places, stream.frame_places());
  start_.resize(places + 1);
}

int ChangedIntegers::find(int u, const Rect& changed) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  entries_.clear();
  size_t next = 0;  // place whose start is to be set
  each_change(image_, unit.source, changed, [&](int y, int x, int c, int32_t was, int32_t is) {
    for (const size_t place = in.place(y, x); next <= place; ++next) start_[next] = int32_t(entries_.size());
    entries_.push_back({((x + in.left) * in.channels + c) * unit.column_stride(), is - was});
  });
  for (; next <= in.frame_places(); ++next) start_[next] = int32_t(entries_.size());
  return int(entries_.size());
}

void ChangedIntegers::unit(int u, const Rect& area, Target to) {
  if (model_.units[u].wide) pixels<int32_t>(u, area, to);
  else pixels<int16_t>(u, area, to);
}

template <class Acc>
void ChangedIntegers::pixels(int u, const Rect& area, Target to) {
  const Unit& unit = model_.units[u];
  const Target golden = image_.golden_front(u);
  const int frame = unit.in.frame_width(), row = unit.inputs * unit.column_stride();
  for (int y = area.y0; y < area.y1; ++y) {
    for (int x = area.x0; x < area.x1; ++x) {
      const int left = x * unit.stride_x + unit.origin_x, pixel = y * unit.width + x;
      const int32_t* start = start_.data() + size_t(y * unit.stride_y + unit.origin_y) * frame + left;
      uint64_t* planes = unit.last ? nullptr : to.first + y * to.pitch + size_t(x) * unit.words_out();
      bool any = unit.last;
      for (int ky = 0; ky < unit.kernel_y; ++ky) any |= start[ky * frame] != start[ky * frame + unit.kernel_x];
      if (!any) {
        std::copy_n(golden.first + y * golden.pitch + size_t(x) * unit.words_out(), unit.words_out(), planes);
        continue;
      }
      for (int b = 0; b < unit.blocks(); ++b) {
        auto sums = Wide64<Acc>::load(image_.accumulators<Acc>(u, pixel) + b * kBlock);
        for (int ky = 0; ky < unit.kernel_y; ++ky) {
          const int shift = (ky * unit.kernel_x - left) * row + b * kBlock;
          for (int i = start[ky * frame]; i < start[ky * frame + unit.kernel_x]; ++i) {
            sums.add_product(unit.columns.data() + (shift + entries_[i].column), Acc(entries_[i].by));
          }
        }
        if (unit.last) {
          Acc out[kBlock];
          sums.store(out);
          std::copy_n(out, kBlock, image_.sums.data() + b * kBlock);
          continue;
        }
        for (int t = 0; t < unit.planes_out(); ++t) {
          planes[t * unit.blocks() + b] = sums.at_least(thresholds<Acc>(unit) + size_t(t) * unit.padded() + b * kBlock);
        }
      }
    }
  }
}

}  // namespace fat
