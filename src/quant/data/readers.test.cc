#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quant/data/npy.h"
#include "quant/data/testing.h"

namespace nibble::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Readers : public FilesTest {
 protected:
  std::unique_ptr<Dataset> open(const std::string& spec, const std::vector<InputSpec>& inputs = {},
                                Part part = Part::kTest) {
    return open_dataset(path(spec), inputs, part);
  }
  std::string data_error(const std::string& spec, const std::vector<InputSpec>& inputs = {},
                         Part part = Part::kTest) {
    return error_of(ErrorKind::kData, [&] { open(spec, inputs, part)->read(0, 1); });
  }
  /// Record i: label `label`, planes of the constants i, i + 1, i + 2.
  static std::string cifar(int records, int label) {
    std::string bytes;
    for (int i = 0; i < records; ++i) {
      bytes += static_cast<char>(label);
      for (int c = 0; c < 3; ++c) bytes.append(1024, static_cast<char>(i + c));
    }
    return bytes;
  }
  static std::string idx_images(int count, int height, int width) {
    std::string bytes("\0\0\x08\x03\0\0\0", 7);
    bytes += static_cast<char>(count);
    bytes += std::string("\0\0\0", 3) + static_cast<char>(height);
    bytes += std::string("\0\0\0", 3) + static_cast<char>(width);
    for (int i = 0; i < count * height * width; ++i) bytes += static_cast<char>(i);
    return bytes;
  }
  static std::string idx_labels(const std::string& labels) {
    return std::string("\0\0\x08\x01\0\0\0", 7) + static_cast<char>(labels.size()) + labels;
  }
};

TEST_F(Readers, CifarFileAndFolderParts) {
  write("set/test_batch.bin", cifar(2, 3));
  write("set/data_batch_1.bin", cifar(1, 7));
  write("set/data_batch_2.bin", cifar(2, 8));
  const auto test = open("set", one_input({kUnknownDim, 3, 32, 32}));
  EXPECT_EQ(test->describe(), "CIFAR-10 binary, 2 images 3x32x32, labels");
  const Batch batch = test->read(1, 1);
  EXPECT_THAT(batch.labels, ElementsAre(3));
  EXPECT_EQ(batch.inputs[0].shape(), (Shape{1, 3, 32, 32}));
  EXPECT_EQ(batch.inputs[0].span<float>()[0], 1);
  EXPECT_EQ(batch.inputs[0].span<float>()[3071], 3);
  const auto train = open("set", one_input({kUnknownDim, 32, 32, 3}), Part::kTrain);
  EXPECT_THAT(train->read(0, 3).labels, ElementsAre(7, 8, 8));
  EXPECT_THAT(train->read(2, 1).inputs[0].span<float>().first(4), ElementsAre(1, 2, 3, 1));
}

TEST_F(Readers, CifarIsFoundByContentUnderAnyName) {
  write("pictures", cifar(3, 9));
  EXPECT_EQ(open("pictures")->describe(), "CIFAR-10 binary, 3 images 3x32x32, labels");
  write("test_batch.bin", cifar(2, 1).substr(0, 6000));
  EXPECT_THAT(data_error("test_batch.bin"), HasSubstr("test_batch.bin: CIFAR-10 binary of 6000"));
  write("test_batch.bin", cifar(1, 10));
  EXPECT_THAT(data_error("test_batch.bin"), HasSubstr("record 0 has label 10"));
  write("only/test_batch.bin", cifar(1, 1));
  EXPECT_THAT(data_error("only", {}, Part::kTrain), HasSubstr("without its training part"));
}

TEST_F(Readers, SeveralFilesContinueEachOther) {
  write("a.bin", cifar(2, 1));
  write("b.bin", cifar(3, 2));
  const auto d = open_dataset(path("a.bin") + "," + path("b.bin"), {}, Part::kTest);
  EXPECT_THAT(d->read(0, 5).labels, ElementsAre(1, 1, 2, 2, 2));
  write("t-images-idx3-ubyte", idx_images(1, 2, 2));
  EXPECT_THAT(error_of(ErrorKind::kData,
                       [&] {
                         open_dataset(path("a.bin") + "," + path("t-images-idx3-ubyte"), {},
                                      Part::kTest);
                       }),
              HasSubstr("does not continue"));
}

