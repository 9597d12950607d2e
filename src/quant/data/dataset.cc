#include "quant/data/dataset.h"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "quant/data/adapter.h"
#include "quant/data/random.h"
#include "quant/data/source.h"
#include "quant/graph/error.h"

namespace nibble::data {
namespace {

/// 10000 -> "10,000".
std::string grouped(int64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::unique_ptr<Source> open_source(const OpenRequest& request) {
  std::error_code ignored;
  if (!request.path.starts_with("synthetic:") && !std::filesystem::exists(request.path, ignored))
    throw Error(ErrorKind::kData, "no such file or folder", request.path);
  if (std::filesystem::is_regular_file(request.path, ignored) &&
      std::filesystem::is_empty(request.path, ignored))
    throw Error(ErrorKind::kData, "the file is empty", request.path);
  for (const Reader* reader : readers())
    if (reader->recognises(request)) return reader->open(request);
  std::string names;
  for (const Reader* reader : readers())
    names += (names.empty() ? "" : ", ") + std::string(reader->name);
  throw Error(ErrorKind::kData, "the content is none of: " + names, request.path);
}

/// The files of a spec one after the other, then the keys that hold for all formats: range,
/// shuffle, samples.
class SpecDataset final : public Dataset {
 public:
  SpecDataset(const Spec& spec, const std::vector<InputSpec>& wanted, Part part) : spec_(spec) {
    if (spec.paths.size() > 1 && spec.labels &&
        spec.labels->find_first_not_of("0123456789") != std::string::npos)
      throw Error(ErrorKind::kUsage,
                  "data spec '" + spec.text + "': labels=FILE goes with a single path");
    for (const std::string& path : spec.paths) {
      sources_.push_back(open_source({spec, path, part}));
      stored_ += sources_.back()->size();
      ends_.push_back(stored_);
      if (sources_.back()->size() == 0) throw Error(ErrorKind::kData, "holds no samples", path);
    }
    for (size_t i = 1; i < sources_.size(); ++i) check_alike(*sources_[0], *sources_[i], i);
    select();
    adapter_ = sources_[0]->is_images() ? make_image_adapter(spec, *sources_[0], wanted)
                                        : make_array_adapter(spec, *sources_[0], wanted);
  }

  std::string describe() const override {
    std::string text = sources_[0]->format() + ", " + grouped(size());
    if (size() != stored_) text += " of " + grouped(stored_);
    text += " " + sources_[0]->unit();
    for (const InputSpec& input : inputs()) {
      text += &input == &inputs()[0] ? " " : ", ";
      if (inputs().size() > 1) text += input.name + " ";
      text += to_string(Shape(input.shape.dims().subspan(1)));
    }
    return text + (has_labels() ? ", labels" : ", no labels");
  }
  int64_t size() const override { return count_; }
  bool has_labels() const override { return sources_[0]->has_labels(); }
  bool is_language() const override { return sources_[0]->is_language(); }
  const std::vector<InputSpec>& inputs() const override { return adapter_->inputs(); }

  Batch read(int64_t first, int64_t count) override {
    if (first < 0 || count < 0 || first > size() - count)
      throw Error(ErrorKind::kInternal, "samples " + std::to_string(first) + " to " +
                                            std::to_string(first + count) + " of " +
                                            std::to_string(size()));
    Batch batch;
    batch.count = count;
    std::vector<size_t> bytes;  // a sample
    for (const InputSpec& input : inputs()) {
      Shape shape = input.shape;
      shape[0] = count;
      bytes.push_back(static_cast<size_t>(shape.size(1, shape.rank())) * size_of(input.dtype));
      batch.inputs.emplace_back(input.dtype, shape);
    }
    const auto positions = static_cast<size_t>(sources_[0]->labels_per_sample());
    if (has_labels()) batch.labels.resize(static_cast<size_t>(count) * positions);
    std::vector<std::span<std::byte>> out(inputs().size());
    for (size_t n = 0; n < static_cast<size_t>(count); ++n) {
      const auto [source, index] = locate(order(first + static_cast<int64_t>(n)));
      for (size_t i = 0; i < out.size(); ++i)
        out[i] = {batch.inputs[i].data() + n * bytes[i], bytes[i]};
      adapter_->read(*source, index, out);
      if (has_labels())
        source->read_labels(index, std::span(batch.labels).subspan(n * positions, positions));
    }
    return batch;
  }

 private:
  void check_alike(const Source& a, const Source& b, size_t i) const {
    const auto fields_a = a.fields(), fields_b = b.fields();
    const bool alike =
        a.is_images() == b.is_images() && a.has_labels() == b.has_labels() &&
        a.labels_per_sample() == b.labels_per_sample() &&
        std::equal(fields_a.begin(), fields_a.end(), fields_b.begin(), fields_b.end(),
                   [](const InputSpec& x, const InputSpec& y) {
                     return x.name == y.name && x.dtype == y.dtype && x.shape == y.shape;
                   });
    if (!alike)
      throw Error(ErrorKind::kData,
                  b.format() + (b.has_labels() ? " with labels" : " without labels") +
                      " does not continue " + spec_.paths[0] + " (" + a.format() +
                      (a.has_labels() ? " with labels" : " without labels") + ")",
                  spec_.paths[i]);
  }

  void select() {
    const int64_t last = spec_.last.value_or(stored_);
    if (spec_.first >= stored_ || last > stored_)
      throw Error(ErrorKind::kData,
                  "range=" + std::to_string(spec_.first) + ":" + std::to_string(last) +
                      ", the data holds " + std::to_string(stored_) + " samples",
                  spec_.paths[0]);
    count_ = last - spec_.first;
    if (spec_.shuffle) {
      // Fisher and Yates, from the end, with splitmix64 of the seed.
      shuffled_.resize(static_cast<size_t>(count_));
      std::iota(shuffled_.begin(), shuffled_.end(), spec_.first);
      SplitMix64 random(*spec_.shuffle);
      for (size_t i = shuffled_.size(); i > 1; --i)
        std::swap(shuffled_[i - 1], shuffled_[random.below(i)]);
    }
    if (spec_.samples) count_ = std::min(count_, *spec_.samples);
  }

  int64_t order(int64_t position) const {
    return shuffled_.empty() ? spec_.first + position : shuffled_[static_cast<size_t>(position)];
  }

  std::pair<Source*, int64_t> locate(int64_t index) const {
    size_t i = 0;
    while (index >= ends_[i]) ++i;
    return {sources_[i].get(), index - (i ? ends_[i - 1] : 0)};
  }

  Spec spec_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<int64_t> ends_;  // samples up to and with each source
  int64_t stored_ = 0, count_ = 0;
  std::vector<int64_t> shuffled_;  // empty: stored order
  std::unique_ptr<Adapter> adapter_;
};

}  // namespace

std::unique_ptr<Dataset> open_dataset(const std::string& text, const std::vector<InputSpec>& inputs,
                                      Part part, int64_t samples) {
  Spec spec = parse_spec(text);
  if (samples > 0 && !spec.samples) spec.samples = samples;
  return std::make_unique<SpecDataset>(spec, inputs, part);
}

}  // namespace nibble::data
