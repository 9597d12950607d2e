#include "quant/data/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quant/data/testing.h"

namespace nibble::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string usage_error(const std::string& text) {
  return error_of(ErrorKind::kUsage, [&] { parse_spec(text); });
}

TEST(Spec, PathsAlone) {
  EXPECT_THAT(parse_spec("a.bin").paths, ElementsAre("a.bin"));
  EXPECT_THAT(parse_spec("a.bin,b/c.bin").paths, ElementsAre("a.bin", "b/c.bin"));
  EXPECT_THAT(parse_spec("mail@home/x.npy").paths, ElementsAre("mail@home/x.npy"));
}

TEST(Spec, EveryKey) {
  const Spec s = parse_spec(
      "d@labels=l.u8,preprocess=unit,mean=0.5:0.25:-1e-3,std=2,bgr=1,resize=256,crop=224x192,"
      "range=5:10,shuffle=18446744073709551615,samples=3");
  EXPECT_EQ(s.labels, "l.u8");
  EXPECT_EQ(s.preprocess, Preprocess::kUnit);
  EXPECT_THAT(s.mean, ElementsAre(0.5f, 0.25f, -1e-3f));
  EXPECT_THAT(s.std, ElementsAre(2.0f));
  EXPECT_TRUE(s.bgr);
  EXPECT_EQ(s.resize->height, 256);
  EXPECT_EQ(s.resize->width, 0);
  EXPECT_EQ(s.crop->width, 192);
  EXPECT_EQ(s.first, 5);
  EXPECT_EQ(s.last, 10);
  EXPECT_EQ(s.shuffle, UINT64_MAX);
  EXPECT_EQ(s.samples, 3);
  const Spec raw = parse_spec("k.i8@raw=i8,shape=1x49x10,scale=0.5847029,zero=83");
  EXPECT_EQ(raw.raw, DType::kI8);
  EXPECT_EQ(*raw.shape, (Shape{1, 49, 10}));
  EXPECT_EQ(raw.scale, 0.5847029f);
  EXPECT_EQ(raw.zero, 83);
  EXPECT_EQ(parse_spec("t.u16@window=257").window, 257);
}

TEST(Spec, OpenRanges) {
  EXPECT_EQ(parse_spec("d@range=5:").first, 5);
  EXPECT_FALSE(parse_spec("d@range=5:").last.has_value());
  EXPECT_EQ(parse_spec("d@range=:5").last, 5);
}

TEST(Spec, UnknownKeyListsAll) {
  const std::string message = usage_error("d@foo=1");
  EXPECT_THAT(message, HasSubstr("unknown key 'foo'"));
  for (const KeyInfo& key : spec_keys()) EXPECT_THAT(message, HasSubstr(key.name));
}

TEST(Spec, WrongValuesShowTheForm) {
  EXPECT_THAT(usage_error("d@preprocess=keras"), HasSubstr("none|unit|tf|imagenet|caffe"));
  for (const char* text : {"d@mean=",
                           "d@mean=1:2",
                           "d@mean=nan",
                           "d@mean=1:2:x",
                           "d@std=0",
                           "d@std=1:-1:1",
                           "d@bgr=yes",
                           "d@resize=0",
                           "d@resize=1x2x3",
                           "d@crop=-1",
                           "d@range=5",
                           "d@range=:",
                           "d@range=5:5",
                           "d@range=6:5",
                           "d@range=-1:5",
                           "d@shuffle=-1",
                           "d@samples=0",
                           "d@samples=1.5",
                           "d@raw=f32,shape=1",
                           "d@raw=i8,shape=0",
                           "d@raw=i8,shape=1xx2",
                           "d@raw=i8,shape=1x1x1x1x1x1x1x1",
                           "d@raw=i8,shape=2000000x2000000",
                           "d@window=1",
                           "d@labels=",
                           "d@raw=i8,shape=1,scale=0",
                           "d@raw=i8,shape=1,scale=inf",
                           "d@raw=i8,shape=1,zero=1e3"})
    EXPECT_THAT(usage_error(text), HasSubstr("expected")) << text;
}

TEST(Spec, KeysThatExcludeOrNeedEachOther) {
  EXPECT_THAT(usage_error("d@raw=i8"), HasSubstr("shape="));
  EXPECT_THAT(usage_error("d@scale=1"), HasSubstr("scale= needs raw="));
  EXPECT_THAT(usage_error("d@preprocess=tf,mean=1"), HasSubstr("preprocess none or unit"));
  EXPECT_THAT(usage_error("d@preprocess=caffe,bgr=1"), HasSubstr("preprocess none or unit"));
  EXPECT_THAT(usage_error("d@samples=1,samples=2"), HasSubstr("given twice"));
  EXPECT_THAT(usage_error("d@samples=1,shuffle"), HasSubstr("key=value"));
  EXPECT_THAT(usage_error("a,,b"), HasSubstr("empty path"));
  EXPECT_THAT(usage_error(""), HasSubstr("empty path"));
}

}  // namespace
}  // namespace nibble::data
