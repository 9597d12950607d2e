// What a damaged or hostile file may do: give one line, never more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "deploy/model/checksum.h"
#include "deploy/model/nbl_test_model.h"

namespace nibble::model {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Whatever the reader lets through must be safe to walk: touch every constant byte.
unsigned walk(const Model& model) {
  unsigned sum = 0;
  for (const TensorInfo& t : model.tensors) {
    for (std::byte b : t.data) sum += static_cast<unsigned>(b);
    if (t.is_constant) {
      EXPECT_EQ(t.data.size(), stored_bytes(t));
    }
  }
  for (const NodeInfo& n : model.nodes)
    for (int i : n.inputs) {
      if (i != kNoTensor)
        sum += static_cast<unsigned>(model.tensors.at(static_cast<size_t>(i)).name.size());
    }
  return sum;
}

void expect_one_line(const Status& status) {
  EXPECT_THAT(status.message(), StartsWith("m.nbl: "));
  EXPECT_EQ(status.message().find('\n'), std::string::npos);
  EXPECT_TRUE(status.code() == StatusCode::kCorrupt || status.code() == StatusCode::kUnsupported);
}

TEST(Damage, TruncationAtEveryLength) {
  const Buffer bytes = write_nbl(TestModel::full().model);
  for (size_t length = 0; length < bytes.size(); ++length)
    for (bool verify : {false, true}) {
      auto read = reread(bytes, length, verify);
      ASSERT_FALSE(read.ok()) << length;
      expect_one_line(read.status());
    }
}

TEST(Damage, EveryBitFlipIsCaughtByChecksumsAndHarmlessWithoutThem) {
  const Buffer bytes = write_nbl(TestModel::full().model);
  unsigned passed = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    Buffer flipped(bytes.size());
    std::memcpy(flipped.data(), bytes.data(), bytes.size());
    flipped.data()[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    auto checked = reread(flipped, flipped.size(), true);
    ASSERT_FALSE(checked.ok()) << "bit " << bit;
    expect_one_line(checked.status());
    auto read = reread(flipped, flipped.size(), false);
    if (read.ok())
      passed += walk(*read.value()) != 0;
    else
      expect_one_line(read.status());
  }
  EXPECT_GT(passed, 0u);  // weights may take any value: only the checksum sees those
}

TEST(Damage, RandomBytesInTheGraphSection) {
  const Buffer bytes = write_nbl(TestModel::full().model);
  std::mt19937 engine(11);
  for (int round = 0; round < 20000; ++round) {
    Buffer broken(bytes.size());
    std::memcpy(broken.data(), bytes.data(), bytes.size());
    for (unsigned i = 0; i < 1 + engine() % 8; ++i)
      broken.data()[engine() % broken.size()] = static_cast<std::byte>(engine());
    auto read = reread(broken, broken.size(), false);
    if (read.ok())
      walk(*read.value());
    else
      expect_one_line(read.status());
  }
}

TEST(Damage, FlippedWeightNamesItsTensor) {
  const TestModel m = TestModel::full();
  auto original = reread(m.model);
  const Buffer bytes = write_nbl(m.model);
  const Model& model = *original.value();
  for (const TensorInfo& t : model.tensors) {
    if (t.data.empty()) continue;
    const auto* start = static_cast<const Buffer*>(model.memory.get())->data();
    Buffer broken(bytes.size());
    std::memcpy(broken.data(), bytes.data(), bytes.size());
    broken.data()[t.data.data() - start] ^= std::byte{0x10};
    auto read = reread(broken, broken.size());
    ASSERT_FALSE(read.ok());
    EXPECT_THAT(read.status().message(), HasSubstr("tensor '" + t.name + "': checksum differs"));
  }
}

TEST(Checksum, KnownValues) {
  const auto hash = [](std::string_view s, uint64_t seed = 0) {
    return checksum(std::as_bytes(std::span(s)), seed);
  };
  EXPECT_EQ(hash(""), 0xEF46DB3751D8E999u);
  EXPECT_EQ(hash("a"), 0xD24EC4F1A98C6E5Bu);
  EXPECT_EQ(hash("abc"), 0x44BC2CF5AD770999u);
  EXPECT_EQ(hash("Nobody inspects the spammish repetition"), 0xFBCEA83C8A378BF1u);
}

}  // namespace
}  // namespace nibble::model
