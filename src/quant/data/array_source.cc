#include "quant/data/array_source.h"

#include "quant/graph/error.h"

namespace nibble::data {
namespace {

Shape sample_shape(const Shape& array) {
  return Shape(array.dims().subspan(1));
}

class ArraySource final : public Source {
 public:
  ArraySource(std::string format, std::string path, std::vector<NpyFile> arrays,
              std::vector<int64_t> labels)
      : format_(std::move(format)),
        path_(std::move(path)),
        arrays_(std::move(arrays)),
        labels_(std::move(labels)) {
    if (arrays_.empty()) throw Error(ErrorKind::kData, "holds no array", path_);
    for (const NpyFile& array : arrays_) {
      if (array.shape().rank() == 0)
        throw Error(ErrorKind::kData, "is a scalar, expected samples along dimension 0",
                    array.label());
      if (array.shape()[0] != size())
        throw Error(ErrorKind::kData,
                    "has " + std::to_string(array.shape()[0]) + " samples, " + arrays_[0].label() +
                        " has " + std::to_string(size()),
                    array.label());
      fields_.push_back({array.name().empty() ? "input" : array.name(), array.dtype(),
                         sample_shape(array.shape())});
    }
    if (!labels_.empty() && static_cast<int64_t>(labels_.size()) != size())
      throw Error(ErrorKind::kData,
                  "has " + std::to_string(size()) + " samples, " + std::to_string(labels_.size()) +
                      " labels",
                  arrays_[0].label());
  }

  std::string format() const override { return format_; }
  int64_t size() const override { return arrays_[0].shape()[0]; }
  std::string file_of(int64_t) const override { return path_; }
  bool has_labels() const override { return !labels_.empty(); }
  void read_labels(int64_t index, std::span<int64_t> labels) override {
    labels[0] = labels_[static_cast<size_t>(index)];
  }
  std::vector<InputSpec> fields() const override { return fields_; }
  void read_fields(int64_t index, std::span<const std::span<std::byte>> out) override {
    for (size_t i = 0; i < arrays_.size(); ++i)
      arrays_[i].read(index * fields_[i].shape.size(), out[i]);
  }

 private:
  std::string format_, path_;
  std::vector<NpyFile> arrays_;
  std::vector<InputSpec> fields_;
  std::vector<int64_t> labels_;
};

}  // namespace

std::unique_ptr<Source> make_array_source(std::string format, std::string path,
                                          std::vector<NpyFile> arrays,
                                          std::vector<int64_t> labels) {
  return std::make_unique<ArraySource>(std::move(format), std::move(path), std::move(arrays),
                                       std::move(labels));
}

}  // namespace nibble::data
