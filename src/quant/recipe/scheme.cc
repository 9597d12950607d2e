#include "quant/recipe/scheme.h"

#include <charconv>

#include "quant/graph/error.h"

namespace nibble::recipe {
namespace {

/// Reads one scheme from left to right; every fault ends in the same message, with the grammar.
class SchemeParser {
 public:
  explicit SchemeParser(std::string_view text) : whole_(text), rest_(text) {}

  Scheme parse() {
    Scheme scheme;
    expect('W', "'W' and the weight bits");
    if (accept("T")) {
      scheme.ternary = true;
      scheme.weight_bits = 2;
    } else {
      scheme.weight_bits = static_cast<int>(number("weight bits 1 to 8 or T", 1, 8));
    }
    expect('A', "'A' and the activation bits");
    if (accept("I16")) {
      scheme.activations = Scheme::Activations::kInt16;
      scheme.act_bits = 16;
    } else {
      const int64_t bits = number("activation bits 1 to 8, 16 or I16", 1, 16);
      if (bits > 8 && bits < 16) fail("activation bits 1 to 8, 16 or I16");
      if (bits == 16) scheme.activations = Scheme::Activations::kFloat;
      scheme.act_bits = static_cast<int>(bits);
    }
    if (accept("G")) scheme.group = number("a block length of at least 1", 1, int64_t{1} << 31);
    if (accept("_SYM"))
      scheme.symmetric = true;
    else if (accept("_ASYM"))
      scheme.symmetric = false;
    if (!rest_.empty()) fail("the end, G<block length>, _SYM or _ASYM");
    return scheme;
  }

 private:
  [[noreturn]] void fail(const std::string& expected) const {
    const std::string found = rest_.empty() ? "the end" : "'" + std::string(rest_) + "'";
    throw Error(ErrorKind::kUsage,
                "scheme '" + std::string(whole_) + "': found " + found + ", expected " + expected +
                    " (W<1..8|T>A<1..8|16|I16>[G<block>][_SYM|_ASYM], such as W4A8 or W4A16G128)");
  }
  bool accept(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void expect(char letter, const char* expected) {
    if (!accept(std::string_view(&letter, 1))) fail(expected);
  }
  int64_t number(const char* expected, int64_t low, int64_t high) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    // A leading zero would give one scheme two spellings.
    if (error != std::errc() || rest_[0] == '0' || value < low || value > high) fail(expected);
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return value;
  }

  std::string_view whole_, rest_;
};

}  // namespace

Scheme parse_scheme(std::string_view text) {
  return SchemeParser(text).parse();
}

std::string to_string(const Scheme& scheme) {
  std::string text = "W" + (scheme.ternary ? "T" : std::to_string(scheme.weight_bits)) + "A";
  switch (scheme.activations) {
    case Scheme::Activations::kInt:
      text += std::to_string(scheme.act_bits);
      break;
    case Scheme::Activations::kFloat:
      text += "16";
      break;
    case Scheme::Activations::kInt16:
      text += "I16";
      break;
  }
  if (scheme.group > 0) text += "G" + std::to_string(scheme.group);
  if (scheme.symmetric) text += *scheme.symmetric ? "_SYM" : "_ASYM";
  return text;
}

std::span<const SchemeForm> scheme_forms() {
  static constexpr SchemeForm kForms[] = {
      {"W<w>A<a>", "w-bit weights per channel, a-bit activations, 1 to 8; first and last layers 8"},
      {"W1A<a>", "binary weights +-mean|w|"},
      {"WTA<a>", "ternary weights {-s, 0, s}, the best s"},
      {"W<w>A1", "1-bit activations: codes {0, 1} where the range is one-sided, else {-1, +1}"},
      {"W<w>A16", "weight-only: activations stay float"},
      {"W<w>AI16", "16-bit integer activations, symmetric"},
      {"...G<g>", "weight scales per block of g along K (Gemm, MatMul, 1x1 convolution)"},
      {"..._SYM, ..._ASYM", "symmetric (default) or asymmetric weights"}};
  return kForms;
}

numeric::RangeKind default_weight_range(int bits, bool symmetric) {
  if (!symmetric) return numeric::RangeKind::kAsymmetric;
  return bits >= 5 ? numeric::RangeKind::kRestricted : numeric::RangeKind::kFull;
}

}  // namespace nibble::recipe
