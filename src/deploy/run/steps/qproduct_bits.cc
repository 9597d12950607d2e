#include <vector>

#include "deploy/kernels/matmul/row_sums.h"
#include "deploy/kernels/simd/select.h"
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
    pack(record, weights.as<const std::byte>(), w);

    plan_ = kernels::WindowPlan(w, w.channels);
    words_ = kernels::WindowPlan(over_words(plan_), (w.channels + 63) / 64);
    row_sums_ = kernels::RowSums(plan_);
    sums_ = kernels::select(kernels::matmul_s8_variants(), context.isa).core->sums;
    padding_ = static_cast<int8_t>(context.node.attributes.get_int(model::Attr::x_zero, 0));

    const HeldCodes codes = HeldCodes::of(context.inputs[0]);
    problem_.w_planes = record.bits;
    problem_.a_planes = codes.bits();
    problem_.a_signed = codes.lo < 0;
    problem_.n = record.n;
    problem_.a_plane = plan_.pixels() * words_.channels_stored();

    planes_at_ = align_up(static_cast<size_t>(plan_.copy_size()));
    sums_at_ = planes_at_ + align_up(static_cast<size_t>(problem_.a_planes * problem_.a_plane) * 8);
    sums_scratch_at_ = sums_at_ + align_up(static_cast<size_t>(row_sums_.size()) * 4);
    context.scratch_bytes = sums_scratch_at_ + static_cast<size_t>(row_sums_.scratch_size()) * 4;
    macs_ = static_cast<double>(plan_.rows().count()) *
            static_cast<double>(record.n * w.taps() * w.channels);
    return {};
  }

  void run(const RunContext& context) override {
    const int8_t* image = context.inputs[0].as<int8_t>();
    if (plan_.copies()) {
      auto* copy = reinterpret_cast<int8_t*>(context.scratch);
      plan_.copy(image, padding_, copy, context.pool);
      image = copy;
    }
    auto* sums = reinterpret_cast<int32_t*>(context.scratch + sums_at_);
    row_sums_.run(sums_, image, reinterpret_cast<int32_t*>(context.scratch + sums_scratch_at_),
                  sums, context.pool);
    auto* planes = reinterpret_cast<uint64_t*>(context.scratch + planes_at_);
    const int64_t channels = plan_.windows().channels, words = words_.channels_stored();
    context.pool.parallel_for(
        plan_.pixels(), kGrainCodes / channels + 1, [&](int64_t begin, int64_t end) {
          variant_->planes(image + begin * channels, end - begin, channels, problem_.a_planes,
                           problem_.a_plane, planes + begin * words);
        });
    kernels::BitSerial problem = problem_;
    problem.w = reinterpret_cast<const uint64_t*>(weights_.data());
    problem.output = constants_.output(0);
    problem.output.sum_shift = sum_shift_;
    kernels::bitserial(*variant_, problem, words_.rows(), planes, sums,
                       context.outputs[0].as<int8_t>(), residual_of(context.inputs), problem.n,
                       context.pool, context.copy);
  }

  std::string_view kernel() const override { return variant_->name; }
  double macs() const override { return macs_; }

 private:
  static constexpr int64_t kGrainCodes = 64 * 1024;

  /// The working copy of the weights, made once.
  void pack(const format::PackedRecord& record, const std::byte* stream, const Windows& w) {
    if (stream == stream_) return;
    stream_ = stream;
    std::vector<uint8_t> codes(static_cast<size_t>(format::code_count(record)));
    format::unpack_to_rows(record, stream, codes);
    const int64_t words = kernels::bitserial_words(record.bits, record.n, w.taps(), w.channels);
    weights_ = Buffer(static_cast<size_t>(words) * 8);
    kernels::pack_bitserial(codes.data(), record.bits, record.n, w.taps(), w.channels,
                            reinterpret_cast<uint64_t*>(weights_.data()));
  }

  const kernels::BitSerialVariant* variant_;
  kernels::BitSerial problem_;
  RequantiseConstants constants_;
  const std::byte* stream_ = nullptr;
  Buffer weights_;
  kernels::WindowPlan plan_, words_;  // the image as codes, and as words
  kernels::RowSums row_sums_;
  kernels::SumsS8Core* sums_ = nullptr;
  int8_t padding_ = 0;
  int32_t sum_shift_ = 0;
  size_t planes_at_ = 0, sums_at_ = 0, sums_scratch_at_ = 0;
  double macs_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_qproduct_bits(const kernels::BitSerialVariant& variant) {
  return std::make_unique<QProductBits>(variant);
}

}  // namespace nibble::run
