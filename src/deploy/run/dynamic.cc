#include <algorithm>

#include "deploy/run/session_impl.h"

namespace nibble::run {

/// The nodes whose shapes depend on run-time values: inferred, prepared, allocated and run one by
/// one; a tensor is freed after its last reader.
Status Session::Impl::run_dynamic() {
  owned_bytes = 0;
  const auto release = [&](size_t n, int tensor) {
    if (tensor == model::kNoTensor || last_use[static_cast<size_t>(tensor)] > n) return;
    Value& v = value(tensor);
    if (v.home != Home::kOwned || v.owner == nullptr) return;
    if (v.owner.use_count() == 1) owned_bytes -= v.owner->bytes();
    v.owner.reset();
  };
  std::vector<Operand> list;
  for (size_t n = first_dynamic; n < model->nodes.size(); ++n) {
    const Result<bool> inferred = infer(n, true);
    if (!inferred.ok()) return inferred.status();
    if (is_alias(n)) {
      make_alias(n);
    } else {
      NIBBLE_RETURN_IF_ERROR(prepare_step(n, true));
      allocate_outputs(n, Home::kOwned);
      for (int tensor : node(n).outputs)
        if (tensor != model::kNoTensor) owned_bytes += value(tensor).owner->bytes();
      peak_owned_bytes = std::max(peak_owned_bytes, owned_bytes);
      list.clear();
      append_operands(n, true, /*preparing=*/false, list);
      const auto all = std::span<const Operand>(list);
      const size_t ins = node(n).inputs.size();
      computed[n] = 1;
      NIBBLE_RETURN_IF_ERROR(
          run_step({n, steps[n].get(), &pool_of(n), all.first(ins), all.subspan(ins)}));
    }
    observe(n);
    for (int tensor : node(n).inputs) release(n, tensor);
    for (int tensor : node(n).outputs) release(n, tensor);
  }
  for (size_t i = 0; i < model->outputs.size(); ++i) {
    const Value& v = value(model->outputs[i]);
    if (v.home == Home::kInput &&
        (output_copies[i].data() == nullptr || output_copies[i].shape() != v.shape))
      output_copies[i] = Tensor(v.dtype, v.shape);
  }
  return {};
}

}  // namespace nibble::run
