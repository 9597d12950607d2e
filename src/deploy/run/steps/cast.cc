#include <cmath>
#include <cstring>
#include <limits>

#include "deploy/run/step_factories.h"

namespace nibble::run {
namespace {

// Where C++ leaves the result open, one definition: reals to integers truncate and saturate, NaN
// becomes 0; integers to narrower ones keep the low bits; anything that is not 0 (NaN too) is true.
template <class To, class From>
To cast_one(From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    if (std::isnan(x)) return 0;
    // 2^digits is exact in From, unlike the largest integer.
    const From above = std::ldexp(From(1), std::numeric_limits<To>::digits);
    if (x >= above) return std::numeric_limits<To>::max();
    if (x <= (std::is_signed_v<To> ? -above : From(-1))) return std::numeric_limits<To>::min();
    return static_cast<To>(x);
  } else {
    return static_cast<To>(x);
  }
}

class CastStep : public Step {
 public:
  Status prepare(PrepareContext&) override { return {}; }
  void run(const RunContext& context) override {
    const Operand &x = context.inputs[0], &y = context.outputs[0];
    const int64_t n = x.shape.size();
    if (n == 0) return;
    if (x.dtype == y.dtype) {
      std::memcpy(y.data, x.data, y.view().bytes());
      return;
    }
    visit_dtype(x.dtype, [&]<class From>(std::type_identity<From>) {
      visit_dtype(y.dtype, [&]<class To>(std::type_identity<To>) {
        const From* from = x.as<From>();
        To* to = y.as<To>();
        for (int64_t i = 0; i < n; ++i) to[i] = cast_one<To>(from[i]);
      });
    });
  }
};

bool is_half(DType dtype) {
  return dtype == DType::kF16 || dtype == DType::kBF16;
}

}  // namespace

std::unique_ptr<Step> make_cast(const model::Model& model, const model::NodeInfo& node) {
  const DType from = model.tensors[static_cast<size_t>(node.inputs[0])].dtype;
  const DType to = model.tensors[static_cast<size_t>(node.outputs[0])].dtype;
  if (from != to && (is_half(from) || is_half(to))) return nullptr;
  return std::make_unique<CastStep>();
}

}  // namespace nibble::run
