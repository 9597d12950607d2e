#pragma once

// Only for tests: files in a folder that vanishes, and the message of an expected error.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "quant/data/dataset.h"
#include "quant/graph/error.h"

namespace nibble::data {

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(testing::TempDir()) /
              (std::string("nibble_") + test->test_suite_name() + "_" + test->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~FilesTest() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return path(name);
  }
  std::string slurp(const std::string& name) const {
    std::ifstream in(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::filesystem::path folder_;
};

/// The message of the Error of `kind` that `call` throws: one line.
template <class Call>
std::string error_of(ErrorKind kind, Call call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind, kind) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

inline std::vector<InputSpec> one_input(const Shape& shape, DType dtype = DType::kF32) {
  return {{"x", dtype, shape}};
}

}  // namespace nibble::data
