#include "quant/pipeline/output_files.h"

#include <unistd.h>

#include "quant/data/file.h"

namespace nibble::pipeline {

OutputFiles::~OutputFiles() {
  for (const File& file : files_) ::unlink(file.temporary.c_str());
}

std::string OutputFiles::add(const std::string& path, std::span<const std::byte> bytes) {
  files_.push_back({path, data::write_beside(path, std::span(&bytes, 1))});
  return files_.back().temporary;
}

void OutputFiles::commit() {
  for (const File& file : files_) data::rename_into_place(file.temporary, file.path);
  files_.clear();
}

}  // namespace nibble::pipeline
