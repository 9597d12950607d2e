#pragma once

#include <memory>

#include "deploy/run/step.h"

namespace nibble::run {

/// Conv of binary32 with one constant filter a channel, of at most kMaxDepthwiseTaps taps.
std::unique_ptr<Step> make_depthwise_f32();

}  // namespace nibble::run
