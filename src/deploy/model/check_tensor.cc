#include <string>

#include "deploy/model/check.h"

namespace nibble::model {
namespace {

std::string number(int64_t n) {
  return std::to_string(n);
}

Status check_shape(const TensorInfo& t) {
  // Bytes of the elements below 2^48: no product of sizes overflows afterwards.
  int64_t limit = (int64_t{1} << 48) / static_cast<int64_t>(size_of(t.dtype));
  for (int64_t dim : t.shape.dims()) {
    if (dim == kUnknownDim && !t.is_constant) continue;
    if (dim < 0) return corrupt("dimension " + number(dim) + "; expected 0 or more");
    if (dim > limit) return corrupt("shape " + to_string(t.shape) + " is too large");
    if (dim > 0) limit /= dim;
  }
  return {};
}

Status check_packed(const TensorInfo& t) {
  NIBBLE_RETURN_IF_ERROR(format::check(t.packed));
  const format::PackedRecord& r = t.packed;
  if (!t.is_constant) return corrupt("packed, but not a constant");
  if (t.dtype != DType::kI8 && t.dtype != DType::kU8)
    return corrupt("packed codes of type " + std::string(name_of(t.dtype)) + "; expected i8 or u8");
  const int rank = t.shape.rank();
  const int64_t kw = rank > 2 ? t.shape[rank - 2] : 1;
  const bool joined = rank > 2 && r.format != format::FormatId::kDepthwise && r.groups == 1 &&
                      r.kw == 1 && t.shape[rank - 1] < format::kChannelMultiple &&
                      r.c <= format::kMostJoinedTaps && r.c == kw * t.shape[rank - 1];
  const bool matches = rank >= 2 && r.groups * r.n == t.shape[0] &&
                       (joined || (r.c == t.shape[rank - 1] && r.kw == kw)) &&
                       r.kh == (rank > 2 ? t.shape.size(1, rank - 2) : 1);
  if (!matches)
    return corrupt("packed record of " + number(r.groups) + " x " + number(r.n) + "x" +
                   number(r.kh) + "x" + number(r.kw) + "x" + number(r.c) + " does not fit shape " +
                   to_string(t.shape));
  return {};
}

Status check(const TensorInfo& t) {
  NIBBLE_RETURN_IF_ERROR(check_shape(t));
  if (t.quant)
    if (Status s = numeric::check(*t.quant, t.shape); !s.ok()) return corrupt(s.message());
  if (t.packed.format != format::FormatId::kPlain) NIBBLE_RETURN_IF_ERROR(check_packed(t));
  return {};
}

}  // namespace

std::string quoted(const char* what, const std::string& name) {
  constexpr size_t kLongest = 120;
  std::string text = std::string(what) + " '";
  for (char c : name.substr(0, kLongest))
    text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return text + (name.size() > kLongest ? "...'" : "'");
}

Status check_tensor(const TensorInfo& tensor) {
  Status status = check(tensor);
  if (status.ok()) return status;
  return {status.code(), quoted("tensor", tensor.name) + ": " + status.message()};
}

}  // namespace nibble::model
