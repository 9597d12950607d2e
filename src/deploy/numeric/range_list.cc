#include "deploy/numeric/range_list.h"

namespace nibble::numeric {
namespace {

constexpr RangeInfo kRanges[] = {
#define NIBBLE_RANGE(kind, name, codes, scale, source) \
  {RangeKind::kind, #name, codes, scale, source},
#include "deploy/numeric/ranges.inc"
#undef NIBBLE_RANGE
};

}  // namespace

std::span<const RangeInfo> ranges() {
  return kRanges;
}

std::string_view name_of(RangeKind range) {
  switch (range) {
#define NIBBLE_RANGE(kind, name, codes, scale, source) \
  case RangeKind::kind:                                \
    return #name;
#include "deploy/numeric/ranges.inc"
#undef NIBBLE_RANGE
  }
  __builtin_unreachable();
}

}  // namespace nibble::numeric
