#include "quant/pipeline/output_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "quant/graph/error.h"

namespace nibble::pipeline {
namespace {

namespace fs = std::filesystem;

class OutputFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "output_files_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  size_t entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }
  static std::string read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  fs::path folder_;
};

TEST_F(OutputFilesTest, AppearTogetherOnCommit) {
  OutputFiles files;
  EXPECT_EQ(fs::path(files.add(at("a.onnx"), "one")).extension(), ".onnx");
  files.add(at("b.nbl"), "two");
  EXPECT_FALSE(fs::exists(at("a.onnx")));
  files.commit();
  EXPECT_EQ(read(at("a.onnx")), "one");
  EXPECT_EQ(read(at("b.nbl")), "two");
  EXPECT_EQ(entries(), 2u);
}

TEST_F(OutputFilesTest, NothingStaysWithoutCommit) {
  std::ofstream(at("a.onnx")) << "old";
  {
    OutputFiles files;
    files.add(at("a.onnx"), "new");
    files.add(at("b.nbl"), "new");
  }
  EXPECT_EQ(read(at("a.onnx")), "old");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(OutputFilesTest, RefusesMissingFoldersAndWhatIsNoFile) {
  OutputFiles files;
  for (const std::string& path : {at("none/x.onnx"), folder_.string(), std::string("/dev/full")}) {
    try {
      files.add(path, "x");
      FAIL() << path;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind, ErrorKind::kOutput);
      EXPECT_NE(std::string(e.what()).find(path), std::string::npos) << e.what();
    }
  }
  EXPECT_EQ(entries(), 0u);
}

}  // namespace
}  // namespace nibble::pipeline
