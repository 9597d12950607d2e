// "synthetic:SEED": the built-in generator of labelled pictures (glyphs.h), 10,000 of them unless
// samples= or range= asks for others. Sample i depends on the seed and on i alone.
#include <algorithm>
#include <charconv>

#include "quant/data/glyphs.h"
#include "quant/graph/error.h"

namespace nibble::data {
namespace {

constexpr std::string_view kPrefix = "synthetic:";
constexpr int64_t kDefaultSize = 10000;

class SyntheticSource final : public Source {
 public:
  SyntheticSource(std::string path, uint64_t seed, int64_t size)
      : path_(std::move(path)), seed_(seed), size_(size) {}
  std::string format() const override {
    return "generated glyphs (seed " + std::to_string(seed_) + ")";
  }
  std::string unit() const override { return "images"; }
  int64_t size() const override { return size_; }
  std::string file_of(int64_t) const override { return path_; }
  bool has_labels() const override { return true; }
  void read_labels(int64_t index, std::span<int64_t> labels) override {
    labels[0] = sample(index).label;
  }
  bool is_images() const override { return true; }
  Image read_image(int64_t index) override { return sample(index).image; }

 private:
  /// The picture and then its label are asked for: the last sample is kept.
  const GlyphSample& sample(int64_t index) {
    if (index != last_index_) last_ = render_glyph(seed_, index);
    last_index_ = index;
    return last_;
  }

  std::string path_;
  uint64_t seed_;
  int64_t size_, last_index_ = -1;
  GlyphSample last_;
};

bool recognises(const OpenRequest& request) {
  return request.path.starts_with(kPrefix);
}

std::unique_ptr<Source> open(const OpenRequest& request) {
  const std::string digits = request.path.substr(kPrefix.size());
  uint64_t seed = 0;
  const char* end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, seed);
  if (result.ec != std::errc() || result.ptr != end)
    throw Error(ErrorKind::kUsage,
                "data spec '" + request.spec.text + "': expected synthetic:SEED, a whole number");
  if (request.spec.labels)
    throw Error(ErrorKind::kUsage,
                "data spec '" + request.spec.text + "': labels= does not apply to synthetic");
  const int64_t wanted = request.spec.first + request.spec.samples.value_or(0);
  return std::make_unique<SyntheticSource>(
      request.path, seed, request.spec.last.value_or(std::max(kDefaultSize, wanted)));
}

}  // namespace

const Reader k_reader_synthetic = {
    "generator", "synthetic:SEED, 32x32 colour pictures of 16 glyphs", recognises, open};

}  // namespace nibble::data
