#include "deploy/run/steps/matmul_shape.h"

#include <algorithm>

namespace nibble::run {
namespace {

/// Dimension `i` from the back of the leading ones, 1 where there is none.
int64_t leading(const Shape& shape, int i) {
  const int axis = shape.rank() - 3 - i;
  return axis < 0 ? 1 : shape[axis];
}

}  // namespace

MatmulShape::MatmulShape(const Shape& a, const Shape& b) {
  k = a[a.rank() - 1];
  m = a.rank() > 1 ? a[a.rank() - 2] : 1;
  n = b.rank() > 1 ? b[b.rank() - 1] : 1;
  const int axes = std::max({a.rank(), b.rank(), 2}) - 2;
  products = {{0, 0}};
  int64_t a_size = 1, b_size = 1;  // matrices under the axes done so far
  for (int i = 0; i < axes; ++i) {
    const int64_t da = leading(a, i), db = leading(b, i);
    const int64_t count = da == 1 ? db : da;
    const std::vector<Product> inner = std::move(products);
    products.clear();
    for (int64_t j = 0; j < count; ++j)
      for (const Product& p : inner)
        products.push_back({p.a + (da == 1 ? 0 : j * a_size), p.b + (db == 1 ? 0 : j * b_size)});
    a_size *= da;
    b_size *= db;
  }
  if (b_size == 1 && !products.empty()) {
    m *= a_size;
    products = {{0, 0}};
  }
}

int64_t MatmulShape::b_matrices() const {
  int64_t most = -1;
  for (const Product& p : products) most = std::max(most, p.b);
  return most + 1;
}

}  // namespace nibble::run
