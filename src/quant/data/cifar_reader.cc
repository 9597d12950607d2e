// CIFAR-10 binary (cs.toronto.edu/~kriz/cifar.html): records of one label byte, 0 to 9, and 3072
// bytes: the red, green and blue planes of a 32x32 picture, row by row. A folder with
// data_batch_*.bin or test_batch.bin holds the whole set.
#include <filesystem>

#include "quant/data/file.h"
#include "quant/data/source.h"
#include "quant/graph/error.h"

namespace nibble::data {
namespace {

namespace fs = std::filesystem;

constexpr int kSide = 32, kChannels = 3, kClasses = 10;
constexpr int64_t kPixels = kSide * kSide, kRecord = 1 + kPixels * kChannels;

class CifarSource final : public Source {
 public:
  explicit CifarSource(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      const File& file = files_.emplace_back(path);
      if (file.size() == 0 || file.size() % kRecord != 0)
        throw Error(ErrorKind::kData,
                    "CIFAR-10 binary of " + std::to_string(file.size()) +
                        " bytes, expected a multiple of " + std::to_string(kRecord),
                    path);
      const int64_t records = file.size() / kRecord;
      for (int64_t i = 0; i < records; ++i) {
        std::byte label;
        file.read_at(i * kRecord, {&label, 1});
        if (static_cast<int>(label) >= kClasses)
          throw Error(ErrorKind::kData,
                      "CIFAR-10 binary: record " + std::to_string(i) + " has label " +
                          std::to_string(static_cast<int>(label)) + ", expected 0 to 9",
                      path);
        labels_.push_back(static_cast<uint8_t>(label));
      }
      ends_.push_back(size());
    }
  }

  std::string format() const override { return "CIFAR-10 binary"; }
  std::string unit() const override { return "images"; }
  int64_t size() const override { return static_cast<int64_t>(labels_.size()); }
  std::string file_of(int64_t index) const override { return files_[locate(index).first].path(); }
  bool has_labels() const override { return true; }
  void read_labels(int64_t index, std::span<int64_t> labels) override {
    labels[0] = labels_[static_cast<size_t>(index)];
  }
  bool is_images() const override { return true; }

  Image read_image(int64_t index) override {
    const auto [file, record] = locate(index);
    std::byte planes[kPixels * kChannels];
    files_[file].read_at(record * kRecord + 1, planes);
    Image image{kSide, kSide, kChannels, std::vector<uint8_t>(sizeof(planes))};
    for (int c = 0; c < kChannels; ++c)
      for (int64_t i = 0; i < kPixels; ++i)
        image.pixels[static_cast<size_t>(i * kChannels + c)] =
            static_cast<uint8_t>(planes[c * kPixels + i]);
    return image;
  }

 private:
  std::pair<size_t, int64_t> locate(int64_t index) const {
    size_t file = 0;
    while (index >= ends_[file]) ++file;
    return {file, index - (file ? ends_[file - 1] : 0)};
  }

  std::vector<File> files_;
  std::vector<int64_t> ends_;    // samples up to and with each file
  std::vector<uint8_t> labels_;  // one byte a sample: small enough to hold
};

/// The files of a folder's part, in order; empty when it does not hold the set.
std::vector<std::string> files_in(const std::string& folder, Part part) {
  std::vector<std::string> paths;
  const auto add = [&](const std::string& name) {
    std::error_code ignored;
    const fs::path path = fs::path(folder) / name;
    if (fs::is_regular_file(path, ignored)) paths.push_back(path.string());
  };
  if (part == Part::kTest) {
    add("test_batch.bin");
  } else {
    for (int i = 1; i <= 5; ++i) add("data_batch_" + std::to_string(i) + ".bin");
  }
  return paths;
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool recognises(const OpenRequest& request) {
  if (is_folder(request.path))
    return !files_in(request.path, Part::kTrain).empty() ||
           !files_in(request.path, Part::kTest).empty();
  // The format has no magic number: whole records with valid labels, or the name that the set's
  // files have (whose faults are then reported as such).
  const fs::path path(request.path);
  const std::string name = path.filename().string();
  if (name == "test_batch.bin" || name.starts_with("data_batch_")) return true;
  std::error_code failed;
  const auto bytes = fs::file_size(path, failed);
  if (failed || bytes == 0 || bytes % kRecord != 0) return false;
  const File file(request.path);
  for (int64_t at = 0; at < file.size(); at += kRecord) {
    std::byte label;
    file.read_at(at, {&label, 1});
    if (static_cast<int>(label) >= kClasses) return false;
  }
  return true;
}

std::unique_ptr<Source> open(const OpenRequest& request) {
  if (!is_folder(request.path))
    return std::make_unique<CifarSource>(std::vector<std::string>{request.path});
  const auto paths = files_in(request.path, request.part);
  if (paths.empty())
    throw Error(ErrorKind::kData,
                std::string("CIFAR-10 folder without its ") +
                    (request.part == Part::kTest ? "test part (test_batch.bin)"
                                                 : "training part (data_batch_1.bin ...)"),
                request.path);
  return std::make_unique<CifarSource>(paths);
}

}  // namespace

const Reader k_reader_cifar = {"CIFAR-10 binary", "records of a label byte and 3x32x32 bytes",
                               recognises, open};

}  // namespace nibble::data
