#include "deploy/model/nbl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "deploy/model/nbl_test_model.h"

namespace nibble::model {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

void expect_same(const Model& a, const Model& b) {
  EXPECT_EQ(a.phase, b.phase);
  EXPECT_EQ(a.requantise, b.requantise);
  EXPECT_EQ(a.inputs, b.inputs);
  EXPECT_EQ(a.outputs, b.outputs);
  EXPECT_EQ(a.metadata, b.metadata);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (size_t i = 0; i < a.tensors.size(); ++i) {
    const TensorInfo &s = a.tensors[i], &t = b.tensors[i];
    EXPECT_EQ(s.name, t.name);
    EXPECT_EQ(s.dtype, t.dtype);
    EXPECT_EQ(s.shape, t.shape);
    EXPECT_EQ(s.quant, t.quant);
    EXPECT_EQ(s.packed, t.packed);
    EXPECT_EQ(s.is_constant, t.is_constant);
    ASSERT_EQ(s.data.size(), t.data.size()) << s.name;
    EXPECT_TRUE(std::equal(s.data.begin(), s.data.end(), t.data.begin())) << s.name;
  }
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  for (size_t i = 0; i < a.nodes.size(); ++i) {
    EXPECT_EQ(a.nodes[i].op, b.nodes[i].op);
    EXPECT_EQ(a.nodes[i].name, b.nodes[i].name);
    EXPECT_EQ(a.nodes[i].inputs, b.nodes[i].inputs);
    EXPECT_EQ(a.nodes[i].outputs, b.nodes[i].outputs);
    EXPECT_EQ(a.nodes[i].attributes.entries(), b.nodes[i].attributes.entries());
  }
}

TEST(Nbl, RoundTripKeepsEverything) {
  const TestModel m = TestModel::full();
  auto read = reread(m.model);
  ASSERT_TRUE(read.ok()) << read.status().message();
  expect_same(m.model, *read.value());
  EXPECT_EQ(read.value()->source, "m.nbl");
  const float zero = read.value()->nodes[0].attributes.get_float(Attr::clip_min, 1.0f);
  EXPECT_TRUE(zero == 0 && std::signbit(zero));
}

TEST(Nbl, RoundTripOfOneBitWeightsAndGrids) {
  TestModel m = TestModel::relu();
  m.tensor(0).quant = numeric::QuantParams{
      .grid = numeric::GridId::kBinary, .bits = 1, .qmin = -1, .qmax = 1, .scales = {0.5f}};
  const int w =
      m.packed("w", {3, 5}, format::as_binary(format::make_record(1, true, 1, 3, 1, 1, 5)));
  const int scale = m.constant("s", {}, DType::kF32), y = m.activation("real", {3, 5});
  m.node(Op::kDequantizeLinear, "island", {w, scale}, {y});
  m.model.outputs.push_back(y);
  auto read = reread(m.model);
  ASSERT_TRUE(read.ok()) << read.status().message();
  expect_same(m.model, *read.value());
}

TEST(Nbl, RoundTripOfEveryAttributeAndOp) {
  for (int key = 0; key < attr_count(); ++key) {
    TestModel m = TestModel::relu();
    const auto attr = static_cast<Attr>(key);
    switch (kind_of(attr)) {
      case AttrKind::kInt:
        m.model.nodes[0].attributes.set(attr, int64_t{attr == Attr::to ? 3 : -7});
        break;
      case AttrKind::kFloat:
        m.model.nodes[0].attributes.set(attr, -1.25e-40f);
        break;
      case AttrKind::kInts:
        m.model.nodes[0].attributes.set(attr, std::vector<int64_t>{INT64_MIN, 0, INT64_MAX});
        break;
      case AttrKind::kFloats:
        m.model.nodes[0].attributes.set(attr, std::vector<float>{-0.0f, INFINITY});
        break;
      case AttrKind::kString:
        m.model.nodes[0].attributes.set(attr, std::string("a\0b", 3));
        break;
    }
    auto read = reread(m.model);
    ASSERT_TRUE(read.ok()) << name_of(attr) << ": " << read.status().message();
    expect_same(m.model, *read.value());
  }
}

TEST(Nbl, RoundTripOfEveryGranularityAndWidth) {
  using numeric::Granularity;
  for (int bits : {2, 3, 8, 16})
    for (auto granularity :
         {Granularity::kTensor, Granularity::kChannel, Granularity::kGroup, Granularity::kBlock}) {
      TestModel m = TestModel::relu();
      const int w = m.constant("w", {3, 5}, DType::kF32);
      m.model.outputs.push_back(w);
      numeric::QuantParams q;
      q.bits = bits;
      q.range = numeric::RangeKind::kAsymmetric;
      q.qmin = 0;
      q.qmax = (1 << bits) - 1;
      q.granularity = granularity;
      q.group = 2;
      q.scales.assign(static_cast<size_t>(numeric::scale_count(q, {3, 5})), 0.1f);
      q.zero_points.assign(q.scales.size(), 1);
      m.tensor(w).quant = q;
      auto read = reread(m.model);
      ASSERT_TRUE(read.ok()) << read.status().message();
      expect_same(m.model, *read.value());
    }
}

TEST(Nbl, EqualModelsGiveEqualBytes) {
  const Buffer a = write_nbl(TestModel::full().model), b = write_nbl(TestModel::full().model);
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size()), 0);
  auto read = reread(a, a.size());
  const Buffer c = write_nbl(*read.value());
  ASSERT_EQ(a.size(), c.size());
  EXPECT_EQ(std::memcmp(a.data(), c.data(), a.size()), 0);
}

TEST(Nbl, MapsConstantsInPlace) {
  const auto path = std::filesystem::temp_directory_path() / "nibble_nbl_test.nbl";
  const Buffer bytes = write_nbl(TestModel::full().model);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
  auto read = load_nbl(path.string());
  std::filesystem::remove(path);
  ASSERT_TRUE(read.ok()) << read.status().message();
  const std::byte* first = nullptr;
  for (const TensorInfo& t : read.value()->tensors) {
    if (!t.is_constant) continue;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(t.data.data()) % 64, 0u);
    if (!first) first = t.data.data();
    EXPECT_LT(t.data.data() - first, static_cast<ptrdiff_t>(bytes.size()));  // one mapping
  }
}

TEST(Nbl, FilesThatCannotBeOpened) {
  for (const char* path : {"/nonexistent/m.nbl", "/"}) {
    auto read = load_nbl(path);
    EXPECT_EQ(read.status().code(), StatusCode::kIo);
    EXPECT_THAT(read.status().message(), StartsWith(path));
  }
  auto empty = load_nbl("/dev/null");
  EXPECT_EQ(empty.status().code(), StatusCode::kIo);
  EXPECT_THAT(reread(Buffer(), 0).status().message(), HasSubstr("holds 0 bytes"));
}

}  // namespace
}  // namespace nibble::model
