#include <algorithm>
#include <array>
#include <vector>

#include "deploy/kernels/matmul/gather.h"
#include "deploy/kernels/matmul/matmul.h"
#include "deploy/kernels/requantise/sums.h"
#include "deploy/kernels/simd/select.h"
#include "deploy/run/steps/image_rows.h"
#include "deploy/run/steps/qproduct.h"
#include "deploy/run/steps/requantise_constants.h"

namespace nibble::run {
namespace {

/// Codes of 16 bits as two of 8, q = 256 high + low + 128: two products of 8 bits, whose sums are
/// put together modulo 2^32 (lowering proved that they fit). Codes of 8 bits are one product with
/// results of 16. One block of lines of the image at a time where taps are joined with channels
/// (qproduct_gathered.cc), else all.
class QProductWide : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const auto windows = qproduct_windows(context);
    if (!windows.ok()) return windows.status();
    windows_ = windows.value();
    const Operand& weights = context.inputs[1];
    record_ = weights.info->packed;
    NIBBLE_RETURN_IF_ERROR(constants_.prepare(context, windows_.groups, record_.offset));
    x_zero_ = static_cast<int32_t>(context.node.attributes.get_int(model::Attr::x_zero, 0));
    bytes_ = context.inputs[0].dtype == DType::kI16 ? 2 : 1;
    variant_ = &kernels::select(kernels::matmul_s8_variants(), context.isa);
    problem_ = matmul_problem(context);
    if (bytes_ == 2) problem_.a_max = 128;
    no_zeros_.assign(static_cast<size_t>(problem_.n_padded + kernels::kPanelS8), 0);
    problem_.output.w_zero = problem_.output.bias = no_zeros_.data();
    problem_.output.same_zero = true;
    fold_middle(weights);
    joins_ = joins_taps(record_, windows_);
    place(context);
    macs_ =
        static_cast<double>(windows_.batch * windows_.out[0] * windows_.out[1] * windows_.out[2]) *
        static_cast<double>(windows_.groups * record_.n * windows_.taps() * windows_.channels);
    return {};
  }

  void run(const RunContext& context) override {
    const std::array<const int8_t*, 2> images = split(context);
    std::array<Rows, 2> rows;
    if (joins_) {
      const int64_t line_rows = gather_.rows_of_a_line(), k = gather_.row_bytes();
      for (int64_t line = 0; line < gather_.lines(); line += block_) {
        const int64_t count = std::min(block_, gather_.lines() - line);
        const auto plan = kernels::RowPlan::matrix(count * line_rows, k, k);
        for (int b = 0; b < bytes_; ++b) rows[b] = gathered(context, images[b], b, line, count);
        product(context, plan, rows, 0, line * line_rows);
      }
      return;
    }
    for (int b = 0; b < bytes_; ++b) rows[b] = rows_[b].run(images[b], context);
    const kernels::RowPlan& plan = rows_[0].plan().rows();
    for (int64_t g = 0; g < windows_.groups; ++g) {
      product(context, plan, rows, g, 0);
      for (int b = 0; b < bytes_; ++b) rows[b].codes += record_.c_pad, rows[b].sums += plan.count();
    }
  }

  std::string_view kernel() const override { return variant_->name; }
  double macs() const override { return macs_; }

 private:
  static constexpr int64_t kBlockBytes = 1 << 20, kGrainCodes = 16 * 1024;

  using Rows = ImageRows::View;

  /// Adds to every bias what the 128 of a code of two bytes comes to: 128 sum_k (u - z).
  void fold_middle(const Operand& weights) {
    const int64_t channels = windows_.groups * record_.n;
    const std::vector<uint8_t> codes = unpacked_codes(weights);
    const int64_t k = static_cast<int64_t>(codes.size()) / std::max<int64_t>(channels, 1);
    bias_.resize(static_cast<size_t>(channels));
    for (int64_t c = 0; c < channels; ++c) {
      const auto row = codes.begin() + c * k;
      int64_t sum = 0;
      for (int64_t i = 0; i < k; ++i)
        sum += int64_t{record_.spacing} * row[i] - constants_.weight_zero(c);
      const int32_t bias = constants_.output(c / record_.n).bias[c % record_.n];
      bias_[static_cast<size_t>(c)] = static_cast<int32_t>(
          static_cast<uint32_t>(bias) + (bytes_ == 2 ? static_cast<uint32_t>(128 * sum) : 0));
    }
  }

  /// Places everything in the scratch memory.
  void place(PrepareContext& context) {
    kernels::RowPlan plan;
    if (joins_) {
      gather_ = kernels::GatherRows(windows_, record_.c_pad);
      block_ = gather_.lines_in(kBlockBytes);
      const int64_t k = gather_.row_bytes();
      plan = kernels::RowPlan::matrix(block_ * gather_.rows_of_a_line(), k, k);
    }
    for (int b = 0; b < bytes_; ++b) {
      Places& to = places_[b];
      if (bytes_ == 2) to.image = take_scratch(context, context.inputs[0].shape.size());
      if (joins_) {
        to.codes = take_scratch(context, plan.count() * gather_.row_bytes());
        to.row_sums = take_scratch(context, plan.count() * 4);
      } else {
        rows_[b] = ImageRows(kernels::WindowPlan(windows_, record_.c_pad), variant_->core->sums,
                             padding(b), context);
        plan = rows_[b].plan().rows();
      }
      to.sums = take_scratch(context, plan.count() * record_.n * 4);
    }
    workspace_at_ = take_scratch(context, static_cast<int64_t>(kernels::matmul_s8_workspace(
                                              *variant_, problem_, plan, context.threads)));
  }

