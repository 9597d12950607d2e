#include <algorithm>
#include <string>
#include <vector>

#include "deploy/kernels/move/move.h"
#include "deploy/model/ranges.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/integers.h"

namespace nibble::run {
namespace {

constexpr int64_t kBytesPerTask = 1 << 16;

enum class Mode { kConstant, kReflect, kEdge, kWrap };

Result<Mode> mode_of(const model::Attributes& attributes) {
  const std::string_view name = attributes.get_string(model::Attr::mode, "constant");
  if (name == "constant") return Mode::kConstant;
  if (name == "reflect") return Mode::kReflect;
  if (name == "edge") return Mode::kEdge;
  if (name == "wrap") return Mode::kWrap;
  return invalid_argument("expects mode constant, reflect, edge or wrap, found '" +
                          std::string(name) + "'");
}

int64_t modulo(int64_t a, int64_t n) {
  return (a % n + n) % n;
}

/// The position in an axis of `length` > 0 that stands for `i`, which may lie outside; -1: none.
int64_t source_of(int64_t i, int64_t length, Mode mode) {
  if (i >= 0 && i < length) return i;
  switch (mode) {
    case Mode::kConstant:
      return -1;
    case Mode::kEdge:
      return std::clamp<int64_t>(i, 0, length - 1);
    case Mode::kWrap:
      return modulo(i, length);
    case Mode::kReflect:
      break;
  }
  // Mirrored at the first and the last element, which are not repeated.
  if (length == 1) return 0;
  const int64_t there = modulo(i, 2 * (length - 1));
  return std::min(there, 2 * (length - 1) - there);
}

class PadStep : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const Shape &x = context.inputs[0].shape, &y = context.outputs[0].shape;
    const Result<Mode> mode = mode_of(context.node.attributes);
    if (!mode.ok()) return mode.status();
    const auto pads = known_integers(context.inputs, 1), axes = known_integers(context.inputs, 3);
    if (!pads.ok()) return pads.status();
    if (!axes.ok()) return axes.status();
    const auto ranges = model::resolve_pads(x.rank(), pads.value(), axes.value());
    if (!ranges.ok()) return ranges.status();
    std::vector<std::vector<int64_t>> maps(static_cast<size_t>(x.rank()));
    for (int axis = 0; axis < x.rank(); ++axis) {
      if (x[axis] == 0 && y[axis] > 0 && mode.value() != Mode::kConstant)
        return invalid_argument("cannot continue the empty axis " + std::to_string(axis) + " of " +
                                to_string(x));
      auto& map = maps[static_cast<size_t>(axis)];
      for (int64_t i = 0; i < y[axis]; ++i)
        map.push_back(
            source_of(i - ranges.value()[static_cast<size_t>(axis)].begin, x[axis], mode.value()));
    }
    plan_ = kernels::plan_mapped_copy(maps, x.dims(), size_of(context.inputs[0].dtype));
    grain_ = std::max<int64_t>(
        1, kBytesPerTask / std::max<int64_t>(1, plan_.row * int64_t(plan_.element_size)));
    return {};
  }

  void run(const RunContext& context) override {
    const uint64_t zero = 0;
    const void* value = &zero;
    if (context.inputs.size() > 2 && context.inputs[2].present()) value = context.inputs[2].data;
    const void* src = context.inputs[0].data;
    void* dst = context.outputs[0].data;
    context.pool.parallel_for(plan_.units, grain_, [&](int64_t begin, int64_t end) {
      kernels::mapped_copy(plan_, src, value, dst, begin, end);
    });
  }
  std::string_view kernel() const override { return "mapped_copy"; }

 private:
  kernels::MappedCopy plan_;
  int64_t grain_ = 1;
};

}  // namespace

std::unique_ptr<Step> make_pad(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<PadStep>();
}

}  // namespace nibble::run
