#include <cstring>
#include <string>

#include "deploy/run/step_factories.h"

namespace nibble::run {
namespace {

class GatherStep : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const Shape& x = context.inputs[0].shape;
    const int axis =
        normalize_axis(context.node.attributes.get_int(model::Attr::axis, 0), x.rank());
    outer_ = x.size(0, axis);
    length_ = x[axis];
    bytes_ = static_cast<size_t>(x.size(axis + 1, x.rank())) * size_of(context.inputs[0].dtype);
    return {};
  }

  void run(const RunContext& context) override {
    if (context.inputs[1].dtype == DType::kI64)
      gather<int64_t>(context);
    else
      gather<int32_t>(context);
  }

 private:
  template <class Index>
  void gather(const RunContext& context) const {
    const auto* src = context.inputs[0].as<std::byte>();
    const auto* indices = context.inputs[1].as<Index>();
    auto* dst = context.outputs[0].as<std::byte>();
    const int64_t n = context.inputs[1].shape.size();
    if (bytes_ == 0) return;
    for (int64_t o = 0; o < outer_; ++o) {
      for (int64_t i = 0; i < n; ++i, dst += bytes_) {
        int64_t index = indices[i];
        if (index < 0) index += length_;
        if (index < 0 || index >= length_) {
          // Indices come from data, so only a run can tell.
          std::memset(dst, 0, bytes_);
          if (context.fault)
            *context.fault = invalid_argument("expects indices from " + std::to_string(-length_) +
                                              " to " + std::to_string(length_ - 1) + ", found " +
                                              std::to_string(indices[i]));
          continue;
        }
        std::memcpy(dst, src + static_cast<size_t>(o * length_ + index) * bytes_, bytes_);
      }
    }
  }

  int64_t outer_ = 0, length_ = 0;
  size_t bytes_ = 0;  // of the elements behind one index
};

}  // namespace

std::unique_ptr<Step> make_gather(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<GatherStep>();
}

}  // namespace nibble::run