  /// The image as bytes: low ones first.
  std::array<const int8_t*, 2> split(const RunContext& context) const {
    if (bytes_ == 1) return {context.inputs[0].as<int8_t>(), nullptr};
    auto* low = reinterpret_cast<int8_t*>(context.scratch + places_[0].image);
    auto* high = reinterpret_cast<int8_t*>(context.scratch + places_[1].image);
    const auto* image = context.inputs[0].as<int16_t>();
    context.pool.parallel_for(
        context.inputs[0].shape.size(), kGrainCodes, [&](int64_t begin, int64_t end) {
          kernels::split_bytes(image + begin, end - begin, high + begin, low + begin);
        });
    return {low, high};
  }

  int8_t padding(int byte) const {
    if (bytes_ == 1) return static_cast<int8_t>(x_zero_);
    return byte == 0 ? kernels::low_byte(x_zero_) : kernels::high_byte(x_zero_);
  }

  Rows gathered(const RunContext& context, const int8_t* image, int byte, int64_t line,
                int64_t count) const {
    auto* codes = reinterpret_cast<int8_t*>(context.scratch + places_[byte].codes);
    auto* sums = reinterpret_cast<int32_t*>(context.scratch + places_[byte].row_sums);
    const int64_t k = gather_.row_bytes();
    gather_.run(image, padding(byte), line, count, codes, context.pool);
    context.pool.parallel_for(
        count * gather_.rows_of_a_line(), kGrainCodes / k + 1, [&](int64_t begin, int64_t end) {
          variant_->core->sums(codes + begin * k, end - begin, k, sums + begin);
        });
    return {codes, sums};
  }

  /// Group g of the rows of a plan, the first of which is result `first`.
  void product(const RunContext& context, const kernels::RowPlan& plan,
               const std::array<Rows, 2>& rows, int64_t g, int64_t first) const {
    const int64_t group_bytes =
        static_cast<int64_t>(format::packed_bytes(record_)) / record_.groups;
    kernels::MatmulS8 problem = problem_;
    problem.b = context.inputs[1].as<const std::byte>() + g * group_bytes;
    for (int b = 0; b < bytes_; ++b)
      kernels::matmul_s8(*variant_, problem, plan,
                         {.a = rows[b].codes,
                          .row_sums = rows[b].sums,
                          .workspace = context.scratch + workspace_at_,
                          .sums = reinterpret_cast<int32_t*>(context.scratch + places_[b].sums)},
                         context.pool);
    if (context.outputs[0].dtype == DType::kI16)
      codes<int16_t>(context, plan.count(), rows, g, first);
    else
      codes<int8_t>(context, plan.count(), rows, g, first);
  }

  template <class Y>
  void codes(const RunContext& context, int64_t count, const std::array<Rows, 2>& rows, int64_t g,
             int64_t first) const {
    const int64_t n = record_.n, step = windows_.groups * n;
    kernels::OutputS8 output = constants_.output(g);
    output.bias = bias_.data() + g * n;
    output.sum_shift = sum_shift(record_);
    const auto* low = reinterpret_cast<const int32_t*>(context.scratch + places_[0].sums);
    const auto* high = reinterpret_cast<const int32_t*>(context.scratch + places_[1].sums);
    Y* y = context.outputs[0].as<Y>() + first * step + g * n;
    context.pool.parallel_for(count, kGrainCodes / n + 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        auto sum = static_cast<uint32_t>(rows[0].sums[i]);
        if (bytes_ == 2) sum += static_cast<uint32_t>(rows[1].sums[i]) << 8;
        kernels::codes_of_sums<Y>({.low = low + i * n,
                                   .high = bytes_ == 2 ? high + i * n : nullptr,
                                   .row_sum = static_cast<int32_t>(sum)},
                                  output, 0, n, y + i * step);
      }
    });
  }

  /// Where the scratch memory of one byte of the codes begins: `codes` and `row_sums` of gathered
  /// rows.
  struct Places {
    size_t image = 0, codes = 0, row_sums = 0, sums = 0;
  };

  kernels::Windows windows_;
  format::PackedRecord record_;
  RequantiseConstants constants_;
  std::vector<int32_t> bias_;      // [groups][n]
  std::vector<int32_t> no_zeros_;  // the sums are those of the codes as they are
  kernels::MatmulS8 problem_;
  std::array<ImageRows, 2> rows_;  // of each byte, unless taps are joined
  kernels::GatherRows gather_;
  const kernels::MatmulS8Variant* variant_ = nullptr;
  int bytes_ = 1;
  bool joins_ = false;
  int64_t block_ = 1;  // lines
  int32_t x_zero_ = 0;
  std::array<Places, 2> places_;
  size_t workspace_at_ = 0;
  double macs_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_qproduct_wide() {
  return std::make_unique<QProductWide>();
}

}  // namespace nibble::run
