// IDX (yann.lecun.com/exdb/mnist): big-endian magic 0x00000803 (unsigned bytes, three dimensions),
// the number of pictures, rows, columns, then the pixels. Labels: magic 0x00000801, their number,
// bytes; "train-images-idx3-ubyte" has "train-labels-idx1-ubyte". A folder with train-* or t10k-*
// holds the whole set.
#include <filesystem>

#include "quant/data/file.h"
#include "quant/data/source.h"
#include "quant/graph/error.h"

namespace nibble::data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kHeader = 16;
constexpr uint32_t kImageMagic = 0x00000803, kMaxSide = 1 << 14;

/// "train-images-idx3-ubyte" -> "train-labels-idx1-ubyte"; empty when the name has not that form.
std::string labels_name(std::string name) {
  for (const auto& [from, to] : {std::pair{"images", "labels"}, std::pair{"idx3", "idx1"}}) {
    const size_t at = name.find(from);
    if (at == std::string::npos) return {};
    name.replace(at, std::string_view(from).size(), to);
  }
  return name;
}

class IdxSource final : public Source {
 public:
  IdxSource(const std::string& path, const std::optional<std::string>& labels) : file_(path) {
    std::byte header[kHeader];
    file_.read_at(0, header);
    const uint32_t magic = big_endian_u32(header);
    size_ = big_endian_u32(header + 4);
    const uint32_t height = big_endian_u32(header + 8), width = big_endian_u32(header + 12);
    if (magic != kImageMagic)
      throw Error(ErrorKind::kData, "IDX of another kind, expected unsigned bytes, 3 dimensions",
                  path);
    if (height == 0 || width == 0 || height > kMaxSide || width > kMaxSide ||
        file_.size() - kHeader != size_ * height * width)
      throw Error(ErrorKind::kData,
                  "IDX header says " + std::to_string(size_) + " images " + std::to_string(height) +
                      "x" + std::to_string(width) + ", the file holds " +
                      std::to_string(file_.size() - kHeader) + " bytes of pixels",
                  path);
    height_ = static_cast<int>(height);
    width_ = static_cast<int>(width);
    const fs::path found = fs::path(path).parent_path() / labels_name(fs::path(path).filename());
    std::error_code ignored;
    if (labels)
      labels_ = read_label_file(beside(path, *labels), size_);
    else if (fs::is_regular_file(found, ignored))
      labels_ = read_label_file(found.string(), size_);
  }

  std::string format() const override { return "IDX"; }
  std::string unit() const override { return "images"; }
  int64_t size() const override { return size_; }
  std::string file_of(int64_t) const override { return file_.path(); }
  bool has_labels() const override { return !labels_.empty(); }
  void read_labels(int64_t index, std::span<int64_t> labels) override {
    labels[0] = labels_[static_cast<size_t>(index)];
  }
  bool is_images() const override { return true; }
  Image read_image(int64_t index) override {
    const int64_t pixels = int64_t{height_} * width_;
    Image image{height_, width_, 1, std::vector<uint8_t>(static_cast<size_t>(pixels))};
    file_.read_at(kHeader + index * pixels, std::as_writable_bytes(std::span(image.pixels)));
    return image;
  }

 private:
  File file_;
  int64_t size_ = 0;
  int height_ = 0, width_ = 0;
  std::vector<int64_t> labels_;
};

/// The images of a folder's part: some files say "images.idx3", others "images-idx3".
std::string file_in(const std::string& folder, Part part) {
  const std::string start = part == Part::kTest ? "t10k" : "train";
  for (const char* name : {"-images-idx3-ubyte", "-images.idx3-ubyte"}) {
    std::error_code ignored;
    const fs::path path = fs::path(folder) / (start + name);
    if (fs::is_regular_file(path, ignored)) return path.string();
  }
  return {};
}

bool recognises(const OpenRequest& request) {
  std::error_code ignored;
  if (fs::is_directory(request.path, ignored))
    return !file_in(request.path, Part::kTrain).empty() ||
           !file_in(request.path, Part::kTest).empty();
  const auto head = peek(request.path, kHeader);
  if (head.size() < 4) return false;
  // Two zero bytes, a known element type, a number of dimensions.
  const uint32_t magic = big_endian_u32(head.data()), type = magic >> 8, rank = magic & 0xff;
  return (type == 8 || type == 9 || (type >= 11 && type <= 14)) && rank >= 1 && rank <= 4;
}

std::unique_ptr<Source> open(const OpenRequest& request) {
  std::error_code ignored;
  if (!fs::is_directory(request.path, ignored))
    return std::make_unique<IdxSource>(request.path, request.spec.labels);
  const std::string path = file_in(request.path, request.part);
  if (path.empty())
    throw Error(ErrorKind::kData,
                std::string("IDX folder without its ") +
                    (request.part == Part::kTest ? "test part (t10k-images-idx3-ubyte)"
                                                 : "training part (train-images-idx3-ubyte)"),
                request.path);
  return std::make_unique<IdxSource>(path, request.spec.labels);
}

}  // namespace

const Reader k_reader_idx = {"IDX", "8-bit grey images with labels beside them", recognises, open};

}  // namespace nibble::data
