#include "quant/pipeline/energy_counters.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace nibble::pipeline {
namespace {

namespace fs = std::filesystem;

class Counters : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("nibble_powercap_" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  void domain(const std::string& name, const std::string& kind, const std::string& range) {
    fs::create_directories(folder_ / name);
    put(name + "/name", kind);
    put(name + "/max_energy_range_uj", range);
    put(name + "/energy_uj", "0");
  }
  void put(const std::string& file, const std::string& text) {
    std::ofstream(folder_ / file) << text << "\n";
  }
  fs::path folder_;
};

TEST_F(Counters, PackagesAndDramAreAddedUp) {
  domain("intel-rapl:0", "package-0", "1000000");
  domain("intel-rapl:0:0", "core", "1000000");
  domain("intel-rapl:0:1", "dram", "1000000");
  domain("intel-rapl-mmio:0", "package-0", "1000000");
  domain("dtpm", "package-0", "1000000");
  put("intel-rapl:0/energy_uj", "900000");
  auto counters = EnergyCounters::open(folder_);
  ASSERT_TRUE(counters.has_value());
  EXPECT_EQ(counters->take(), 0);
  put("intel-rapl:0/energy_uj", "950000");
  put("intel-rapl:0:0/energy_uj", "40000");
  put("intel-rapl:0:1/energy_uj", "10000");
  put("intel-rapl-mmio:0/energy_uj", "50000");
  EXPECT_DOUBLE_EQ(counters->take(), 0.06);
  EXPECT_EQ(counters->take(), 0);
  put("intel-rapl:0/energy_uj", "20000");  // wrapped around
  EXPECT_DOUBLE_EQ(counters->take(), 0.07);
}

TEST_F(Counters, NoneWhereThereIsNothingToRead) {
  EXPECT_FALSE(EnergyCounters::open(folder_).has_value());
  EXPECT_FALSE(EnergyCounters::open(folder_ / "missing").has_value());
  domain("intel-rapl:0", "core", "1000000");
  EXPECT_FALSE(EnergyCounters::open(folder_).has_value());
  domain("intel-rapl:1", "package-1", "1000000");
  fs::remove(folder_ / "intel-rapl:1/energy_uj");
  EXPECT_FALSE(EnergyCounters::open(folder_).has_value());
}

}  // namespace
}  // namespace nibble::pipeline
