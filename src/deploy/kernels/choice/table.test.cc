#include "deploy/kernels/choice/table.h"

#include <gtest/gtest.h>

#include "deploy/kernels/choice/measure.h"

namespace nibble::kernels {
namespace {

KernelTable table_of(std::string_view text) {
  return KernelTable::parse(text, "t").value();
}

TEST(KernelTable, ChoosesTheFastestKernelOfTheNearestEntry) {
  const KernelTable table = table_of(
      "matmul_s8/portable 1 8 1 64 5\n"
      "matmul_s8/portable 1 8 100 64 50 # many rows\n"
      "\n"
      "bitserial/portable 1 1 1 64 40\n"
      "bitserial/portable 1 2 1 64 20\n");
  const auto chosen = [&](int w, int a, int64_t rows, int64_t channels) {
    return choose_product(table, Isa::kPortable,
                          {.w_bits = w, .a_bits = a, .rows = rows, .channels = channels});
  };
  EXPECT_EQ(chosen(1, 1, 1, 64), "bitserial/portable");
  EXPECT_EQ(chosen(1, 1, 1, 4), "matmul_s8/portable");  // 4 of 64 bits of a word are used
  EXPECT_EQ(chosen(1, 1, 50, 64), "matmul_s8/portable");
  EXPECT_EQ(chosen(1, 4, 1, 64), "matmul_s8/portable");  // no entry for bits of A that wide
  EXPECT_EQ(chosen(2, 1, 1, 64), "matmul_s8/portable");  // no entry at all
}

TEST(KernelTable, SmallAndLargeProductsHaveEntriesOfTheirOwn) {
  const KernelTable table = table_of(
      "matmul_s8/portable 1 8 1 64 9\n"
      "matmul_s8/portable 1 8 1 1024 10\n"
      "bitserial/portable 1 1 1 64 8\n"
      "bitserial/portable 1 1 1 1024 40\n");
  const auto chosen = [&](int64_t k) {
    return choose_product(table, Isa::kPortable, {.w_bits = 1, .a_bits = 1, .k = k});
  };
  EXPECT_EQ(chosen(128), "matmul_s8/portable");
  EXPECT_EQ(chosen(576), "bitserial/portable");
}

TEST(KernelTable, TablesComputeWholeTilesOfOneGroup) {
  const KernelTable table = table_of(
      "matmul_s8/portable 1 8 1 64 10\n"
      "lookup/portable 1 8 1 64 30\n");
  const auto chosen = [&](int64_t n, int64_t channels) {
    return choose_product(table, Isa::kPortable, {.w_bits = 1, .n = n, .channels = channels});
  };
  EXPECT_EQ(chosen(64, 64), "lookup/portable");
  EXPECT_EQ(chosen(64, 1), "lookup/portable");
  EXPECT_EQ(chosen(65, 64), "lookup/portable");     // 65 of 128
  EXPECT_EQ(chosen(10, 64), "matmul_s8/portable");  // 10 of 64
  EXPECT_EQ(chosen(64, 0), "matmul_s8/portable");   // several groups
}

TEST(KernelTable, FaultsNameTheLine) {
  for (const char* text : {"a/b 1 1 1 1", "a/b 1 1 1 1 1 1", "a/b 0 1 1 1 1", "a/b 1 17 1 1 1",
                           "a/b 1 1 0 1 1", "a/b 1 1 1 0 1", "a/b 1 1 1 1 nan", "a/b 1 1 1 1 -1"}) {
    const auto table = KernelTable::parse(std::string("# first\n") + text, "file.txt");
    ASSERT_FALSE(table.ok()) << text;
    EXPECT_TRUE(table.status().message().starts_with("file.txt:2: expects")) << text;
  }
}

TEST(KernelTable, TextOfEntriesParsesToThem) {
  const std::vector<KernelTable::Entry> entries = {{"matmul_s8/avx2", 3, 8, 128, 576, 54.25},
                                                   {"bitserial/avx2", 1, 1, 1, 64, 0.5}};
  const KernelTable table = table_of(to_text(entries));
  ASSERT_EQ(table.entries().size(), 2u);
  EXPECT_EQ(table.entries()[0].kernel, "matmul_s8/avx2");
  EXPECT_EQ(table.entries()[0].w_bits, 3);
  EXPECT_EQ(table.entries()[0].rows, 128);
  EXPECT_EQ(table.entries()[0].k, 576);
  EXPECT_DOUBLE_EQ(table.entries()[0].gops, 54.25);
}

TEST(KernelTable, TheBuiltInOneParses) {
  EXPECT_GT(KernelTable::built_in().entries().size(), 0u);
}

TEST(KernelTable, MeasuringCoversEveryKernelOfTheCeiling) {
  double share = 0;
  constexpr MeasuredProduct products[] = {{.channels = 32, .k = 64}};
  const auto entries = measure_products(
      Isa::kPortable, 0, [&](double s) { share = s; }, products);
  EXPECT_DOUBLE_EQ(share, 1);
  bool bits = false;
  for (const auto& e : entries) {
    EXPECT_TRUE(e.kernel.ends_with("/portable")) << e.kernel;
    EXPECT_GT(e.gops, 0);
    bits = bits || e.kernel == "bitserial/portable";
  }
  EXPECT_TRUE(bits);
}

}  // namespace
}  // namespace nibble::kernels
