#pragma once

#include <memory>
#include <vector>

#include "deploy/base/status.h"
#include "deploy/format/format.h"
#include "deploy/kernels/bitserial/bitserial.h"
#include "deploy/kernels/lookup/lookup.h"
#include "deploy/kernels/matmul/matmul.h"
#include "deploy/kernels/matmul/window.h"
#include "deploy/kernels/winograd/winograd_s8.h"
#include "deploy/run/step.h"

namespace nibble::run {

/// The windows of a QConv, or those of a QGemm: one pixel a row. Checks that the packed weights are
/// what the node asks for.
Result<kernels::Windows> qproduct_windows(const PrepareContext& context);

/// Whether the taps along the last axis make one run with the channels (format::with_joined_taps).
inline bool joins_taps(const format::PackedRecord& weights, const kernels::Windows& w) {
  return w.groups == 1 && weights.kw == 1 && w.kernel[2] > 1;
}

/// The codes that a tensor of i8 may hold, by its grid: -128..127 without one.
struct HeldCodes {
  int32_t lo = -128, hi = 127;

  static HeldCodes of(const Operand& x);
  int32_t largest_magnitude() const;
  /// Bits of a code: unsigned where none is negative, else in two's complement.
  int bits() const;
};

/// OutputS8::sum_shift of weights: binary ones, stored as u in {0, 1}, are 2u - 1.
inline int32_t sum_shift(const format::PackedRecord& weights) {
  return weights.spacing == 2 ? 1 : 0;
}

/// The codes u of packed weights, row-major [groups][n][taps][channels].
std::vector<uint8_t> unpacked_codes(const Operand& weights);

/// The code around the image.
int8_t padding_code(const PrepareContext& context);

/// The product that a node of packed weights asks a kernel of the matmul_s8 family for, less what
/// is known in a run.
kernels::MatmulS8 matmul_problem(const PrepareContext& context);

/// The codes that the output stage adds to the result; null: none.
inline const int8_t* residual_of(std::span<const Operand> inputs) {
  return inputs.size() > 6 && inputs[6].present() ? inputs[6].as<int8_t>() : nullptr;
}

/// QConv and QGemm of i8 codes to i8 codes: picks the kernel for the shape (kernels/choice).
std::unique_ptr<Step> make_qproduct_s8();
/// The same by a kernel of the matmul_s8 family: packed weights as they lie in the file.
std::unique_ptr<Step> make_qproduct_matmul(const kernels::MatmulS8Variant& variant);
/// The same of weights that joins_taps().
std::unique_ptr<Step> make_qproduct_gathered(const kernels::MatmulS8Variant& variant);
/// The same by counting bits; one group.
std::unique_ptr<Step> make_qproduct_bits(const kernels::BitSerialVariant& variant);
/// The same by tables of the activations; one group.
std::unique_ptr<Step> make_qproduct_lookup(const kernels::LookupVariant& variant);
/// QConv of windows that winograd_fits(), by Winograd's minimal filtering.
std::unique_ptr<Step> make_qproduct_winograd(const kernels::WinogradS8Variant& variant);
/// QConv of i8 codes to i8 codes, one filter a channel.
std::unique_ptr<Step> make_qdepthwise_s8();
/// QConv and QGemm of 16-bit codes, in or out.
std::unique_ptr<Step> make_qproduct_wide();
/// One filter a channel of any containers and with any number of taps; int64 sums, not tuned.
std::unique_ptr<Step> make_qproduct_any();

}  // namespace nibble::run
