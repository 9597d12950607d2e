#include "quant/transform/transform.h"

#include <string>

#include "quant/graph/error.h"

namespace nibble::transform {

namespace method {
#define NIBBLE_METHOD(record, kind, summary, source) extern const Transform record;
#include "quant/transform/methods.inc"
#undef NIBBLE_METHOD
}  // namespace method

namespace {

Transform described(Transform record, std::string_view name, std::string_view summary,
                    std::string_view source) {
  record.name = name;
  record.summary = summary;
  record.source = source;
  return record;
}

}  // namespace

std::span<const Transform* const> transforms() {
#define NIBBLE_METHOD(record, kind, summary, source) \
  static const Transform record = described(method::record, #record, summary, source);
#include "quant/transform/methods.inc"
#undef NIBBLE_METHOD
  static const Transform* const kTransforms[] = {
#define NIBBLE_METHOD(record, kind, summary, source) &record,
#include "quant/transform/methods.inc"
#undef NIBBLE_METHOD
  };
  return kTransforms;
}

const Transform& transform_by_name(std::string_view name) {
  std::string valid;
  for (const Transform* transform : transforms()) {
    if (transform->name == name) return *transform;
    valid += (valid.empty() ? "" : ", ") + std::string(transform->name);
  }
  throw Error(ErrorKind::kUsage,
              "no transform '" + std::string(name) + "', expected one of: " + valid);
}

}  // namespace nibble::transform
