#include <vector>

#include "deploy/kernels/simd/select.h"
#include "deploy/run/steps/image_rows.h"
#include "deploy/run/steps/qproduct.h"
#include "deploy/run/steps/requantise_constants.h"

namespace nibble::run {
namespace {

using kernels::Windows;

/// The windows over an image of words: what `plan` speaks of, 64 channels a word.
Windows over_words(const kernels::WindowPlan& plan) {
  Windows w = plan.windows();
  w.in = plan.rows().size;
  w.pad = {0, 0, 0};
  w.channels = (w.channels + 63) / 64;
  return w;
}

class QProductBits : public Step {
 public:
  explicit QProductBits(const kernels::BitSerialVariant& variant) : variant_(&variant) {}

  Status prepare(PrepareContext& context) override {
    const auto windows = qproduct_windows(context);
    if (!windows.ok()) return windows.status();
    const Windows& w = windows.value();
    const Operand& weights = context.inputs[1];
    const format::PackedRecord& record = weights.info->packed;
    NIBBLE_RETURN_IF_ERROR(constants_.prepare(context, 1, record.offset));
    sum_shift_ = sum_shift(record);
    pack(weights, w);
    rows_ = ImageRows(kernels::WindowPlan(w, w.channels),
                      kernels::select(kernels::matmul_s8_variants(), context.isa).core->sums,
                      padding_code(context), context);
    words_ = kernels::WindowPlan(over_words(rows_.plan()), (w.channels + 63) / 64);

    const HeldCodes codes = HeldCodes::of(context.inputs[0]);
    problem_.w_planes = record.bits;
    problem_.a_planes = codes.bits();
    problem_.a_signed = codes.lo < 0;
    problem_.n = record.n;
    problem_.a_plane = rows_.plan().pixels() * words_.channels_stored();

    planes_at_ = take_scratch(context, problem_.a_planes * problem_.a_plane * 8);
    macs_ = static_cast<double>(rows_.plan().rows().count()) *
            static_cast<double>(record.n * w.taps() * w.channels);
    return {};
  }

  void run(const RunContext& context) override {
    const ImageRows::View rows = rows_.run(context.inputs[0].as<int8_t>(), context);
    auto* planes = reinterpret_cast<uint64_t*>(context.scratch + planes_at_);
    const int64_t channels = rows_.plan().windows().channels, words = words_.channels_stored();
    context.pool.parallel_for(
        rows_.plan().pixels(), kGrainCodes / channels + 1, [&](int64_t begin, int64_t end) {
          variant_->planes(rows.codes + begin * channels, end - begin, channels, problem_.a_planes,
                           problem_.a_plane, planes + begin * words);
        });
    kernels::BitSerial problem = problem_;
    problem.w = reinterpret_cast<const uint64_t*>(weights_.data());
    problem.output = constants_.output(0);
    problem.output.sum_shift = sum_shift_;
    kernels::bitserial(*variant_, problem, words_.rows(), planes, rows.sums,
                       context.outputs[0].as<int8_t>(), residual_of(context.inputs), problem.n,
                       context.pool, context.copy);
  }

  std::string_view kernel() const override { return variant_->name; }
  double macs() const override { return macs_; }

 private:
  static constexpr int64_t kGrainCodes = 64 * 1024;

  /// The working copy of the weights, made once.
  void pack(const Operand& weights, const Windows& w) {
    if (weights.as<const std::byte>() == stream_) return;
    stream_ = weights.as<const std::byte>();
    const format::PackedRecord& record = weights.info->packed;
    const int64_t words = kernels::bitserial_words(record.bits, record.n, w.taps(), w.channels);
    weights_ = Buffer(static_cast<size_t>(words) * 8);
    kernels::pack_bitserial(unpacked_codes(weights).data(), record.bits, record.n, w.taps(),
                            w.channels, reinterpret_cast<uint64_t*>(weights_.data()));
  }

  const kernels::BitSerialVariant* variant_;
  kernels::BitSerial problem_;
  RequantiseConstants constants_;
  const std::byte* stream_ = nullptr;
  Buffer weights_;
  ImageRows rows_;             // the image as codes
  kernels::WindowPlan words_;  // and as words
  int32_t sum_shift_ = 0;
  size_t planes_at_ = 0;
  double macs_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_qproduct_bits(const kernels::BitSerialVariant& variant) {
  return std::make_unique<QProductBits>(variant);
}

}  // namespace nibble::run
