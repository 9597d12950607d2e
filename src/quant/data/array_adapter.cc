#include <algorithm>

#include "quant/data/adapter.h"
#include "quant/data/convert.h"
#include "quant/graph/error.h"

namespace nibble::data {
namespace {

class ArrayAdapter final : public Adapter {
 public:
  ArrayAdapter(const Spec& spec, Source& source, const std::vector<InputSpec>& wanted)
      : fields_(source.fields()) {
    for (const char* key : {"preprocess", "mean", "std", "bgr", "resize", "crop"})
      if (spec.has(key))
        throw Error(ErrorKind::kUsage, "data spec '" + spec.text + "': " + key +
                                           "= is for images, " + source.format() +
                                           " is taken as it stands");
    const std::string file = source.size() ? source.file_of(0) : spec.text;
    if (wanted.empty()) {
      for (size_t i = 0; i < fields_.size(); ++i) {
        inputs_.push_back({fields_[i].name, fields_[i].dtype, batched(fields_[i].shape)});
        field_of_.push_back(i);
      }
    } else {
      for (const InputSpec& input : wanted) match(input, wanted.size() == 1, file);
    }
    for (const InputSpec& field : fields_)
      buffers_.emplace_back(static_cast<size_t>(field.shape.size()) * size_of(field.dtype));
    spans_.assign(buffers_.begin(), buffers_.end());
  }

  void read(Source& source, int64_t index, std::span<const std::span<std::byte>> out) override {
    source.read_fields(index, spans_);
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const InputSpec& field = fields_[field_of_[i]];
      const auto fault = convert(field.dtype, buffers_[field_of_[i]], inputs_[i].dtype, out[i]);
      if (fault)
        throw Error(ErrorKind::kData,
                    "sample " + std::to_string(index) + ": " + *fault + ", expected " +
                        std::string(name_of(inputs_[i].dtype)) + " for input '" + inputs_[i].name +
                        "'",
                    source.file_of(index));
    }
  }

 private:
  void match(const InputSpec& input, bool only_input, const std::string& file) {
    auto field = std::find_if(fields_.begin(), fields_.end(),
                              [&](const InputSpec& f) { return f.name == input.name; });
    if (field == fields_.end() && only_input && fields_.size() == 1) field = fields_.begin();
    if (field == fields_.end()) {
      std::string names;
      for (const InputSpec& f : fields_) names += (names.empty() ? "" : ", ") + f.name;
      throw Error(ErrorKind::kData, "no array for input '" + input.name + "', found " + names,
                  file);
    }
    if (!fits(field->shape, input.shape))
      throw Error(ErrorKind::kData,
                  "samples are " + to_string(field->shape) + ", input '" + input.name + "' is " +
                      to_string(input.shape) + " (N: the batch)",
                  file);
    if (!convertible(field->dtype, input.dtype))
      throw Error(ErrorKind::kData,
                  "samples are " + std::string(name_of(field->dtype)) + ", input '" + input.name +
                      "' takes " + std::string(name_of(input.dtype)),
                  file);
    inputs_.push_back({input.name, input.dtype, batched(field->shape)});
    field_of_.push_back(static_cast<size_t>(field - fields_.begin()));
  }

  std::vector<InputSpec> fields_;
  std::vector<size_t> field_of_;  // by input
  std::vector<std::vector<std::byte>> buffers_;
  std::vector<std::span<std::byte>> spans_;
};

}  // namespace

std::unique_ptr<Adapter> make_array_adapter(const Spec& spec, Source& source,
                                            const std::vector<InputSpec>& wanted) {
  return std::make_unique<ArrayAdapter>(spec, source, wanted);
}

}  // namespace nibble::data
