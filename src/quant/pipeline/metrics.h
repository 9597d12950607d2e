#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "deploy/base/tensor.h"

namespace nibble::pipeline {

/// Classification or language metrics of one model's first output against labels, summed over
/// batches.
class LabelMetric {
 public:
  explicit LabelMetric(bool language) : language_(language) {}
  /// `logits` [N, classes] (or [N, T, vocabulary] for language), labels N (or N * T). Throws
  /// Error(kData) where the counts disagree or a label is not a class. NaN logits never count as
  /// right.
  void add(const TensorView& logits, std::span<const int64_t> labels);

  std::string name() const { return language_ ? "perplexity" : "top1"; }
  /// Top-1 as a fraction, or perplexity exp(mean -ln p(label)), p by softmax in binary64.
  double value() const;
  /// Top-5 as a fraction; empty with fewer than five classes or for language.
  std::optional<double> top5() const;

 private:
  bool language_;
  bool has_top5_ = false;
  int64_t count_ = 0, top1_ = 0, top5_ = 0;
  double negative_log_likelihood_ = 0;
};

/// 10 log10(sum ref^2 / sum (ref - x)^2) in dB over everything added; infinity where all is equal.
/// Non-finite differences make it -infinity.
class Sqnr {
 public:
  void add(std::span<const float> reference, std::span<const float> values);
  double db() const;

 private:
  double signal_ = 0, noise_ = 0;
};

/// Share of samples whose prediction (index of the largest logit along the last axis, the first of
/// equals) is the same.
class Agreement {
 public:
  void add(const TensorView& a, const TensorView& b);
  double value() const {
    return count_ ? static_cast<double>(equal_) / static_cast<double>(count_) : 0;
  }

 private:
  int64_t count_ = 0, equal_ = 0;
};

}  // namespace nibble::pipeline
