#pragma once

#include <memory>

#include "deploy/base/status.h"
#include "deploy/kernels/matmul/window.h"
#include "deploy/run/step.h"

namespace nibble::run {

/// The windows of a QConv, or those of a QGemm: one pixel a row. Checks that the packed weights are
/// what the node asks for.
Result<kernels::Windows> qproduct_windows(const PrepareContext& context);

/// QConv and QGemm of i8 codes to i8 codes: panels of 8-bit weights (narrower ones are unpacked
/// while preparing), one product a group.
std::unique_ptr<Step> make_qproduct_s8();
/// QConv of i8 codes to i8 codes, one filter a channel.
std::unique_ptr<Step> make_qdepthwise_s8();
/// QConv and QGemm of any containers, i16 included; int64 sums, not tuned.
std::unique_ptr<Step> make_qproduct_any();

}  // namespace nibble::run
