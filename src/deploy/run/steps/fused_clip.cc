#include "deploy/run/steps/fused_clip.h"

#include <limits>

namespace nibble::run {

FusedClip::FusedClip(const model::Attributes& attributes, Isa isa) {
  using model::Attr;
  constexpr float kInf = std::numeric_limits<float>::infinity();
  bounds_ = {attributes.get_float(Attr::clip_min, -kInf),
             attributes.get_float(Attr::clip_max, kInf)};
  if (attributes.has(Attr::clip_min) || attributes.has(Attr::clip_max))
    kernel_ = kernels::float_kernels(isa)[kernels::Unary::kClip];
}

}  // namespace nibble::run
