#include "quant/pipeline/energy.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "quant/graph/error.h"

namespace nibble::pipeline {
namespace {

LayerWork integer_work(int weight_bits, int activation_bits) {
  return {.macs = 1e6,
          .weight_bytes = 1000,
          .activation_bytes = 500,
          .integer = true,
          .weight_bits = weight_bits,
          .activation_bits = activation_bits};
}

TEST(Energy, MacsCostWhatHorowitzSays) {
  const EnergyTable table;
  EXPECT_NEAR(energy_of_mac(table, {}), 4.6, 1e-12);
  EXPECT_NEAR(energy_of_mac(table, integer_work(8, 8)), 0.30, 1e-12);
  EXPECT_NEAR(energy_of_mac(table, integer_work(4, 8)), 0.20, 1e-12);
  EXPECT_NEAR(energy_of_mac(table, integer_work(4, 4)), 0.15, 1e-12);
  EXPECT_NEAR(energy_of_mac(table, integer_work(2, 2)), 0.1125, 1e-12);
  EXPECT_NEAR(energy_of_mac(table, integer_work(1, 1)), 0.103125, 1e-12);
}

TEST(Energy, FallsWithTheBits) {
  double last = estimate_joules({}, integer_work(8, 8), 0);
  for (int bits = 7; bits >= 1; --bits) {
    const double joules = estimate_joules({}, integer_work(bits, bits), 0);
    EXPECT_LT(joules, last);
    last = joules;
  }
}

TEST(Energy, WithoutMacsOnlyMovementCosts) {
  LayerWork layer = integer_work(8, 8);
  layer.macs = 0;
  EXPECT_NEAR(estimate_joules({}, layer, 0), 1500 * 1.25e-12, 1e-24);
  EXPECT_NEAR(estimate_joules({}, layer, 1 << 20), 1500 * 1.25e-12, 1e-24);
  // Weights that do not stay on the chip, then activations that do not fit either.
  EXPECT_NEAR(estimate_joules({}, layer, 2e6), (1500 * 1.25 + 1000 * 160) * 1e-12, 1e-24);
  layer.activation_bytes = 2e6;
  EXPECT_NEAR(estimate_joules({}, layer, 0), (2001000 * 1.25 + 2e6 * 160) * 1e-12, 1e-20);
  EXPECT_EQ(estimate_joules({}, {}, 0), 0);
}

class EnergyFile : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/nibble_energy_XXXXXX";
    const int file = mkstemp(name);
    ASSERT_GE(file, 0);
    path_ = name;
  }
  void TearDown() override { std::filesystem::remove(path_); }
  void write(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }
  void fails(const std::string& text, const std::string& expected) {
    write(text);
    try {
      load_energy_table(path_);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind, ErrorKind::kUsage);
      EXPECT_NE(std::string(error.what()).find(path_), std::string::npos);
      EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
    }
  }
  std::string path_;
};

TEST_F(EnergyFile, ReplacesTheTableLinearly) {
  write(R"({"multiply_8x8": 0.4, "add_32": 0.2, "cache_byte": 2.5, "memory_byte": 320})");
  const EnergyTable twice = load_energy_table(path_);
  EXPECT_EQ(twice.float_add, EnergyTable().float_add);
  for (double network : {0.0, 1e9})
    EXPECT_NEAR(estimate_joules(twice, integer_work(4, 8), network),
                2 * estimate_joules({}, integer_work(4, 8), network), 1e-18);
}

TEST_F(EnergyFile, SaysWhatIsWrong) {
  fails("", "is empty or cannot be read");
  fails("{\"add_32\": [", "not JSON");
  fails("{\n\"add_31\": 1}", "add_31");
  fails("{\n\"add_32\": -1}", "a number from 0 on");
  fails("{\"add_32\": \"much\"}", "a number from 0 on");
  fails("{\"add_32\": 1, \"add_32\": 2}", "add_32");
  fails("[1]", "expected");
}

}  // namespace
}  // namespace nibble::pipeline
