#include "deploy/run/steps/fused_clip.h"

namespace nibble::run {

FusedClip::FusedClip(const model::Attributes& attributes, Isa isa) {
  using model::Attr;
  bounds_ = {attributes.get_float(Attr::clip_min, bounds_.a),
             attributes.get_float(Attr::clip_max, bounds_.b)};
  if (attributes.has(Attr::clip_min) || attributes.has(Attr::clip_max))
    kernel_ = kernels::float_kernels(isa)[kernels::Unary::kClip];
}

}  // namespace nibble::run
