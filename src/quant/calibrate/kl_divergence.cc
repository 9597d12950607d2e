#include "quant/calibrate/kl_divergence.h"

#include <cmath>
#include <limits>
#include <vector>

namespace nibble::calibrate {
namespace {

constexpr double kSmoothing = 1e-4;

/// Prefix sums over bins: entry i is the sum over the first i.
struct Prefix {
  std::vector<double> count, count_log, nonzero;

  explicit Prefix(std::span<const double> h)
      : count(h.size() + 1), count_log(h.size() + 1), nonzero(h.size() + 1) {
    for (size_t i = 0; i < h.size(); ++i) {
      count[i + 1] = count[i] + h[i];
      count_log[i + 1] = count_log[i] + (h[i] > 0 ? h[i] * std::log(h[i]) : 0);
      nonzero[i + 1] = nonzero[i] + (h[i] > 0);
    }
  }
};

/// Divergence for the first n bins; infinite when all counts lie beyond.
double divergence(std::span<const double> h, const Prefix& prefix, size_t n, size_t levels) {
  const double total = prefix.count.back(), kept = prefix.count[n], clipped = total - kept;
  if (kept <= 0) return std::numeric_limits<double>::infinity();
  const bool last_only_clipped = h[n - 1] == 0 && clipped > 0;  // P has the bin, Q lacks it
  const auto bins = static_cast<double>(n);
  const double q_keeps = 1 - kSmoothing * (bins - prefix.nonzero[n]);
  const double p_keeps = 1 - kSmoothing * (bins - prefix.nonzero[n] - (last_only_clipped ? 1 : 0));

  // sum P ln P, unnormalised: the clipped counts change the last bin alone.
  const double last = h[n - 1] + clipped;
  double p_log_p = prefix.count_log[n - 1];
  double p_in_q = kept;  // counts of P in bins that Q has
  if (!last_only_clipped) {
    p_log_p += last > 0 ? last * std::log(last) : 0;
    p_in_q = total;
  }
  double p_log_q = 0;
  const size_t group = n / levels;
  for (size_t m = 0; m < levels; ++m) {
    const size_t first = m * group, end = m + 1 == levels ? n : first + group;
    const double sum = prefix.count[end] - prefix.count[first];
    if (sum <= 0) continue;
    const double level = sum / (prefix.nonzero[end] - prefix.nonzero[first]);
    const bool takes_clipped = end == n && !last_only_clipped;
    p_log_q += (sum + (takes_clipped ? clipped : 0)) * std::log(level);
  }
  // ln(P'/Q') = ln(p_keeps / q_keeps) + ln(P / total) - ln(Q / kept).
  const double shift = std::log(p_keeps / q_keeps) - std::log(total / kept);
  double d = p_keeps * (p_log_p - p_log_q + p_in_q * shift) / total;
  if (last_only_clipped) {
    const double p = p_keeps * clipped / total;
    d += p * std::log(p / kSmoothing);
  }
  return d;
}

}  // namespace

size_t kl_threshold(std::span<const double> histogram, size_t levels) {
  const Prefix prefix(histogram);
  size_t best = histogram.size();
  double least = std::numeric_limits<double>::infinity();
  for (size_t n = levels; n <= histogram.size(); ++n) {
    const double d = divergence(histogram, prefix, n, levels);
    if (d <= least && std::isfinite(d)) {
      least = d;
      best = n;
    }
  }
  return best;
}

}  // namespace nibble::calibrate
