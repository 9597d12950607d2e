#include "quant/importer/external_data.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "quant/graph/error.h"

namespace nibble::importer {
namespace {

namespace fs = std::filesystem;

std::optional<uint64_t> parse_number(const std::string& text) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

bool is_inside(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
         folder.end();
}

}  // namespace

std::span<const std::byte> ExternalData::find(const onnx::TensorProto& tensor, size_t bytes) {
  const auto fail = [&](const std::string& what) -> void {
    throw Error(ErrorKind::kModel, "external data of tensor '" + tensor.name() + "': " + what,
                model_);
  };
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() != "offset" && entry.key() != "length") continue;
    const auto number = parse_number(entry.value());
    if (!number) fail(entry.key() + " '" + entry.value() + "' is not a number");
    if (entry.key() == "offset")
      offset = *number;
    else
      length = number;
  }
  if (length && *length != bytes)
    fail("length " + std::to_string(*length) + ", but its shape needs " + std::to_string(bytes) +
         " bytes");
  const auto content = file(location, tensor.name()).bytes();
  if (offset > content.size() || bytes > content.size() - offset)
    fail("bytes " + std::to_string(offset) + " + " + std::to_string(bytes) +
         " lie past the end of '" + location + "' (" + std::to_string(content.size()) + " bytes)");
  return content.subspan(offset, bytes);
}

const MappedFile& ExternalData::file(const std::string& location, const std::string& tensor) {
  const auto fail = [&](const std::string& what) -> void {
    throw Error(ErrorKind::kModel,
                "external data of tensor '" + tensor + "': file '" + location + "' " + what,
                model_);
  };
  if (const auto known = files_.find(location); known != files_.end()) return *known->second;
  const fs::path relative(location);
  const bool climbs = std::find(relative.begin(), relative.end(), "..") != relative.end();
  if (location.empty() || location.find('\0') != std::string::npos || relative.is_absolute() ||
      climbs)
    fail("must be a path inside the model's folder");
  std::error_code error;
  const fs::path parent = fs::path(model_).parent_path();
  const fs::path folder = fs::canonical(parent.empty() ? fs::path(".") : parent, error);
  if (error) fail("cannot be found: " + error.message());
  const fs::path path = fs::canonical(folder / relative, error);
  if (error) fail("cannot be found: " + error.message());
  if (!is_inside(path, folder)) fail("leads outside the model's folder");
  return *files_.emplace(location, MappedFile::open(path.string())).first->second;
}

}  // namespace nibble::importer
