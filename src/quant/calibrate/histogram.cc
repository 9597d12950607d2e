#include "quant/calibrate/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nibble::calibrate {
namespace {

constexpr int kSideBits = 13;
static_assert(Histogram::kSide == 1 << kSideBits);
/// 1 / width must be a normal binary32, so that x / width is an exact product.
constexpr int kLeastExponent = -126;

/// Least exponent with magnitude < kSide * 2^exponent.
int exponent_for(float magnitude) {
  if (magnitude == 0) return kLeastExponent;
  return std::max(std::ilogb(magnitude) + 1 - kSideBits, kLeastExponent);
}

}  // namespace

double Histogram::width() const {
  return std::ldexp(1.0, exponent_);
}

Histogram::Bin Histogram::magnitude_bin(int32_t i) const {
  if (i == 0) return {std::abs(bin(0).sum), bin(0).count};
  return {bin(i).sum - bin(-i).sum, bin(i).count + bin(-i).count};
}

void Histogram::add(std::span<const float> values, float magnitude) {
  widen_to(exponent_for(magnitude));
  const float inverse = std::ldexp(1.0f, -exponent_);
  Bin* middle = bins_.data() + kSide;
  constexpr size_t kBlock = 256;
  int32_t index[kBlock];
  for (size_t first = 0; first < values.size(); first += kBlock) {
    const auto block = values.subspan(first, std::min(kBlock, values.size() - first));
    // Two loops: the first vectorises, the second scatters.
    for (size_t i = 0; i < block.size(); ++i) index[i] = static_cast<int32_t>(block[i] * inverse);
    for (size_t i = 0; i < block.size(); ++i) {
      Bin& bin = middle[index[i]];
      bin.sum += block[i];
      ++bin.count;
    }
  }
}

void Histogram::merge(const Histogram& other) {
  if (other.empty()) return;
  Histogram same_width = other;
  same_width.widen_to(empty() ? other.exponent_ : std::max(exponent_, other.exponent_));
  widen_to(same_width.exponent_);
  for (size_t i = 0; i < bins_.size(); ++i) {
    bins_[i].sum += same_width.bins_[i].sum;
    bins_[i].count += same_width.bins_[i].count;
  }
}

/// Makes bins at least 2^exponent wide. trunc(trunc(v) / 2^k) = trunc(v / 2^k), so old bins fall
/// whole into new ones.
void Histogram::widen_to(int exponent) {
  if (bins_.empty()) {
    bins_.resize(2 * kSide);
    exponent_ = exponent;
  }
  if (exponent <= exponent_) return;
  const int shift = std::min(exponent - exponent_, kSideBits);
  std::vector<Bin> wider(bins_.size());
  for (int32_t i = 1 - kSide; i < kSide; ++i) {
    const Bin& from = bins_[static_cast<size_t>(i + kSide)];
    Bin& to = wider[static_cast<size_t>(i / (1 << shift) + kSide)];
    to.sum += from.sum;
    to.count += from.count;
  }
  bins_ = std::move(wider);
  exponent_ = exponent;
}

}  // namespace nibble::calibrate
