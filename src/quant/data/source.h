#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "deploy/base/tensor.h"
#include "quant/data/dataset.h"
#include "quant/data/spec.h"

namespace nibble::data {

/// 8-bit samples of one picture: height x width x channels, channels 1 or 3 (RGB).
struct Image {
  int height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels;
};

/// What one format holds, sample by sample in stored order: the format alone, before the keys that
/// are the same for all formats (range, shuffle, samples, preprocess ...). A source delivers either
/// images or arrays. Reading the same sample again gives the same bytes.
class Source {
 public:
  virtual ~Source() = default;
  /// "CIFAR-10 binary": names the format as people do.
  virtual std::string format() const = 0;
  /// "images", "rows", "windows" ...
  virtual std::string unit() const { return "samples"; }
  virtual int64_t size() const = 0;
  /// The file that holds sample `index`, for messages.
  virtual std::string file_of(int64_t index) const = 0;

  virtual bool has_labels() const = 0;
  /// Labels a sample: 1, or the positions of a token window.
  virtual int64_t labels_per_sample() const { return 1; }
  virtual void read_labels(int64_t index, std::span<int64_t> labels) = 0;

  /// True: read_image; false: fields() and read_fields.
  virtual bool is_images() const { return false; }
  virtual bool is_language() const { return false; }
  virtual Image read_image(int64_t index);
  /// The arrays of one sample, without the batch dimension.
  virtual std::vector<InputSpec> fields() const { return {}; }
  /// Fills one buffer a field, in fields()' dtype and shape.
  virtual void read_fields(int64_t index, std::span<const std::span<std::byte>> out);
};

/// What a reader gets to decide and to open with.
struct OpenRequest {
  const Spec& spec;
  std::string path;  // one of spec.paths
  Part part;
};

/// One file format. `recognises` looks at the content (and at keys that name a format); it must not
/// throw for files of other formats. Readers are tried in the order of readers.inc.
struct Reader {
  const char* name;
  const char* summary;
  bool (*recognises)(const OpenRequest&);
  std::unique_ptr<Source> (*open)(const OpenRequest&);
};

std::span<const Reader* const> readers();

#define NIBBLE_READER(name) extern const Reader k_reader_##name;
#include "quant/data/readers.inc"
#undef NIBBLE_READER

/// Labels from a file of their own: IDX, .npy, one number a line, or one byte a sample. Throws
/// Error(kData) when their number is not `count`.
std::vector<int64_t> read_label_file(const std::string& path, int64_t count);

/// The first bytes of the file at `path`, at most `count`; empty for anything but a readable file.
std::vector<std::byte> peek(const std::string& path, size_t count);

/// `name` as the keys mean it: relative to the folder of the data (to the data itself where that
/// is a folder).
std::string beside(const std::string& data_path, const std::string& name);

}  // namespace nibble::data
