#include <gtest/gtest.h>

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
  EXPECT_FALSE(isa_from_name("avx9"));
}

}  // namespace
}  // namespace nibble
