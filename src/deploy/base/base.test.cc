#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "deploy/base/cpu.h"
#include "deploy/base/tensor.h"

namespace nibble {
namespace {

TEST(Shape, PrintsAndCompares) {
  EXPECT_EQ(to_string(Shape{kUnknownDim, 3, 32}), "Nx3x32");
  EXPECT_EQ(to_string(Shape{}), "scalar");
  EXPECT_EQ(Shape{}.size(), 1);
  EXPECT_EQ((Shape{2, 0, 3}).size(), 0);
  EXPECT_NE((Shape{1, 2}), (Shape{1, 2, 1}));
}

TEST(Isa, NamesRoundTripAndPortableAlwaysRuns) {
  for (int i = 0; i <= static_cast<int>(Isa::kI8mm); ++i)
    EXPECT_EQ(isa_from_name(name_of(static_cast<Isa>(i))), static_cast<Isa>(i));
  EXPECT_TRUE(cpu_runs(Isa::kPortable));
  EXPECT_EQ(runnable_isas().front(), Isa::kPortable);
  EXPECT_FALSE(isa_from_name("avx9"));
}

TEST(Isa, TheEnvironmentNamesACeilingThatThisMachineRuns) {
  const char* before = std::getenv("NIBBLE_ISA");
  const std::string restore = before ? before : "";
  for (int i = 0; i <= static_cast<int>(Isa::kI8mm); ++i) {
    const auto isa = static_cast<Isa>(i);
    setenv("NIBBLE_ISA", std::string(name_of(isa)).c_str(), 1);
    const Result<Isa> ceiling = isa_from_environment();
    ASSERT_EQ(ceiling.ok(), cpu_runs(isa)) << name_of(isa);
    if (!ceiling.ok()) continue;
    EXPECT_EQ(ceiling.value(), isa);
  }
  setenv("NIBBLE_ISA", "avx9", 1);
  EXPECT_EQ(isa_from_environment().status().code(), StatusCode::kInvalidArgument);
  unsetenv("NIBBLE_ISA");
  EXPECT_EQ(isa_from_environment().value(), runnable_isas().back());
  if (before) setenv("NIBBLE_ISA", restore.c_str(), 1);
}

/// Which of ours each processor runs that the emulator plays; $QEMU_CPU is set in cross builds.
TEST(Isa, IsDetectedAsTheProcessorIsDocumented) {
  const char* name = std::getenv("QEMU_CPU");
  if (!name) GTEST_SKIP() << "QEMU_CPU names no processor";
  const std::vector<Isa> all = {Isa::kPortable, Isa::kNeon, Isa::kDotprod, Isa::kI8mm};
  const size_t count = std::string(name) == "cortex-a72"    ? 2
                       : std::string(name) == "neoverse-n1" ? 3
                                                            : 4;
  EXPECT_EQ(runnable_isas(), std::vector<Isa>(all.begin(), all.begin() + count));
}

}  // namespace
}  // namespace nibble