TEST_F(Readers, IdxWithLabelsBesideIt) {
  write("t10k-images-idx3-ubyte", idx_images(3, 2, 4));
  EXPECT_EQ(open("t10k-images-idx3-ubyte")->describe(), "IDX, 3 images 1x2x4, no labels");
  write("t10k-labels-idx1-ubyte", idx_labels("\x05\x06\x07"));
  const auto d = open("t10k-images-idx3-ubyte", one_input({kUnknownDim, 1, 2, 4}));
  const Batch batch = d->read(1, 2);
  EXPECT_THAT(batch.labels, ElementsAre(6, 7));
  EXPECT_EQ(batch.inputs[0].span<float>()[0], 8);
  EXPECT_EQ(open("", one_input({kUnknownDim, 8}))->describe(), "IDX, 3 images 8, labels");
  EXPECT_EQ(open("", one_input({kUnknownDim, 3, 2, 4}))->describe(), "IDX, 3 images 3x2x4, labels");
  EXPECT_THAT(data_error("", {}, Part::kTrain), HasSubstr("without its training part"));
}

TEST_F(Readers, DamagedIdx) {
  const std::string good = idx_images(3, 2, 4);
  write("x", good.substr(0, good.size() - 1));
  EXPECT_THAT(data_error("x"), HasSubstr("3 images 2x4, the file holds 23 bytes"));
  write("x", good.substr(0, 9));
  EXPECT_THAT(data_error("x"), HasSubstr("ends at byte"));
  std::string huge = good;
  for (size_t i = 4; i < 16; ++i) huge[i] = '\xff';
  write("x", huge);
  EXPECT_THAT(data_error("x"), HasSubstr("IDX header says"));
  write("t-images-idx3-ubyte", good);
  write("t-labels-idx1-ubyte", idx_labels("\x05\x06"));
  EXPECT_THAT(data_error("t-images-idx3-ubyte"), HasSubstr("2 labels, the data 3 samples"));
}

TEST_F(Readers, NpyWithEveryKindOfLabels) {
  const float values[] = {1, 2, 3, 4, 5, 6};
  write_npy(path("x.npy"), Tensor::of<float>({3, 2}, values).view());
  const int16_t labels[] = {4, 5, 6};
  write_npy(path("y.npy"), Tensor::of<int16_t>({3}, labels).view());
  write("y.u8", "\x04\x05\x06");
  write("y.idx", idx_labels("\x04\x05\x06"));
  write("y.txt", "4\n5\r\n6\n");
  for (const char* name : {"y.npy", "y.u8", "y.idx", "y.txt"}) {
    const auto d = open("x.npy@labels=" + std::string(name), one_input({kUnknownDim, 2}));
    EXPECT_EQ(d->describe(), "NumPy array, 3 samples 2, labels");
    EXPECT_THAT(d->read(0, 3).labels, ElementsAre(4, 5, 6)) << name;
    EXPECT_THAT(d->read(1, 2).inputs[0].span<float>(), ElementsAre(3, 4, 5, 6));
  }
  write("bad.txt", "4\nx\n6\n");
  EXPECT_THAT(data_error("x.npy@labels=bad.txt"), HasSubstr("label 1 is not a whole number"));
  EXPECT_THAT(data_error("x.npy@labels=none.txt"), HasSubstr("none.txt: cannot be read"));
}

TEST_F(Readers, NpzByInputName) {
  const float a[] = {1, 2};
  const int64_t b[] = {3, 4}, labels[] = {0, 1};
  const Tensor ta = Tensor::of<float>({2}, a), tb = Tensor::of<int64_t>({2, 1}, b),
               tl = Tensor::of<int64_t>({2}, labels);
  write_npz(path("x.npz"), {{"b", tb.view()}, {"labels", tl.view()}, {"a", ta.view()}});
  const std::vector<InputSpec> inputs = {{"a", DType::kF32, {kUnknownDim}},
                                         {"b", DType::kI32, {kUnknownDim, 1}}};
  const auto d = open("x.npz", inputs);
  EXPECT_EQ(d->describe(), "NumPy archive, 2 samples a scalar, b 1, labels");
  const Batch batch = d->read(1, 1);
  EXPECT_EQ(batch.inputs[0].span<float>()[0], 2);
  EXPECT_EQ(batch.inputs[1].span<int32_t>()[0], 4);
  EXPECT_THAT(batch.labels, ElementsAre(1));
  EXPECT_THAT(data_error("x.npz", one_input({kUnknownDim})),
              HasSubstr("no array for input 'x', found b, a"));
  write_npz(path("bad.npz"),
            {{"a", ta.view()}, {"b", TensorView{DType::kF32, {1}, ta.view().data}}});
  EXPECT_THAT(data_error("bad.npz"), HasSubstr("has 1 samples"));
}

