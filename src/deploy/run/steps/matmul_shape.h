#pragma once

#include <cstdint>
#include <vector>

#include "deploy/base/shape.h"

namespace nibble::run {

/// A MatMul of any ranks as a list of plain products [m, k] x [k, n]. Leading dimensions broadcast;
/// where B has none (or only ones), the rows of all of A make one product.
struct MatmulShape {
  int64_t m = 1, n = 1, k = 1;
  struct Product {
    int64_t a, b;  // index of the matrix in A and in B
  };
  std::vector<Product> products;  // in the order of the output

  /// Shapes that infer_shapes has accepted.
  MatmulShape(const Shape& a, const Shape& b);

  int64_t b_matrices() const;
};

}  // namespace nibble::run
