#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nibble::data {

/// A regular file opened for reading at offsets (pread; never mapped, so that reading a data set
/// does not grow the resident set).
class File {
 public:
  /// Throws Error(kData) that names the file and what the system said.
  explicit File(const std::string& path);
  /// An unnamed temporary file that vanishes with the object; `label` stands for it in messages.
  static File temporary(const std::string& label);
  File(File&& other) noexcept;
  File& operator=(File&&) = delete;
  ~File();

  const std::string& path() const { return path_; }
  int64_t size() const { return size_; }
  /// Fills `out` from `offset`; throws Error(kData) when the file ends before it is full.
  void read_at(int64_t offset, std::span<std::byte> out) const;
  /// Appends to a temporary file.
  void append(std::span<const std::byte> bytes);

 private:
  File() = default;
  std::string path_;
  int descriptor_ = -1;
  int64_t size_ = 0;
};

/// The first bytes of a file, at most `count`.
std::vector<std::byte> read_head(const File& file, size_t count);
/// The whole file; throws Error(kData) when it holds more than `limit` bytes.
std::vector<std::byte> read_whole(const std::string& path, int64_t limit);

/// Big-endian 32-bit and little-endian integers out of a byte buffer.
inline uint32_t big_endian_u32(const std::byte* p) {
  return uint32_t(p[0]) << 24 | uint32_t(p[1]) << 16 | uint32_t(p[2]) << 8 | uint32_t(p[3]);
}
template <class T>
T little_endian(const std::byte* p) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value | T(p[i]) << (8 * i));
  return value;
}

/// Writes `chunks` one after the other to a new file beside `path`, with the same extension, and
/// returns its name once the bytes are on the disk. Throws Error(kOutput) naming `path`, also where
/// `path` is there and no regular file; nothing is left then.
std::string write_beside(const std::string& path,
                         std::span<const std::span<const std::byte>> chunks);
/// Gives a file of write_beside() its name. Throws Error(kOutput), and removes the file, where the
/// system refuses.
void rename_into_place(const std::string& temporary, const std::string& path);
/// Both: there is either the whole file or none.
void write_atomically(const std::string& path, std::span<const std::span<const std::byte>> chunks);

}  // namespace nibble::data
