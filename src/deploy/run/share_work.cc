#include "deploy/run/share_work.h"

namespace nibble::run {
namespace {

// A second thread pays above this, on the networks of MLPerf Tiny.
constexpr double kLeastSeconds = 5e-6;
constexpr double kBytesPerSecond = 20e9;  // of a step that computes next to nothing, in cache

/// Multiply-accumulates a second of one core in layers of a few microseconds, which stay well below
/// the peak.
double macs_per_second(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return 1e9;
    case Isa::kAvx2:
    case Isa::kNeon:
      return 40e9;
    case Isa::kAvx512bw:
    case Isa::kDotprod:
      return 80e9;
    case Isa::kAvxVnni:
    case Isa::kI8mm:
      return 120e9;
    case Isa::kAvx512vnni:
      return 200e9;
    case Isa::kAmx:
      return 600e9;
  }
  return 1e9;
}

}  // namespace

bool worth_sharing(double macs, double bytes, Isa isa) {
  return macs / macs_per_second(isa) + bytes / kBytesPerSecond >= kLeastSeconds;
}

}  // namespace nibble::run
