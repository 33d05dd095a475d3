// Loops over words that are some words apart.
#pragma once

#include <cstddef>
#include <type_traits>

namespace fat {

// Calls what is given with the distance of two words that are read, as a constant for the compiler where it is small.
template <class Take>
void with_step(size_t step, Take take) {
  switch (step) {
    case 1:
      return take(std::integral_constant<size_t, 1>());
    case 2:
      return take(std::integral_constant<size_t, 2>());
    case 4:
      return take(std::integral_constant<size_t, 4>());
    default:
      return take(step);
  }
}

}  // namespace fat
