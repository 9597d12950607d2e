#include "quant/data/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "quant/graph/error.h"

namespace nibble::data {
namespace {

std::string system_message() {
  return std::strerror(errno);
}

/// False with errno set when the system refuses; a short write is continued.
bool write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

File::File(const std::string& path) : path_(path) {
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
    const std::string why = system_message();
    if (descriptor_ >= 0) ::close(descriptor_);
    throw Error(ErrorKind::kData, "cannot be read: " + why, path);
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    throw Error(ErrorKind::kData, "is not a regular file", path);
  }
  size_ = status.st_size;
}

File File::temporary(const std::string& label) {
  const char* folder = std::getenv("TMPDIR");
  std::string name = std::string(folder && *folder ? folder : "/tmp") + "/nibble.XXXXXX";
  File file;
  file.path_ = label;
  file.descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (file.descriptor_ < 0)
    throw Error(ErrorKind::kOutput, "cannot be created: " + system_message(), name);
  ::unlink(name.c_str());
  return file;
}

File::File(File&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_) {}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void File::read_at(int64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t n = ::pread(descriptor_, out.data(), out.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error(ErrorKind::kData, "cannot be read: " + system_message(), path_);
    if (n == 0)
      throw Error(ErrorKind::kData,
                  "ends at byte " + std::to_string(offset) + ", expected " +
                      std::to_string(out.size()) + " more",
                  path_);
    offset += n;
    out = out.subspan(static_cast<size_t>(n));
  }
}

void File::append(std::span<const std::byte> bytes) {
  if (!write_all(descriptor_, bytes))
    throw Error(ErrorKind::kOutput, "temporary copy cannot be written: " + system_message(), path_);
  size_ += static_cast<int64_t>(bytes.size());
}

std::vector<std::byte> read_head(const File& file, size_t count) {
  std::vector<std::byte> head(std::min(count, static_cast<size_t>(file.size())));
  file.read_at(0, head);
  return head;
}

std::vector<std::byte> read_whole(const std::string& path, int64_t limit) {
  const File file(path);
  if (file.size() > limit)
    throw Error(ErrorKind::kData,
                "holds " + std::to_string(file.size()) + " bytes, expected at most " +
                    std::to_string(limit),
                path);
  return read_head(file, static_cast<size_t>(file.size()));
}

std::string write_beside(const std::string& path,
                         std::span<const std::span<const std::byte>> chunks) {
  const std::filesystem::path target(path);
  std::error_code ignored;
  // Renaming a file over a device or a folder would destroy it.
  if (std::filesystem::exists(target, ignored) &&
      !std::filesystem::is_regular_file(target, ignored))
    throw Error(ErrorKind::kOutput, "is there and is no regular file", path);
  const std::string extension = target.extension().string();
  std::string temporary =
      (target.parent_path() / ("." + target.stem().string() + ".XXXXXX" + extension)).string();
  const int descriptor =
      ::mkostemps(temporary.data(), static_cast<int>(extension.size()), O_CLOEXEC);
  const auto fail = [&] {
    const std::string why = system_message();
    if (descriptor >= 0) ::unlink(temporary.c_str());
    throw Error(ErrorKind::kOutput, "cannot be written: " + why, path);
  };
  if (descriptor < 0) fail();
  // mkostemps makes files private; the result gets the permissions that open() would have given it.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  bool ok = ::fchmod(descriptor, 0666 & ~mask) == 0;
  for (const auto& chunk : chunks) ok = ok && write_all(descriptor, chunk);
  // A full disk may show only here; a file system that cannot sync says EINVAL or EROFS.
  ok = ok && (::fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS);
  if (!ok) {
    const int error = errno;
    ::close(descriptor);
    errno = error;
    fail();
  }
  if (::close(descriptor) != 0) fail();
  return temporary;
}

void rename_into_place(const std::string& temporary, const std::string& path) {
  if (std::rename(temporary.c_str(), path.c_str()) == 0) return;
  const std::string why = system_message();
  ::unlink(temporary.c_str());
  throw Error(ErrorKind::kOutput, "cannot be written: " + why, path);
}

void write_atomically(const std::string& path, std::span<const std::span<const std::byte>> chunks) {
  rename_into_place(write_beside(path, chunks), path);
}

}  // namespace nibble::data
