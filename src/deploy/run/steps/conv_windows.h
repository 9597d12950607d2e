#pragma once

#include <span>

#include "deploy/base/status.h"
#include "deploy/kernels/matmul/window.h"
#include "deploy/run/step.h"

namespace nibble::run {

/// The windows of a Conv or QConv over a channels-last image x [N, spatial..., C] with filters
/// [O, spatial..., C / group]. Errors: data that is not channels last, more than three spatial
/// axes, channels that do not fit the groups.
Result<kernels::Windows> conv_windows(const PrepareContext& context);

}  // namespace nibble::run
