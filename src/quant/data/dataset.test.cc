#include "quant/data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "quant/data/npy.h"
#include "quant/data/testing.h"

namespace nibble::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Datasets : public FilesTest {
 protected:
  Datasets() {
    std::vector<float> values(10);
    std::iota(values.begin(), values.end(), 0.0f);
    write_npy(path("x.npy"), Tensor::of<float>({10, 1}, values).view());
  }
  std::vector<float> values_of(const std::string& keys, int64_t samples = 0) {
    const auto d =
        open_dataset(path("x.npy") + keys, one_input({kUnknownDim, 1}), Part::kTest, samples);
    const Batch batch = d->read(0, d->size());
    const auto values = batch.inputs[0].span<float>();
    return {values.begin(), values.end()};
  }
};

TEST_F(Datasets, RangeShuffleSamplesInThisOrder) {
  EXPECT_THAT(values_of("@range=2:5"), ElementsAre(2, 3, 4));
  EXPECT_THAT(values_of("@range=8:"), ElementsAre(8, 9));
  EXPECT_THAT(values_of("@samples=2"), ElementsAre(0, 1));
  EXPECT_THAT(values_of("@range=4:6,samples=5"), ElementsAre(4, 5));
  // The stream of splitmix64(1) through Fisher and Yates: fixed for ever.
  EXPECT_THAT(values_of("@shuffle=1"), ElementsAre(4, 2, 8, 1, 9, 3, 0, 6, 7, 5));
  const auto part = values_of("@shuffle=1,range=3:9,samples=4");
  EXPECT_EQ(part.size(), 4u);
  for (float v : part) EXPECT_TRUE(v >= 3 && v < 9);
  EXPECT_NE(values_of("@shuffle=1"), values_of("@shuffle=2"));
  auto sorted = values_of("@shuffle=2");
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, values_of(""));
}

TEST_F(Datasets, SamplesOfTheCallerYieldToTheKey) {
  EXPECT_EQ(values_of("", 3).size(), 3u);
  EXPECT_EQ(values_of("@samples=4", 3).size(), 4u);
  EXPECT_EQ(values_of("", 512).size(), 10u);
}

TEST_F(Datasets, RangeBeyondTheDataIsAnError) {
  for (const char* keys : {"@range=0:11", "@range=10:", "@range=10:11"})
    EXPECT_THAT(error_of(ErrorKind::kData, [&] { values_of(keys); }),
                HasSubstr("holds 10 samples"));
}

TEST_F(Datasets, ShapesThatDoNotFitAreBothNamed) {
  EXPECT_THAT(error_of(ErrorKind::kData,
                       [&] {
                         open_dataset(path("x.npy"), one_input({4, 2}), Part::kTest);
                       }),
              HasSubstr("samples are 1, input 'x' is 4x2"));
  EXPECT_THAT(
      error_of(ErrorKind::kData,
               [&] {
                 open_dataset("synthetic:1", one_input({kUnknownDim, 3, 96, 96}), Part::kTest);
               }),
      HasSubstr("images are 3x32x32 (as HxWxC 32x32x3), input 'x' is Nx3x96x96"));
  EXPECT_THAT(
      error_of(ErrorKind::kData,
               [&] {
                 open_dataset("synthetic:1", one_input({kUnknownDim, 1, 32, 32}), Part::kTest);
               }),
      HasSubstr("Nx1x32x32"));
}

TEST_F(Datasets, ImageKeysAreForImages) {
  for (const char* keys : {"@preprocess=unit", "@resize=3", "@crop=3", "@mean=1", "@bgr=1"})
    EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { values_of(keys); }), HasSubstr("is for images"));
}

TEST_F(Datasets, UnknownDimensionsTakeTheDatas) {
  const auto d = open_dataset("synthetic:1@resize=20",
                              one_input({kUnknownDim, 3, kUnknownDim, kUnknownDim}), Part::kTest);
  EXPECT_EQ(d->inputs()[0].shape, (Shape{kUnknownDim, 3, 20, 20}));
}

TEST_F(Datasets, PixelsStayBytesForAByteInput) {
  const auto natural = open_dataset("synthetic:1", {}, Part::kTest);
  EXPECT_EQ(natural->inputs()[0].dtype, DType::kU8);
  EXPECT_EQ(open_dataset("synthetic:1@preprocess=unit", {}, Part::kTest)->inputs()[0].dtype,
            DType::kF32);
  const auto bytes =
      open_dataset("synthetic:1@bgr=1", one_input({1, 32, 32, 3}, DType::kU8), Part::kTest);
  const Batch a = natural->read(3, 1), b = bytes->read(3, 1);
  EXPECT_EQ(a.inputs[0].span<uint8_t>()[0], b.inputs[0].span<uint8_t>()[2]);  // red
  error_of(ErrorKind::kData, [] {
    open_dataset("synthetic:1@preprocess=tf", one_input({1, 32, 32, 3}, DType::kU8), Part::kTest);
  });
}

TEST_F(Datasets, ValuesThatDoNotConvertAreErrors) {
  const float nan[] = {1, NAN};
  write_npy(path("nan.npy"), Tensor::of<float>({2}, nan).view());
  const auto d = open_dataset(path("nan.npy"), one_input({kUnknownDim}), Part::kTest);
  EXPECT_EQ(d->read(0, 1).inputs[0].span<float>()[0], 1);
  EXPECT_THAT(error_of(ErrorKind::kData, [&] { d->read(0, 2); }),
              HasSubstr("nan.npy: sample 1: element 0 is NaN"));
  const int64_t big[] = {int64_t{1} << 31};
  write_npy(path("big.npy"), Tensor::of<int64_t>({1}, big).view());
  EXPECT_THAT(
      error_of(
          ErrorKind::kData,
          [&] {
            open_dataset(path("big.npy"), one_input({1}, DType::kI32), Part::kTest)->read(0, 1);
          }),
      HasSubstr("element 0 is 2147483648, expected i32"));
  error_of(ErrorKind::kData, [&] {
    open_dataset(path("x.npy"), one_input({1, 1}, DType::kI64), Part::kTest);
  });
}

TEST_F(Datasets, HalvesAndIntegersBecomeFloats) {
  const uint16_t bits[] = {0x3c00, 0xc000, 0x0001, 0x8000, 0x7bff, 0x0400};
  Tensor half(DType::kF16, {6});
  std::copy_n(bits, 6, half.span<uint16_t>().begin());
  write_npy(path("h.npy"), half.view());
  const auto d = open_dataset(path("h.npy"), one_input({kUnknownDim}), Part::kTest);
  EXPECT_THAT(d->read(0, 6).inputs[0].span<float>(),
              ElementsAre(1, -2, 0x1p-24f, -0.0f, 65504, 0x1p-14f));
  const int8_t small[] = {-128, 127};
  write_npy(path("s.npy"), Tensor::of<int8_t>({2}, small).view());
  EXPECT_THAT(open_dataset(path("s.npy"), one_input({2}, DType::kI64), Part::kTest)
                  ->read(0, 2)
                  .inputs[0]
                  .span<int64_t>(),
              ElementsAre(-128, 127));
}

}  // namespace
}  // namespace nibble::data
