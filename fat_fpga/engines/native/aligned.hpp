// Vectors that begin at a cache line, so that a load of 64 bytes touches one line and not two.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace fat {

template <class T>
struct CacheLines {
  using value_type = T;
  static constexpr std::align_val_t kLine{64};

  CacheLines() = default;
  template <class U>
  CacheLines(const CacheLines<U>&) {}
  T* allocate(size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kLine)); }
  void deallocate(T* place, size_t) { ::operator delete(place, kLine); }
  template <class U>
  bool operator==(const CacheLines<U>&) const {
    return true;
  }
  template <class U>
  bool operator!=(const CacheLines<U>&) const {
    return false;
  }
};

template <class T>
using Aligned = std::vector<T, CacheLines<T>>;

}  // namespace fat
