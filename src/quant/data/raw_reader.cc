// Raw little-endian integers (raw=TYPE, shape=AxBxC): samples one after the other and nothing else.
// With scale or zero: x = (q - zero) * scale, the difference an exact integer rounded to binary32,
// then one binary32 multiplication.
#include "quant/data/file.h"
#include "quant/data/source.h"
#include "quant/graph/error.h"

namespace nibble::data {
namespace {

class RawSource final : public Source {
 public:
  RawSource(const std::string& path, const Spec& spec)
      : file_(path),
        dtype_(*spec.raw),
        shape_(*spec.shape),
        real_(spec.scale || spec.zero),
        scale_(spec.scale.value_or(1.0f)),
        zero_(spec.zero.value_or(0)),
        bytes_(shape_.size() * static_cast<int64_t>(size_of(dtype_))) {
    if (file_.size() % bytes_ != 0)
      throw Error(ErrorKind::kData,
                  "holds " + std::to_string(file_.size()) + " bytes, expected a multiple of " +
                      std::to_string(bytes_) + " (one sample " + to_string(shape_) + " of " +
                      std::string(name_of(dtype_)) + ")",
                  path);
    if (spec.labels) labels_ = read_label_file(beside(path, *spec.labels), size());
  }

  std::string format() const override { return "raw " + std::string(name_of(dtype_)); }
  int64_t size() const override { return file_.size() / bytes_; }
  std::string file_of(int64_t) const override { return file_.path(); }
  bool has_labels() const override { return !labels_.empty(); }
  void read_labels(int64_t index, std::span<int64_t> labels) override {
    labels[0] = labels_[static_cast<size_t>(index)];
  }
  std::vector<InputSpec> fields() const override {
    return {{"input", real_ ? DType::kF32 : dtype_, shape_}};
  }
  void read_fields(int64_t index, std::span<const std::span<std::byte>> out) override {
    codes_.resize(static_cast<size_t>(bytes_));
    file_.read_at(index * bytes_, real_ ? std::span(codes_) : out[0]);
    if (!real_) return;
    visit_dtype(dtype_, [&]<class T>(std::type_identity<T>) {
      const T* codes = reinterpret_cast<const T*>(codes_.data());
      float* values = reinterpret_cast<float*>(out[0].data());
      for (int64_t i = 0; i < shape_.size(); ++i)
        values[i] = static_cast<float>(static_cast<int64_t>(codes[i]) - zero_) * scale_;
    });
  }

 private:
  File file_;
  DType dtype_;
  Shape shape_;
  bool real_;
  float scale_;
  int64_t zero_, bytes_;
  std::vector<int64_t> labels_;
  std::vector<std::byte> codes_;
};

bool recognises(const OpenRequest& request) {
  return request.spec.raw.has_value();
}

std::unique_ptr<Source> open(const OpenRequest& request) {
  return std::make_unique<RawSource>(request.path, request.spec);
}

}  // namespace

const Reader k_reader_raw = {
    "raw integers", "with raw= and shape=; scale= and zero= make them real", recognises, open};

}  // namespace nibble::data
