#include "deploy/run/share_work.h"

#include <gtest/gtest.h>

namespace nibble::run {
namespace {

TEST(ShareWork, SmallStepsStayWithTheCaller) {
  for (const Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512bw, Isa::kAvx512vnni,
                        Isa::kAmx, Isa::kNeon, Isa::kDotprod, Isa::kI8mm}) {
    EXPECT_FALSE(worth_sharing(0, 0, isa));
    EXPECT_FALSE(worth_sharing(640 * 1.0, 1e3, isa));
    EXPECT_TRUE(worth_sharing(1e9, 0, isa));
    EXPECT_TRUE(worth_sharing(0, 1e9, isa));
  }
}

TEST(ShareWork, FasterMachinesShareLess) {
  EXPECT_TRUE(worth_sharing(5e5, 0, Isa::kAvx2));
  EXPECT_FALSE(worth_sharing(5e5, 0, Isa::kAvx512vnni));
  EXPECT_FALSE(worth_sharing(2e6, 0, Isa::kAmx));
}

}  // namespace
}  // namespace nibble::run
