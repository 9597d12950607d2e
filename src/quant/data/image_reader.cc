// A folder of JPEG and PNG files: one sub-folder a class, or files named by their class index
// (0007.jpg), or files without labels. Samples stand in the order of their names, compared byte by
// byte. Classes are numbered in the order of the sub-folders' names, or by those names where all of
// them are numbers. A single image file is a data set of one.
#include <algorithm>
#include <charconv>
#include <filesystem>

#include "quant/data/image_file.h"
#include "quant/graph/error.h"

namespace nibble::data {
namespace {

namespace fs = std::filesystem;

struct Listing {
  std::vector<std::string> files, folders;  // names, sorted
};

Listing list_folder(const std::string& path) {
  Listing listing;
  std::error_code failed;
  for (fs::directory_iterator it(path, failed), end; !failed && it != end; it.increment(failed)) {
    const std::string name = it->path().filename().string();
    std::error_code ignored;
    if (name.starts_with('.')) continue;
    if (it->is_directory(ignored))
      listing.folders.push_back(name);
    else if (it->is_regular_file(ignored) && is_image_file(peek(it->path().string(), 8)))
      listing.files.push_back(name);
  }
  if (failed) throw Error(ErrorKind::kData, "cannot be listed: " + failed.message(), path);
  std::sort(listing.files.begin(), listing.files.end());
  std::sort(listing.folders.begin(), listing.folders.end());
  return listing;
}

/// The name up to its extension as a class index: digits only.
std::optional<int64_t> index_in(const std::string& name) {
  const std::string stem = name.substr(0, name.rfind('.'));
  int64_t index = 0;
  const char* end = stem.data() + stem.size();
  const auto result = std::from_chars(stem.data(), end, index);
  if (result.ec != std::errc() || result.ptr != end || index < 0) return {};
  return index;
}

/// Every name as an index, or nothing when one of them is not.
std::vector<int64_t> indices_in(const std::vector<std::string>& names) {
  std::vector<int64_t> indices;
  for (const std::string& name : names) {
    const auto index = index_in(name);
    if (!index) return {};
    indices.push_back(*index);
  }
  return indices;
}

class ImageSource final : public Source {
 public:
  ImageSource(const std::string& path, const std::optional<std::string>& labels) : root_(path) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
      read_folder();
    } else {
      root_ = fs::path(path).parent_path();
      names_.push_back(fs::path(path).filename().string());
      format_ = "image file";
    }
    if (labels) {
      labels_ = read_label_file(beside(path, *labels), size());
      format_ = "images";
    }
  }

  std::string format() const override { return format_; }
  std::string unit() const override { return "images"; }
  int64_t size() const override { return static_cast<int64_t>(names_.size()); }
  std::string file_of(int64_t index) const override {
    return (root_ / names_[static_cast<size_t>(index)]).string();
  }
  bool has_labels() const override { return !labels_.empty(); }
  void read_labels(int64_t index, std::span<int64_t> labels) override {
    labels[0] = labels_[static_cast<size_t>(index)];
  }
  bool is_images() const override { return true; }
  Image read_image(int64_t index) override { return decode_image_file(file_of(index)); }

 private:
  void read_folder() {
    const Listing top = list_folder(root_.string());
    if (!top.files.empty()) {
      names_ = top.files;
      labels_ = indices_in(names_);
      format_ = labels_.empty() ? "image folder" : "image folder (files named by class)";
      return;
    }
    const std::vector<int64_t> numbers = indices_in(top.folders);
    for (size_t i = 0; i < top.folders.size(); ++i)
      for (const std::string& name : list_folder((root_ / top.folders[i]).string()).files) {
        names_.push_back(top.folders[i] + "/" + name);
        labels_.push_back(numbers.empty() ? static_cast<int64_t>(i) : numbers[i]);
      }
    format_ = "image folder (" + std::to_string(top.folders.size()) + " class folders)";
  }

  fs::path root_;
  std::string format_;
  std::vector<std::string> names_;  // relative to root_
  std::vector<int64_t> labels_;
};

bool recognises(const OpenRequest& request) {
  std::error_code ignored;
  return fs::is_directory(request.path, ignored) || is_image_file(peek(request.path, 8));
}

std::unique_ptr<Source> open(const OpenRequest& request) {
  return std::make_unique<ImageSource>(request.path, request.spec.labels);
}

}  // namespace

const Reader k_reader_image = {"images", "a folder of JPEG and PNG files, sub-folders are classes",
                               recognises, open};

}  // namespace nibble::data
