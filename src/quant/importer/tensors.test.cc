// Element types and storage forms of constants.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quant/importer/float_bits.h"
#include "quant/importer/tensor_reader.h"
#include "quant/importer/testing.h"

namespace nibble::importer {
namespace {

using onnx::ElementType;
using testing::Folder;
using testing::ModelBuilder;

StoredTensor read(const onnx::TensorProto& proto) {
  ExternalData external("m.onnx");
  return read_tensor(proto, "m.onnx", external);
}

std::string error_of(const onnx::TensorProto& proto) {
  try {
    read(proto);
  } catch (const Error& error) {
    return error.message;
  }
  return "";
}

onnx::TensorProto raw(const std::vector<int64_t>& dims, ElementType type,
                      const std::string& bytes) {
  onnx::TensorProto proto;
  ModelBuilder::fill(proto, "t", dims, type);
  proto.set_raw_data(bytes);
  return proto;
}

template <class T>
std::vector<T> elements(const Tensor& tensor) {
  return {tensor.span<T>().begin(), tensor.span<T>().end()};
}

TEST(Tensors, NarrowIntegersUnpackLeastSignificantFirst) {
  const auto i4 = read(raw({3}, ElementType::kInt4, "\x8f\x07"));
  EXPECT_EQ(elements<int8_t>(i4.tensor), (std::vector<int8_t>{-1, -8, 7}));
  EXPECT_EQ(i4.stored, ElementType::kInt4);
  const auto u4 = read(raw({3}, ElementType::kUint4, "\x8f\x07"));
  EXPECT_EQ(elements<uint8_t>(u4.tensor), (std::vector<uint8_t>{15, 8, 7}));
  const auto i2 = read(raw({5}, ElementType::kInt2, std::string("\xe4\x01", 2)));
  EXPECT_EQ(elements<int8_t>(i2.tensor), (std::vector<int8_t>{0, 1, -2, -1, 1}));
  const auto u2 = read(raw({5}, ElementType::kUint2, std::string("\xe4\x01", 2)));
  EXPECT_EQ(elements<uint8_t>(u2.tensor), (std::vector<uint8_t>{0, 1, 2, 3, 1}));
}

TEST(Tensors, EveryHalfIsExact) {
  for (int bits = 0; bits < 0x10000; ++bits) {
    const float x = half_to_float(static_cast<uint16_t>(bits));
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    if (exponent == 31) {
      EXPECT_EQ(std::isnan(x), fraction != 0);
      EXPECT_EQ(std::isinf(x), fraction == 0);
      continue;
    }
    const double magnitude =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    ASSERT_EQ(static_cast<double>(x), bits & 0x8000 ? -magnitude : magnitude) << bits;
    ASSERT_EQ(std::signbit(x), (bits & 0x8000) != 0);
  }
  EXPECT_EQ(bfloat16_to_float(0xc040), -3.0f);
}

TEST(Tensors, DoublesMustFit) {
  const double values[] = {0.1, -std::numeric_limits<double>::infinity()};
  const auto ok =
      read(raw({2}, ElementType::kDouble, std::string(reinterpret_cast<const char*>(values), 16)));
  EXPECT_EQ(elements<float>(ok.tensor), (std::vector<float>{0.1f, -INFINITY}));
  const double huge = 1e300;
  EXPECT_NE(
      error_of(raw({1}, ElementType::kDouble, std::string(reinterpret_cast<const char*>(&huge), 8)))
          .find("does not fit binary32"),
      std::string::npos);
}

TEST(Tensors, TypedFields) {
  onnx::TensorProto bools;
  ModelBuilder::fill(bools, "t", {3}, ElementType::kBool);
  for (const int b : {0, 1, 7}) bools.add_int32_data(b);
  EXPECT_EQ(elements<uint8_t>(read(bools).tensor), (std::vector<uint8_t>{0, 1, 1}));

  onnx::TensorProto half;
  ModelBuilder::fill(half, "t", {2}, ElementType::kFloat16);
  half.add_int32_data(0x3c00);
  half.add_int32_data(0xc000);
  EXPECT_EQ(elements<float>(read(half).tensor), (std::vector<float>{1, -2}));

  onnx::TensorProto packed;
  ModelBuilder::fill(packed, "t", {3}, ElementType::kInt4);
  packed.add_int32_data(0x8f);
  packed.add_int32_data(0x07);
  EXPECT_EQ(elements<int8_t>(read(packed).tensor), (std::vector<int8_t>{-1, -8, 7}));

  onnx::TensorProto byte;
  ModelBuilder::fill(byte, "t", {1}, ElementType::kInt8);
  byte.add_int32_data(128);
  EXPECT_EQ(error_of(byte), "tensor 't': element 128 is out of range of int8");
}

TEST(Tensors, SizesAreCheckedBeforeAllocating) {
  EXPECT_EQ(error_of(raw({1 << 30, 1 << 30, 1 << 30}, ElementType::kFloat, "abcd")),
            "tensor 't': its shape has too many elements");
  EXPECT_EQ(error_of(raw({1 << 30, 1 << 20}, ElementType::kFloat, "abcd")),
            "tensor 't': holds 4 bytes, shape 1073741824x1048576 of float needs 4503599627370496");
  EXPECT_EQ(error_of(raw({-1}, ElementType::kFloat, "")), "tensor 't': dimension -1 is negative");
  EXPECT_EQ(error_of(raw(std::vector<int64_t>(9, 1), ElementType::kFloat, "abcd")),
            "tensor 't': rank 9, at most 8 is supported");
  EXPECT_EQ(error_of(raw({1}, static_cast<ElementType>(99), "a")),
            "tensor 't': unknown element type 99");
  EXPECT_EQ(error_of(raw({1}, ElementType::kString, "a")),
            "tensor 't': element type string is not supported");
  EXPECT_EQ(read(raw({0, 1 << 30}, ElementType::kFloat, "")).tensor.size(), 0);
}

class External : public ::testing::Test {
 protected:
  /// A model y = x + w whose w lies in `location`.
  std::string error(const std::string& location, const std::string& offset,
                    const std::string& length) {
    ModelBuilder m;
    m.input("x", {2}).output("y");
    auto& w = m.raw("w", {2}, ElementType::kFloat, "");
    w.clear_raw_data();
    w.set_data_location(onnx::TensorProto::EXTERNAL);
    const auto add = [&](const char* key, const std::string& value) {
      if (value.empty()) return;
      auto& entry = *w.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    };
    add("location", location);
    add("offset", offset);
    add("length", length);
    m.node("Add", {"x", "w"}, {"y"});
    return ModelBuilder::error_of(folder_.write("m.onnx", m.model.SerializeAsString()));
  }
  Folder folder_;
};

TEST_F(External, ReadsInsideTheFolderOnly) {
  folder_.write("w.bin", std::string(16, '\0'));
  const std::string prefix = "external data of tensor 'w': ";
  EXPECT_EQ(error("w.bin", "8", "8"), "");
  EXPECT_EQ(error("w.bin", "", ""), "");
  EXPECT_EQ(error("w.bin", "12", "8"),
            prefix + "bytes 12 + 8 lie past the end of 'w.bin' (16 bytes)");
  EXPECT_EQ(error("w.bin", "18446744073709551615", "8").rfind(prefix + "bytes 1844", 0), 0u);
  EXPECT_EQ(error("w.bin", "8", "4"), prefix + "length 4, but its shape needs 8 bytes");
  EXPECT_EQ(error("w.bin", "-8", "8"), prefix + "offset '-8' is not a number");
  const std::string inside = " must be a path inside the model's folder";
  EXPECT_EQ(error("/etc/passwd", "0", "8"), prefix + "file '/etc/passwd'" + inside);
  EXPECT_EQ(error("../w.bin", "0", "8"), prefix + "file '../w.bin'" + inside);
  EXPECT_EQ(error("sub/../../w.bin", "0", "8"), prefix + "file 'sub/../../w.bin'" + inside);
  EXPECT_EQ(error("", "0", "8"), prefix + "file ''" + inside);
  EXPECT_NE(error("none.bin", "0", "8").find("cannot be found"), std::string::npos);
}

TEST_F(External, LinksMustNotLeaveTheFolder) {
  const Folder other;
  other.write("w.bin", std::string(16, '\0'));
  std::filesystem::create_symlink(other.path / "w.bin", folder_.path / "link.bin");
  EXPECT_NE(error("link.bin", "0", "8").find("leads outside the model's folder"),
            std::string::npos);
}

}  // namespace
}  // namespace nibble::importer
