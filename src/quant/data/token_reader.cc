// Token windows for language models (window=W): little-endian uint16 token numbers, W a sample.
// Inputs are the first W - 1 of a window, int64; the label of each is the token that follows it.
#include "quant/data/file.h"
#include "quant/data/source.h"
#include "quant/graph/error.h"

namespace nibble::data {
namespace {

class TokenSource final : public Source {
 public:
  TokenSource(const std::string& path, int64_t window) : file_(path), window_(window) {
    const int64_t bytes = 2 * window;
    if (file_.size() % bytes != 0)
      throw Error(ErrorKind::kData,
                  "holds " + std::to_string(file_.size()) + " bytes, expected a multiple of " +
                      std::to_string(bytes) + " (one window of " + std::to_string(window) +
                      " uint16 tokens)",
                  path);
  }

  std::string format() const override { return "tokens (uint16)"; }
  std::string unit() const override { return "windows"; }
  int64_t size() const override { return file_.size() / (2 * window_); }
  std::string file_of(int64_t) const override { return file_.path(); }
  bool has_labels() const override { return true; }
  bool is_language() const override { return true; }
  int64_t labels_per_sample() const override { return window_ - 1; }
  void read_labels(int64_t index, std::span<int64_t> labels) override {
    read_tokens(index * window_ + 1, labels);
  }
  std::vector<InputSpec> fields() const override {
    return {{"input", DType::kI64, Shape{window_ - 1}}};
  }
  void read_fields(int64_t index, std::span<const std::span<std::byte>> out) override {
    read_tokens(index * window_,
                {reinterpret_cast<int64_t*>(out[0].data()), static_cast<size_t>(window_ - 1)});
  }

 private:
  void read_tokens(int64_t first, std::span<int64_t> out) {
    bytes_.resize(2 * out.size());
    file_.read_at(2 * first, bytes_);
    for (size_t i = 0; i < out.size(); ++i) out[i] = little_endian<uint16_t>(&bytes_[2 * i]);
  }

  File file_;
  int64_t window_;
  std::vector<std::byte> bytes_;
};

bool recognises(const OpenRequest& request) {
  return request.spec.window.has_value();
}

std::unique_ptr<Source> open(const OpenRequest& request) {
  if (request.spec.labels)
    throw Error(ErrorKind::kUsage,
                "data spec '" + request.spec.text + "': labels= does not apply to token windows");
  return std::make_unique<TokenSource>(request.path, *request.spec.window);
}

}  // namespace

const Reader k_reader_token = {
    "token windows", "with window=: uint16 tokens, labels are next tokens", recognises, open};

}  // namespace nibble::data
