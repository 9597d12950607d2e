#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "apps/run/arguments.h"
#include "apps/run/npy.h"
#include "deploy/model/nbl_test_model.h"

namespace nibble::app {
namespace {

namespace fs = std::filesystem;

class NibbleRun : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              ("nibble_run_" + std::to_string(getpid()) + "_" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
    model::TestModel relu = model::TestModel::relu();
    save("relu.nbl", relu.model);
    model::TestModel sub;
    const Shape shape{kUnknownDim, 2};
    const int a = sub.activation("a", shape), b = sub.activation("b", shape),
              y = sub.activation("y", shape), z = sub.activation("z", shape);
    sub.node(model::Op::kSub, "sub", {a, b}, {y});
    sub.node(model::Op::kNeg, "neg", {y}, {z});
    sub.model.inputs = {a, b};
    sub.model.outputs = {y, z};
    save("sub.nbl", sub.model);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void save(const std::string& name, const model::Model& model) {
    const auto bytes = model::write_nbl(model);
    std::ofstream(path(name), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void array(const std::string& name, std::vector<int64_t> shape, std::vector<float> values) {
    ASSERT_EQ(write_npy(path(name), {ElementType::kF32, std::move(shape), values.data()}), "");
  }
  std::vector<float> floats(const std::string& name, const std::vector<int64_t>& shape) {
    NpyArray read;
    EXPECT_EQ(read_npy(path(name), read), "");
    EXPECT_EQ(read.shape, shape);
    EXPECT_EQ(read.type, ElementType::kF32);
    const auto* at = reinterpret_cast<const float*>(read.data.data());
    return {at, at + read.data.size() / sizeof(float)};
  }
  /// Exit code; what it said goes to said_.
  int run(const std::string& arguments) {
    const std::string command = "cd '" + folder_.string() + "' && " NIBBLE_RUN_COMMAND " " +
                                arguments + " >out.txt 2>err.txt";
    const int status = std::system(command.c_str());
    std::ifstream stream(path("err.txt"));
    said_.assign(std::istreambuf_iterator<char>(stream), {});
    return WEXITSTATUS(status);
  }

  fs::path folder_;
  std::string said_;
};

TEST_F(NibbleRun, RunsOneInput) {
  array("x.npy", {2, 4}, {-1, 2, -3, 4, 5, -6, 7, -8});
  ASSERT_EQ(run("relu.nbl --input x.npy --output y.npy --verify"), 0) << said_;
  EXPECT_EQ(floats("y.npy", {2, 4}), (std::vector<float>{0, 2, 0, 4, 5, 0, 7, 0}));
  EXPECT_FALSE(fs::exists(path("y.npy.partial")));
  array("none.npy", {0, 4}, {});
  ASSERT_EQ(run("relu.nbl -i none.npy -o y.npy --threads=2"), 0) << said_;
  EXPECT_TRUE(floats("y.npy", {0, 4}).empty());
}

TEST_F(NibbleRun, NamesInputsAndOutputs) {
  array("a.npy", {1, 2}, {1, 2});
  array("b.npy", {1, 2}, {10, 20});
  ASSERT_EQ(run("sub.nbl --input b=b.npy --input a=a.npy --output z=z.npy"), 0) << said_;
  EXPECT_EQ(floats("z.npy", {1, 2}), (std::vector<float>{9, 18}));
  ASSERT_EQ(run("sub.nbl --input a.npy --input b.npy --output y.npy"), 0) << said_;
  EXPECT_EQ(floats("y.npy", {1, 2}), (std::vector<float>{-9, -18}));
}

TEST_F(NibbleRun, EachFaultHasItsCodeAndOneLine) {
  array("x.npy", {2, 4}, {-1, 2, -3, 4, 5, -6, 7, -8});
  array("wide.npy", {2, 5}, std::vector<float>(10));
  std::ofstream(path("short.npy"), std::ios::binary)
      << std::ifstream(path("x.npy"), std::ios::binary).rdbuf();
  fs::resize_file(path("short.npy"), fs::file_size(path("x.npy")) - 1);
  std::ofstream(path("text.npy")) << "not an array";
  std::ofstream(path("bad.nbl")) << "not a model";
  const auto fails = [&](const std::string& arguments, int code, const std::string& message) {
    EXPECT_EQ(run(arguments), code) << arguments;
    EXPECT_EQ(said_, "nibble-run: " + message + "\n");
  };
  fails("", 2, "expects a model: nibble-run MODEL.nbl --input X.npy");
  fails("relu.nbl --wrong", 2, "unknown option '--wrong'");
  fails("relu.nbl --input x.npy --threads 0", 2, "expects --threads from 1 to 1024, found '0'");
  fails("relu.nbl", 2, "expects --input x=FILE");
  fails("sub.nbl --input a=x.npy --input a=x.npy", 2, "--input names 'a' twice");
  fails("relu.nbl --input x.npy --input x.npy", 2, "--input x.npy: the model has x and no more");
  fails("relu.nbl --input no.npy", 6, "no.npy: cannot be read: No such file or directory");
  fails("relu.nbl --input text.npy", 6, "text.npy: expects a .npy file");
  fails("relu.nbl --input short.npy", 6, "short.npy: expects 32 bytes of elements, found 31");
  fails("relu.nbl --input wide.npy", 6, "relu.nbl: input 'x': expects Nx4, found 2x5");
  fails("relu.nbl --input x.npy --output no/y.npy", 7,
        "no/y.npy: cannot be written: No such file or directory");
  EXPECT_EQ(run("bad.nbl --input x.npy"), 3);
  EXPECT_EQ(said_.find("nibble-run: bad.nbl: "), 0u) << said_;
  EXPECT_EQ(run("missing.nbl --input x.npy"), 3);
  // By a link, so that the device is safe from a writer that replaces its target.
  fs::create_symlink("/dev/full", path("full"));
  fails("relu.nbl --input x.npy --output full", 7,
        "full: cannot be written: No space left on device");
  EXPECT_TRUE(fs::is_symlink(path("full")));
  EXPECT_EQ(setenv("NIBBLE_ISA", "avx9", 1), 0);
  EXPECT_EQ(run("relu.nbl --input x.npy"), 2);
  unsetenv("NIBBLE_ISA");
}

#if defined(__OPTIMIZE__) && defined(NIBBLE_RUN_AS_IT_SHIPS)
TEST_F(NibbleRun, IsSmallAndNeedsTheCLibraryAlone) {
  const std::string strip = "strip -o '" + path("stripped") + "' '" NIBBLE_RUN "'";
  const std::string list = "readelf -d '" NIBBLE_RUN "' >'" + path("needed.txt") + "'";
  ASSERT_EQ(std::system(strip.c_str()), 0);
  ASSERT_EQ(std::system(list.c_str()), 0);
  EXPECT_LT(fs::file_size(path("stripped")), 1500000u);
  std::ifstream stream(path("needed.txt"));
  int needed = 0;
  for (std::string line; std::getline(stream, line);) {
    if (line.find("(NEEDED)") == std::string::npos) continue;
    ++needed;
    const bool c_library = line.find("[libc.so") != std::string::npos ||
                           line.find("[libm.so") != std::string::npos ||
                           line.find("[ld-linux") != std::string::npos;
    EXPECT_TRUE(c_library) << line;
  }
  EXPECT_GT(needed, 0);
}
#endif

TEST_F(NibbleRun, ReadsWhatNumPyWrites) {
  // numpy 2: np.save of np.arange(3, dtype=np.int64), version 1.0.
  std::string header = "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }";
  header.resize(117, ' ');
  header += '\n';
  const int64_t values[] = {0, 1, 2};
  std::ofstream(path("n.npy"), std::ios::binary)
      << std::string("\x93NUMPY\x01\0\x76\0", 10) << header
      << std::string(reinterpret_cast<const char*>(values), sizeof values);
  NpyArray read;
  ASSERT_EQ(read_npy(path("n.npy"), read), "");
  EXPECT_EQ(read.type, ElementType::kI64);
  EXPECT_EQ(read.shape, (std::vector<int64_t>{3}));

  for (const auto& [from, to] : {std::pair<std::string, std::string>{"False", "True "},
                                 {"(3,)", "(4,)"},
                                 {"(3,)", "(2,)"},
                                 {"(3,)", "(-3"},
                                 {"'<i8'", "'>i8'"},
                                 {"'<i8'", "'|O8'"}}) {
    std::string broken = header;
    broken.replace(broken.find(from), from.size(), to);
    std::ofstream(path("n.npy"), std::ios::binary)
        << std::string("\x93NUMPY\x01\0\x76\0", 10) << broken
        << std::string(reinterpret_cast<const char*>(values), sizeof values);
    EXPECT_EQ(read_npy(path("n.npy"), read).find(path("n.npy") + ": expects"), 0u) << to;
  }
}

}  // namespace
}  // namespace nibble::app
