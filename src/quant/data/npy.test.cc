#include "quant/data/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "quant/data/npy_header.h"
#include "quant/data/testing.h"

namespace nibble::data {
namespace {

using testing::HasSubstr;

class Npy : public FilesTest {
 protected:
  std::string data_error(const std::string& bytes) {
    write("bad.npy", bytes);
    return error_of(ErrorKind::kData, [&] { read_npy(path("bad.npy")); });
  }
};
using Npz = Npy;

constexpr DType kTypes[] = {DType::kF32, DType::kF64, DType::kF16, DType::kI8,
                            DType::kU8,  DType::kI16, DType::kU16, DType::kI32,
                            DType::kU32, DType::kI64, DType::kU64, DType::kBool};

TEST_F(Npy, RoundTripsEveryTypeAndShape) {
  for (DType dtype : kTypes)
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{1}, Shape{3, 5}, Shape{2, 0, 4},
                               Shape{1, 2, 1, 2, 1, 2, 1, 2}}) {
      Tensor t(dtype, shape);
      for (size_t i = 0; i < t.bytes(); ++i)
        t.data()[i] = std::byte(dtype == DType::kBool ? i & 1 : i);
      write_npy(path("a.npy"), t.view());
      const Tensor back = read_npy(path("a.npy"));
      EXPECT_EQ(back.dtype(), dtype);
      EXPECT_EQ(back.shape(), shape);
      EXPECT_TRUE(std::equal(t.data(), t.data() + t.bytes(), back.data()));
    }
}

TEST_F(Npy, WritesWhatNumPyWrites) {
  const float values[] = {1, -2};
  write_npy(path("a.npy"), Tensor::of<float>({2}, values).view());
  std::string header(
      "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 67);
  header.resize(127, ' ');
  EXPECT_EQ(slurp("a.npy"), header + "\n" + std::string("\0\0\x80\x3f\0\0\0\xc0", 8));
}

TEST_F(Npy, DamagedFilesAreNamed) {
  const Tensor t(DType::kF32, {2, 2});
  write_npy(path("good.npy"), t.view());
  const std::string good = slurp("good.npy");
  for (size_t keep = 0; keep < good.size(); ++keep)
    EXPECT_THAT(data_error(good.substr(0, keep)), HasSubstr("bad.npy")) << keep;
  EXPECT_THAT(data_error(good + "x"), HasSubstr("does not make the 17 bytes"));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string bytes = good;
    return data_error(bytes.replace(bytes.find(from), from.size(), to));
  };
  EXPECT_THAT(with("<f4", ">f4"), HasSubstr("element type >f4"));
  EXPECT_THAT(with("<f4", "|O8"), HasSubstr("element type |O8"));
  EXPECT_THAT(with("False", "True "), HasSubstr("Fortran"));
  EXPECT_THAT(with("(2, 2)", "(2, x)"), HasSubstr("dimension"));
  EXPECT_THAT(with("(2, 2)", "(2,-2)"), HasSubstr("dimension"));
  EXPECT_THAT(with("(2, 2), }   ", "(9223372036"), HasSubstr("shape"));
  EXPECT_THAT(with("shape", "shope"), HasSubstr("no key 'shape'"));
  EXPECT_THAT(with("\x01", "\x07"), HasSubstr("version 7"));
}

TEST_F(Npy, HugeShapeDoesNotOverflow) {
  std::string text =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }";
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(text.size());
  bytes += '\0';
  EXPECT_THAT(data_error(bytes + text), HasSubstr("does not make the 0 bytes"));
}

TEST_F(Npy, OutputThatCannotBeWrittenLeavesNothing) {
  const Tensor t(DType::kF32, {4});
  error_of(ErrorKind::kOutput, [&] { write_npy(path("no/such/folder.npy"), t.view()); });
  error_of(ErrorKind::kOutput, [&] { write_npy(folder_.string(), t.view()); });  // a folder
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  EXPECT_FALSE(std::filesystem::exists(folder_.string() + ".npy"));
}

