#include "quant/data/npy_file.h"

#include "quant/data/zip.h"
#include "quant/graph/error.h"

namespace nibble::data {

NpyFile::NpyFile(std::shared_ptr<const File> file, int64_t offset, int64_t bytes, std::string name,
                 std::string label)
    : file_(std::move(file)),
      offset_(offset),
      name_(std::move(name)),
      label_(std::move(label)),
      header_(read_npy_header(
          [this](int64_t at, std::span<std::byte> out) { file_->read_at(offset_ + at, out); },
          bytes, label_)) {}

void NpyFile::read(int64_t first, std::span<std::byte> out) const {
  const int64_t element = static_cast<int64_t>(size_of(dtype()));
  file_->read_at(offset_ + header_.data_offset + first * element, out);
  if (dtype() == DType::kBool)
    for (std::byte& b : out) b = b == std::byte{0} ? std::byte{0} : std::byte{1};
}

NpyFile open_npy(const std::string& path) {
  auto file = std::make_shared<const File>(path);
  const int64_t bytes = file->size();
  return NpyFile(std::move(file), 0, bytes, "", path);
}

std::vector<NpyFile> open_npz(const std::string& path) {
  const auto archive = std::make_shared<const File>(path);
  std::vector<NpyFile> arrays;
  for (const ZipMember& member : list_zip(*archive)) {
    std::string name = member.name;
    if (!name.ends_with(".npy"))
      throw Error(ErrorKind::kData, "member '" + name + "' is not a .npy", path);
    name.resize(name.size() - 4);
    const std::string label = path + "[" + name + "]";
    if (member.method == 0) {
      arrays.emplace_back(archive, member.data_offset, member.bytes, name, label);
      continue;
    }
    auto inflated = std::make_shared<File>(File::temporary(label));
    inflate_member(*archive, member, [&](std::span<const std::byte> b) { inflated->append(b); });
    arrays.emplace_back(std::move(inflated), 0, member.bytes, name, label);
  }
  return arrays;
}

}  // namespace nibble::data
