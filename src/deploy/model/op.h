#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nibble::model {

/// Every operation nibble knows (ops.inc). Closed: code that branches on it uses a switch without a
/// default.
enum class Op : uint16_t {
#define NIBBLE_OP(name, ...) k##name,
#include "deploy/model/ops.inc"
#undef NIBBLE_OP
};

struct OpInfo {
  std::string_view name;  // ONNX's name where ONNX has the op
  int min_inputs;
  int max_inputs;   // -1: any number
  int max_outputs;  // -1: any number
  std::string_view summary;
};

int op_count();
const OpInfo& info_of(Op op);
inline std::string_view name_of(Op op) {
  return info_of(op).name;
}
std::optional<Op> op_from_name(std::string_view name);

}  // namespace nibble::model