TEST_F(Npz, RoundTripsInOrder) {
  const float a[] = {1, 2, 3};
  const int64_t b[] = {7};
  const Tensor ta = Tensor::of<float>({3}, a), tb = Tensor::of<int64_t>({1}, b),
               tc(DType::kU8, {0});
  write_npz(path("x.npz"), {{"input", ta.view()}, {"labels", tb.view()}, {"none", tc.view()}});
  const auto back = read_npz(path("x.npz"));
  ASSERT_EQ(back.size(), 3u);
  EXPECT_EQ(back[0].first, "input");
  EXPECT_EQ(back[0].second.span<float>()[2], 3);
  EXPECT_EQ(back[1].second.span<int64_t>()[0], 7);
  EXPECT_EQ(back[2].second.shape(), Shape{0});
}

TEST_F(Npz, EveryTruncationIsAnError) {
  const Tensor t(DType::kF32, {3});
  write_npz(path("x.npz"), {{"a", t.view()}, {"b", t.view()}});
  const std::string good = slurp("x.npz");
  for (size_t keep = 0; keep < good.size(); ++keep) {
    write("cut.npz", good.substr(0, keep));
    error_of(ErrorKind::kData, [&] { read_npz(path("cut.npz")); });
  }
}

/// An archive with one deflated member, put together by hand.
std::string deflated_npz(const std::string& npy, uint32_t claimed_bytes, uint32_t crc) {
  std::string packed(compressBound(npy.size()) + 16, '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(npy.data()));
  stream.avail_in = static_cast<uInt>(npy.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  const auto u16 = [](unsigned v) { return std::string{char(v & 255), char(v >> 8 & 255)}; };
  const auto u32 = [&](uint32_t v) { return u16(v & 0xffff) + u16(v >> 16); };
  const std::string name = "a.npy";
  const std::string common = u16(20) + u16(0) + u16(8) + u32(0x210000) + u32(crc) +
                             u32(static_cast<uint32_t>(packed.size())) + u32(claimed_bytes) +
                             u16(5) + u16(0);
  const std::string local = "PK\x03\x04" + common + name + packed;
  const std::string central =
      "PK\x01\x02" + u16(20) + common + std::string(10, '\0') + u32(0) + name;
  return local + central + "PK\x05\x06" + u32(0) + u16(1) + u16(1) +
         u32(static_cast<uint32_t>(central.size())) + u32(static_cast<uint32_t>(local.size())) +
         u16(0);
}

TEST_F(Npz, DeflatedMembers) {
  Tensor t(DType::kF32, {1000});
  for (int i = 0; i < 1000; ++i)
    t.span<float>()[static_cast<size_t>(i)] = static_cast<float>(i / 7);
  write_npy(path("a.npy"), t.view());
  const std::string npy = slurp("a.npy");
  const auto size = static_cast<uint32_t>(npy.size());
  const auto crc = static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(npy.data()), static_cast<uInt>(npy.size())));
  write("x.npz", deflated_npz(npy, size, crc));
  EXPECT_EQ(read_npz(path("x.npz"))[0].second.span<float>()[999], 142);
  // Read on demand in any order.
  const auto dataset = open_dataset(path("x.npz"), one_input({kUnknownDim}), Part::kTest);
  EXPECT_EQ(dataset->read(700, 1).inputs[0].span<float>()[0], 100);
  EXPECT_EQ(dataset->read(7, 1).inputs[0].span<float>()[0], 1);

  const auto fails = [&](const std::string& bytes, const char* what) {
    write("x.npz", bytes);
    EXPECT_THAT(error_of(ErrorKind::kData, [&] { read_npz(path("x.npz")); }), HasSubstr(what));
  };
  fails(deflated_npz(npy, size, crc + 1), "checksum");
  fails(deflated_npz(npy, size - 1, crc), "more bytes than its header says");
  fails(deflated_npz(npy, size + 1, crc), "size and checksum");
  fails(deflated_npz(npy, 4000000000u, crc), "more than its");
}

TEST(Labels, IntegersOnly) {
  const int32_t values[] = {3, -1};
  EXPECT_THAT(to_labels(Tensor::of<int32_t>({2, 1}, values), "l"), testing::ElementsAre(3, -1));
  for (DType dtype : {DType::kF32, DType::kF16, DType::kF64})
    error_of(ErrorKind::kData, [&] { to_labels(Tensor(dtype, {2}), "l"); });
  error_of(ErrorKind::kData, [&] { to_labels(Tensor(DType::kI32, {2, 2}), "l"); });
}

}  // namespace
}  // namespace nibble::data
