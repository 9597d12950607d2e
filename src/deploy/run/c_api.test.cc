#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "deploy/model/nbl_test_model.h"
#include "nibble/run_c.h"

namespace nibble::run {
namespace {

namespace fs = std::filesystem;

/// y = max(x, 0), x and y Nx4.
class CApi : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = fs::temp_directory_path() / ("nibble_c_api_" + std::to_string(getpid()) + ".nbl");
    const Buffer bytes = model::write_nbl(model::TestModel::relu().model);
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    ASSERT_EQ(nibble_model_load(path_.c_str(), 1, &model_), NIBBLE_OK) << nibble_error_text();
    ASSERT_EQ(nibble_session_create(model_, 1, &session_), NIBBLE_OK) << nibble_error_text();
  }
  void TearDown() override {
    nibble_session_free(session_);
    nibble_model_free(model_);
    fs::remove(path_);
  }
  static nibble_array rows(std::vector<float>& values, int64_t count) {
    return {values.data(), values.size() * sizeof(float), NIBBLE_F32, 2, {count, 4}};
  }
  static nibble_array room(std::vector<float>& values) {
    return {values.data(), values.size() * sizeof(float), 0, 0, {}};
  }

  fs::path path_;
  nibble_model* model_ = nullptr;
  nibble_session* session_ = nullptr;
};

TEST_F(CApi, TellsPortsAndVersions) {
  EXPECT_EQ(nibble_abi_version(), static_cast<uint32_t>(NIBBLE_ABI_VERSION));
  EXPECT_STRNE(nibble_version(), "");
  ASSERT_EQ(nibble_model_input_count(model_), 1u);
  ASSERT_EQ(nibble_model_output_count(model_), 1u);
  const nibble_port* x = nibble_model_input(model_, 0);
  EXPECT_STREQ(x->name, "x");
  EXPECT_EQ(x->type, NIBBLE_F32);
  ASSERT_EQ(x->rank, 2);
  EXPECT_EQ(x->shape[0], -1);
  EXPECT_EQ(x->shape[1], 4);
  EXPECT_EQ(nibble_model_input(model_, 1), nullptr);
  EXPECT_EQ(nibble_model_output(model_, 1), nullptr);
}

TEST_F(CApi, RunsInTheCallersBuffers) {
  std::vector<float> x = {-1, 2, -3, 4, 5, -6, 7, -8}, y(9, 99);
  nibble_array in = rows(x, 2), out = room(y);
  ASSERT_EQ(nibble_session_run(session_, &in, 1, &out, 1), NIBBLE_OK) << nibble_error_text();
  EXPECT_EQ(y, (std::vector<float>{0, 2, 0, 4, 5, 0, 7, 0, 99}));
  EXPECT_EQ(out.type, NIBBLE_F32);
  ASSERT_EQ(out.rank, 2);
  EXPECT_EQ(out.shape[0], 2);
  EXPECT_EQ(out.shape[1], 4);
  EXPECT_GT(nibble_session_peak_activation_bytes(session_), 0u);

  nibble_array unwanted{};
  EXPECT_EQ(nibble_session_run(session_, &in, 1, &unwanted, 1), NIBBLE_OK);
  EXPECT_EQ(unwanted.shape[0], 2);
  EXPECT_EQ(nibble_session_run(session_, &in, 1, nullptr, 0), NIBBLE_OK);
  nibble_array empty = {nullptr, 0, NIBBLE_F32, 2, {0, 4}};
  EXPECT_EQ(nibble_session_run(session_, &empty, 1, &out, 1), NIBBLE_OK) << nibble_error_text();
  EXPECT_EQ(out.shape[0], 0);
}

TEST_F(CApi, AnOutputThatDoesNotFitStaysUntouched) {
  std::vector<float> x(8, 1), y(7, 99);
  nibble_array in = rows(x, 2), out = room(y);
  EXPECT_EQ(nibble_session_run(session_, &in, 1, &out, 1), NIBBLE_DATA);
  EXPECT_STREQ(nibble_error_text(), "output 'y': expects room for 32 bytes, found 28");
  EXPECT_EQ(y, std::vector<float>(7, 99));
  EXPECT_EQ(out.shape[0], 2);
}

TEST_F(CApi, SaysWhatIsWrong) {
  std::vector<float> x(8), y(8);
  const nibble_array good = rows(x, 2);
  nibble_array out = room(y);
  const auto fails = [&](nibble_array in, const std::string& text) {
    EXPECT_EQ(nibble_session_run(session_, &in, 1, &out, 1), NIBBLE_DATA);
    EXPECT_NE(std::string(nibble_error_text()).find(text), std::string::npos)
        << nibble_error_text();
  };
  nibble_array in = good;
  in.type = 14;
  fails(in, "input 0: expects an element type from 1 to 13, found 14");
  in = good;
  in.type = NIBBLE_I32;
  fails(in, "input 'x': expects f32, found i32");
  in = good;
  in.rank = 9;
  fails(in, "input 0: expects a rank from 0 to 8, found 9");
  in = good;
  in.bytes = 31;
  fails(in, "input 0: expects 32 bytes for its shape, found 31");
  in = good;
  in.shape[1] = 2;
  in.shape[0] = 4;
  fails(in, "input 'x': expects Nx4, found 4x2");
  in = good;
  in.shape[0] = -2;
  fails(in, "input 0: expects ");
  in = good;
  in.data = nullptr;
  fails(in, "an input has no data");

  EXPECT_EQ(nibble_session_run(session_, &good, 0, &out, 1), NIBBLE_DATA);
  nibble_array outs[2] = {out, out};
  EXPECT_EQ(nibble_session_run(session_, &good, 1, outs, 2), NIBBLE_DATA);
  EXPECT_STREQ(nibble_error_text(), "expects 1 outputs, found 2");
  EXPECT_EQ(nibble_session_run(nullptr, &good, 1, &out, 1), NIBBLE_USAGE);

  nibble_model* model = model_;
  EXPECT_EQ(nibble_model_load("no/such.nbl", 0, &model), NIBBLE_MODEL);
  EXPECT_EQ(model, nullptr);
  EXPECT_STREQ(nibble_error_text(), "no/such.nbl: No such file or directory");
  nibble_session* session = nullptr;
  EXPECT_EQ(nibble_session_create(model_, 0, &session), NIBBLE_USAGE);
  EXPECT_EQ(nibble_session_create(nullptr, 1, &session), NIBBLE_USAGE);
  EXPECT_EQ(session, nullptr);
}

TEST_F(CApi, SessionsOutliveTheHandleOfTheirModel) {
  nibble_model_free(model_);
  model_ = nullptr;
  std::vector<float> x(4, -1), y(4, 99);
  nibble_array in = rows(x, 1), out = room(y);
  ASSERT_EQ(nibble_session_run(session_, &in, 1, &out, 1), NIBBLE_OK);
  EXPECT_EQ(y, std::vector<float>(4, 0));
}

TEST_F(CApi, RunsOfOneSessionQueueUp) {
  // Shapes differ from thread to thread, so that nearly every run plans its memory anew.
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      const auto count = static_cast<int64_t>(t + 1);
      std::vector<float> x(4 * (t + 1), static_cast<float>(t + 1)), y(x.size());
      nibble_array in = rows(x, count);
      for (int i = 0; i < 500; ++i) {
        std::fill(y.begin(), y.end(), -1.0f);
        nibble_array out = room(y);
        const nibble_status status = nibble_session_run(session_, &in, 1, &out, 1);
        wrong[t] += status != NIBBLE_OK || y != x || out.shape[0] != count;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace nibble::run
