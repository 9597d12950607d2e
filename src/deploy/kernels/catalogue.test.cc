#include "deploy/kernels/catalogue.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace nibble::kernels {
namespace {

TEST(Catalogue, EachNameIsFamilyAndIsaAndStandsOnce) {
  std::set<std::string_view> names;
  for (const KernelInfo& k : catalogue()) {
    EXPECT_TRUE(k.name.ends_with("/" + std::string(name_of(k.isa)))) << k.name;
    EXPECT_TRUE(names.insert(k.name).second) << k.name << " stands twice";
  }
}

TEST(Catalogue, EachFamilyBeginsWithItsPortableKernel) {
  std::string family;
  for (const KernelInfo& k : catalogue()) {
    const std::string own(k.name.substr(0, k.name.find('/')));
    if (own != family) {
      EXPECT_EQ(k.isa, Isa::kPortable) << k.name;
    }
    family = own;
  }
}

}  // namespace
}  // namespace nibble::kernels
