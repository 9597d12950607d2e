#include "quant/pipeline/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "quant/graph/error.h"

namespace nibble::pipeline {
namespace {

/// Splits a tensor into rows along its last axis.
struct Rows {
  explicit Rows(const TensorView& t)
      : data(t.as<float>()),
        length(t.shape.rank() ? t.shape[t.shape.rank() - 1] : 1),
        count(length ? t.size() / length : 0) {
    if (t.dtype != DType::kF32)
      throw Error(ErrorKind::kData, "the model's first output is " + std::string(name_of(t.dtype)) +
                                        ", expected f32 to measure accuracy");
  }
  std::span<const float> operator[](int64_t i) const {
    return {data + i * length, static_cast<size_t>(length)};
  }
  const float* data;
  int64_t length, count;
};

/// How many elements beat element `label`; equal elements with a lower index count as beating it,
/// NaN beats everything.
int64_t rank_of(std::span<const float> row, int64_t label) {
  const float mine = row[label];
  int64_t ahead = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(row.size()); ++i)
    if (i != label && (!(row[i] <= mine) || (row[i] == mine && i < label))) ++ahead;
  return std::isnan(mine) ? static_cast<int64_t>(row.size()) : ahead;
}

double negative_log_softmax(std::span<const float> row, int64_t label) {
  const double top = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (float v : row) sum += std::exp(v - top);
  return std::log(sum) + top - row[label];
}

}  // namespace

void LabelMetric::add(const TensorView& logits, std::span<const int64_t> labels) {
  const Rows rows(logits);
  if (rows.count != static_cast<int64_t>(labels.size()))
    throw Error(ErrorKind::kData, "the first output " + to_string(logits.shape) + " holds " +
                                      std::to_string(rows.count) + " predictions for " +
                                      std::to_string(labels.size()) + " labels");
  has_top5_ = rows.length >= 5 && !language_;
  for (int64_t i = 0; i < rows.count; ++i) {
    const int64_t label = labels[static_cast<size_t>(i)];
    if (label < 0 || label >= rows.length)
      throw Error(ErrorKind::kData, "label " + std::to_string(label) +
                                        " is not one of the model's " +
                                        std::to_string(rows.length) + " classes");
    if (language_) {
      negative_log_likelihood_ += negative_log_softmax(rows[i], label);
    } else {
      const int64_t rank = rank_of(rows[i], label);
      top1_ += rank == 0;
      top5_ += rank < 5;
    }
    ++count_;
  }
}

double LabelMetric::value() const {
  const double n = static_cast<double>(std::max<int64_t>(count_, 1));
  return language_ ? std::exp(negative_log_likelihood_ / n) : static_cast<double>(top1_) / n;
}

std::optional<double> LabelMetric::top5() const {
  if (!has_top5_ || count_ == 0) return std::nullopt;
  return static_cast<double>(top5_) / static_cast<double>(count_);
}

void Sqnr::add(std::span<const float> reference, std::span<const float> values) {
  for (size_t i = 0; i < reference.size(); ++i) {
    const double r = reference[i], d = r - values[i];
    signal_ += r * r;
    noise_ += d * d;
  }
}

double Sqnr::db() const {
  if (!std::isfinite(noise_)) return -std::numeric_limits<double>::infinity();
  if (noise_ == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal_ / noise_);
}

void Agreement::add(const TensorView& a, const TensorView& b) {
  const Rows ra(a), rb(b);
  if (ra.length != rb.length || ra.count != rb.count)
    throw Error(ErrorKind::kData, "outputs " + to_string(a.shape) + " and " + to_string(b.shape) +
                                      " cannot be compared");
  for (int64_t i = 0; i < ra.count; ++i) {
    const auto top = [](std::span<const float> row) {
      return std::max_element(row.begin(), row.end()) - row.begin();
    };
    equal_ += top(ra[i]) == top(rb[i]);
    ++count_;
  }
}

}  // namespace nibble::pipeline
