#include "deploy/run/steps/integers.h"

#include <string>

namespace nibble::run {

Result<std::vector<int64_t>> known_integers(std::span<const Operand> inputs, size_t i) {
  if (i >= inputs.size() || !inputs[i].present()) return std::vector<int64_t>();
  const Operand& operand = inputs[i];
  const auto n = static_cast<size_t>(operand.shape.size());
  if (n == 0) return std::vector<int64_t>();
  if (operand.data == nullptr) return unsupported("needs the value of input " + std::to_string(i));
  if (operand.dtype == DType::kI64)
    return std::vector<int64_t>(operand.as<int64_t>(), operand.as<int64_t>() + n);
  if (operand.dtype == DType::kI32)
    return std::vector<int64_t>(operand.as<int32_t>(), operand.as<int32_t>() + n);
  return invalid_argument("expects integers (i64) as input " + std::to_string(i) + ", found " +
                          std::string(name_of(operand.dtype)));
}

}  // namespace nibble::run