TEST_F(Readers, RawIntegers) {
  write("k.i8", std::string("\x00\x53\x7f\x80\xff\x54", 6));
  const auto d =
      open("k.i8@raw=i8,shape=1x3,scale=0.5847029,zero=83", one_input({kUnknownDim, 1, 3}));
  EXPECT_EQ(d->describe(), "raw i8, 2 samples 1x3, no labels");
  EXPECT_THAT(d->read(0, 2).inputs[0].span<float>(),
              ElementsAre(-83 * 0.5847029f, 0, 44 * 0.5847029f, -211 * 0.5847029f, -84 * 0.5847029f,
                          1 * 0.5847029f));
  EXPECT_THAT(open("k.i8@raw=u16,shape=3")->read(0, 1).inputs[0].span<uint16_t>(),
              ElementsAre(0x5300, 0x807f, 0x54ff));
  EXPECT_THAT(data_error("k.i8@raw=i8,shape=4"), HasSubstr("6 bytes, expected a multiple of 4"));
}

TEST_F(Readers, TokenWindows) {
  write("t.u16", std::string("\x01\x00\x02\x00\xff\xff\x04\x00\x05\x00\x06\x00", 12));
  const auto d = open("t.u16@window=3", one_input({kUnknownDim, 2}, DType::kI64));
  EXPECT_EQ(d->describe(), "tokens (uint16), 2 windows 2, labels");
  EXPECT_TRUE(d->is_language());
  const Batch batch = d->read(0, 2);
  EXPECT_THAT(batch.inputs[0].span<int64_t>(), ElementsAre(1, 2, 4, 5));
  EXPECT_THAT(batch.labels, ElementsAre(2, 65535, 5, 6));
  EXPECT_THAT(data_error("t.u16@window=4"), HasSubstr("expected a multiple of 8"));
  EXPECT_THAT(data_error("t.u16@window=3", one_input({kUnknownDim, 256}, DType::kI64)),
              HasSubstr("samples are 2, input 'x' is Nx256"));
}

TEST_F(Readers, Csv) {
  write("w.data", "1,0.5,-2e3\n3, 4 ,5\r\n\n");
  const auto d = open("w.data@labels=0", one_input({kUnknownDim, 2}));
  EXPECT_EQ(d->describe(), "CSV, 2 rows 2, labels");
  const Batch batch = d->read(0, 2);
  EXPECT_THAT(batch.labels, ElementsAre(1, 3));
  EXPECT_THAT(batch.inputs[0].span<float>(), ElementsAre(0.5f, -2000, 4, 5));
  write("h.csv", "a;\"class\"\n1.5;7\n");
  EXPECT_THAT(open("h.csv@labels=class")->read(0, 1).labels, ElementsAre(7));
  EXPECT_THAT(open("h.csv@labels=1")->read(0, 1).inputs[0].span<float>(), ElementsAre(1.5f));
  EXPECT_THAT(data_error("h.csv@labels=2"), HasSubstr("no column '2'"));
  EXPECT_THAT(data_error("w.data@labels=1"), HasSubstr("'0.5' is not a whole-number label"));
  write("bad.csv", "1,2\n1,2,3\n");
  EXPECT_THAT(data_error("bad.csv"), HasSubstr("line 2 has 3 columns"));
  write("bad.csv", "1,2\n1,x\n");
  EXPECT_THAT(data_error("bad.csv"), HasSubstr("line 2 column 1: 'x' is not a number"));
  write("nan.csv", "1,2\n1,nan\n");
  EXPECT_THAT(error_of(ErrorKind::kData,
                       [&] {
                         open("nan.csv", one_input({kUnknownDim, 2}))->read(0, 2);
                       }),
              HasSubstr("nan.csv: sample 1: element 1 is NaN"));
}

TEST_F(Readers, WhatIsNoData) {
  EXPECT_THAT(data_error("absent"), HasSubstr("absent: no such file or folder"));
  write("empty", "");
  EXPECT_THAT(data_error("empty"), HasSubstr("empty: the file is empty"));
  write("noise", std::string("\x01\x02\x03\x04", 4));
  EXPECT_THAT(data_error("noise"), HasSubstr("the content is none of"));
  std::filesystem::create_directories(folder_ / "folder");
  EXPECT_THAT(data_error("folder"), HasSubstr("holds no samples"));
  write("e.u16", "");
  EXPECT_THAT(data_error("e.u16@window=3"), HasSubstr("the file is empty"));
  write_npy(path("none.npy"), Tensor(DType::kF32, {0, 3}).view());
  EXPECT_THAT(data_error("none.npy"), HasSubstr("holds no samples"));
}

}  // namespace
}  // namespace nibble::data
