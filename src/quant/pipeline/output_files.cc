#include "quant/pipeline/output_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "quant/graph/error.h"

namespace nibble::pipeline {
namespace {

[[noreturn]] void fail(const std::string& path) {
  throw Error(ErrorKind::kOutput, std::string("cannot be written: ") + std::strerror(errno), path);
}

/// fsync and close are where a full disk shows for small files, so both are checked.
void write_whole(const std::string& path, const std::string& shown,
                 std::span<const std::byte> bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) fail(shown);
  const auto give_up = [&] {
    const int error = errno;
    ::close(fd);
    ::unlink(path.c_str());
    errno = error;
    fail(shown);
  };
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t n = ::write(fd, bytes.data() + at, bytes.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) give_up();
    at += static_cast<size_t>(n);
  }
  if (::fsync(fd) != 0 && errno != EINVAL && errno != EROFS) give_up();
  if (::close(fd) != 0) {
    const int error = errno;
    ::unlink(path.c_str());
    errno = error;
    fail(shown);
  }
}

}  // namespace

OutputFiles::~OutputFiles() {
  for (const File& file : files_) ::unlink(file.temporary.c_str());
}

std::string OutputFiles::add(const std::string& path, std::span<const std::byte> bytes) {
  const std::filesystem::path target(path);
  std::error_code ignored;
  // Renaming a file over a device or a folder would destroy it.
  if (std::filesystem::exists(target, ignored) &&
      !std::filesystem::is_regular_file(target, ignored))
    throw Error(ErrorKind::kOutput, "is there and is no regular file", path);
  std::filesystem::path temporary =
      target.parent_path() / ("." + target.stem().string() + ".part" + std::to_string(::getpid()));
  temporary += target.extension();
  write_whole(temporary, path, bytes);
  files_.push_back({path, temporary});
  return temporary;
}

void OutputFiles::commit() {
  for (const File& file : files_)
    if (std::rename(file.temporary.c_str(), file.path.c_str()) != 0) fail(file.path);
  files_.clear();
}

}  // namespace nibble::pipeline
