#include "deploy/model/op.h"

#include <iterator>

namespace nibble::model {
namespace {

constexpr OpInfo kOps[] = {
#define NIBBLE_OP(name, min_inputs, max_inputs, max_outputs, summary) \
  {#name, min_inputs, max_inputs, max_outputs, summary},
#include "deploy/model/ops.inc"
#undef NIBBLE_OP
};

}  // namespace

int op_count() {
  return static_cast<int>(std::size(kOps));
}

const OpInfo& info_of(Op op) {
  return kOps[static_cast<size_t>(op)];
}

std::optional<Op> op_from_name(std::string_view name) {
  for (int i = 0; i < op_count(); ++i)
    if (kOps[i].name == name) return static_cast<Op>(i);
  return std::nullopt;
}

}  // namespace nibble::model
