#include "deploy/kernels/move/move.h"
#include "deploy/run/step_factories.h"

namespace nibble::run {
namespace {

/// Concat and Split: along `axis` the joined tensor's rows are the parts' rows side by side.
class JoinStep : public Step {
 public:
  explicit JoinStep(bool concat) : concat_(concat) {}

  Status prepare(PrepareContext& context) override {
    for (const Operand& part : context.outputs)
      if (!part.present()) return unsupported("Split expects all its outputs");
    const Operand& whole = concat_ ? context.outputs[0] : context.inputs[0];
    const Shape& shape = whole.shape;
    const int axis =
        normalize_axis(context.node.attributes.get_int(model::Attr::axis, 0), shape.rank());
    rows_ = shape.size(0, axis);
    pitch_ = static_cast<size_t>(shape.size(axis, shape.rank())) * size_of(whole.dtype);
    return {};
  }

  void run(const RunContext& context) override {
    if (rows_ == 0) return;
    std::byte* whole = (concat_ ? context.outputs[0] : context.inputs[0]).as<std::byte>();
    for (const Operand& part : concat_ ? context.inputs : context.outputs) {
      const size_t bytes = part.view().bytes() / static_cast<size_t>(rows_);
      if (concat_)
        kernels::copy_rows(whole, pitch_, part.data, bytes, rows_, bytes);
      else
        kernels::copy_rows(part.data, bytes, whole, pitch_, rows_, bytes);
      whole += bytes;
    }
  }
  std::string_view kernel() const override { return "copy_rows"; }

 private:
  bool concat_;
  int64_t rows_ = 0;
  size_t pitch_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_concat(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<JoinStep>(true);
}

std::unique_ptr<Step> make_split(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<JoinStep>(false);
}

}  // namespace nibble::run
