#include <gtest/gtest.h>

#include "deploy/model/infer_testing.h"
#include "deploy/model/window.h"

namespace nibble::model::testing {
namespace {

TEST(InferConv, DefaultsStridesPadsGroups) {
  EXPECT_EQ(infer(Op::kConv, {{N, 3, 32, 32}, {16, 3, 3, 3}, {16}}), "f32 Nx16x30x30");
  EXPECT_EQ(
      infer(Op::kConv, {{1, 4, 9}, {6, 2, 3}},
            attributes(
                {{Attr::group, int64_t{2}}, {Attr::strides, Ints{2}}, {Attr::pads, Ints{1, 1}}})),
      "f32 1x6x5");
  EXPECT_EQ(
      infer(Op::kConv, {{1, 1, 9, 9}, {1, 1, 3, 2}}, attributes({{Attr::dilations, Ints{4, 1}}})),
      "f32 1x1x1x8");
  EXPECT_EQ(infer(Op::kConv, {{0, 1, 4, 4, 4}, {2, 1, 1, 1, 1}}), "f32 0x2x4x4x4");
  EXPECT_EQ(infer(Op::kConv, {{N, N, N, 8}, {5, 3, 1, 3}}), "f32 Nx5xNx6");
}

TEST(InferConv, ChannelsLast) {
  EXPECT_EQ(infer(Op::kConv, {{N, 32, 30, 3}, {16, 5, 3, 3}},
                  attributes({{Attr::channels_last, int64_t{1}}})),
            "f32 Nx28x28x16");
  EXPECT_EQ(infer(Op::kConvTranspose, {{N, 4, 4, 6}, {6, 2, 2, 3}},
                  attributes({{Attr::channels_last, int64_t{1}}, {Attr::strides, Ints{2, 2}}})),
            "f32 Nx8x8x3");
  EXPECT_EQ(
      infer(Op::kMaxPool, {{N, 8, 6, 3}},
            attributes({{Attr::channels_last, int64_t{1}}, {Attr::kernel_shape, Ints{2, 3}}}), 2),
      "f32 Nx7x4x3, i64 Nx7x4x3");
  EXPECT_EQ(infer(Op::kGlobalAveragePool, {{N, 8, 6, 3}},
                  attributes({{Attr::channels_last, int64_t{1}}})),
            "f32 Nx1x1x3");
}

TEST(InferConv, SaysWhatItExpects) {
  EXPECT_EQ(infer(Op::kConv, {{1, 4, 8, 8}, {6, 3, 3, 3}}),
            "Conv expects 3 input channels (weights 6x3x3x3, group 1), found 1x4x8x8");
  EXPECT_EQ(infer(Op::kConv, {{1, 3, 2, 2}, {6, 3, 3, 3}}),
            "Conv expects a window no larger than the padded input, found 3 over 2");
  EXPECT_EQ(infer(Op::kConv, {{1, 3, 8, 8}, {6, 3, 3, 3}, {5}}),
            "Conv expects a bias of 6 values, found 5");
  EXPECT_EQ(infer(Op::kConv, {{1, 3, 8, 8}, {6, 3, 3, 3}},
                  attributes({{Attr::kernel_shape, Ints{3, 2}}})),
            "Conv expects weights with the kernel_shape 3x2, found 6x3x3x3");
  EXPECT_EQ(infer(Op::kConv, {{1, 3, 8, 8}, {6, 3, 3, 3}}, attributes({{Attr::pads, Ints{1, 1}}})),
            "Conv expects 4 values in 'pads', found 2");
  EXPECT_EQ(
      infer(Op::kConv, {{1, 3, 8, 8}, {6, 3, 3, 3}}, attributes({{Attr::strides, Ints{0, 1}}})),
      "Conv expects values from 1 to 2^31 - 1 in 'strides', found 0");
  EXPECT_EQ(infer(Op::kConv, {{1, 3, 8, 8}, {6, 3, 3, 3}},
                  attributes({{Attr::dilations, Ints{1 << 30, 1}}})),
            "Conv expects a window no larger than the padded input, found 2147483649 over 8");
  EXPECT_EQ(infer(Op::kConv, {{1, 3, 8, 8}}), "Conv expects 2 to 3 inputs, found 1");
  EXPECT_EQ(infer(Op::kConv, {{1, 3, 8, 8}, In::absent()}), "Conv lacks input 1");
  EXPECT_EQ(infer(Op::kConv, {{1, 3, 8, 8}, {6, 3, 3, 3}}, attributes({{Attr::group, int64_t{0}}})),
            "Conv expects a positive group, found 0");
  EXPECT_EQ(infer(Op::kConv, {{int64_t{1} << 60, 3, 8, 8}, {6, 3, 3, 3}}),
            "Conv expects less than 2^56 elements, found 1152921504606846976x3x8x8");
}

Window window(Op op, int64_t input, int64_t kernel, const Attributes& attributes) {
  const int64_t in[] = {input}, k[] = {kernel};
  return resolve_windows(op, attributes, in, k).value().at(0);
}

TEST(Windows, SamePutsTheOddElementAtTheEndOrTheStart) {
  const auto upper =
      attributes({{Attr::auto_pad, std::string("SAME_UPPER")}, {Attr::strides, Ints{2}}});
  const auto lower =
      attributes({{Attr::auto_pad, std::string("SAME_LOWER")}, {Attr::strides, Ints{2}}});
  EXPECT_EQ(window(Op::kConv, 6, 3, upper), (Window{6, 3, 2, 1, 0, 1, 3}));
  EXPECT_EQ(window(Op::kConv, 6, 3, lower), (Window{6, 3, 2, 1, 1, 0, 3}));
  EXPECT_EQ(window(Op::kConv, 5, 1, upper), (Window{5, 1, 2, 1, 0, 0, 3}));
  EXPECT_EQ(window(Op::kConvTranspose, 3, 3, upper), (Window{3, 3, 2, 1, 0, 1, 6}));
  EXPECT_EQ(window(Op::kConvTranspose, 3, 3, lower), (Window{3, 3, 2, 1, 1, 0, 6}));
  const auto valid = attributes({{Attr::auto_pad, std::string("VALID")}, {Attr::pads, Ints{9, 9}}});
  EXPECT_EQ(window(Op::kConv, 6, 3, valid), (Window{6, 3, 1, 1, 0, 0, 4}));
}

TEST(Windows, CeilModeKeepsTheLastWindowInside) {
  const auto pool = [](Ints strides, Ints pads) {
    return attributes({{Attr::ceil_mode, int64_t{1}},
                       {Attr::strides, std::move(strides)},
                       {Attr::pads, std::move(pads)}});
  };
  EXPECT_EQ(window(Op::kMaxPool, 6, 3, pool({2}, {0, 0})).output, 3);  // SqueezeNet's pools
  EXPECT_EQ(window(Op::kMaxPool, 7, 3, pool({2}, {0, 0})).output, 3);
  // The last of 3 windows would start at 4 >= 2 + 1: in the padding behind the input.
  EXPECT_EQ(window(Op::kMaxPool, 2, 1, pool({2}, {1, 1})).output, 2);
}

TEST(Windows, TransposedConvolution) {
  EXPECT_EQ(window(Op::kConvTranspose, 3, 3,
                   attributes({{Attr::strides, Ints{2}},
                               {Attr::pads, Ints{1, 1}},
                               {Attr::output_padding, Ints{1}}})),
            (Window{3, 3, 2, 1, 1, 1, 6}));
  // ONNX node test convtranspose_output_shape: 3 -> 10, stride 3: one element is cut at neither
  // end.
  EXPECT_EQ(window(Op::kConvTranspose, 3, 3,
                   attributes({{Attr::strides, Ints{3}}, {Attr::output_shape, Ints{10}}})),
            (Window{3, 3, 3, 1, 0, 0, 10}));
  EXPECT_EQ(window(Op::kConvTranspose, 3, 3,
                   attributes({{Attr::strides, Ints{3}}, {Attr::output_shape, Ints{8}}})),
            (Window{3, 3, 3, 1, 1, 0, 8}));
}

TEST(Windows, AnUnknownLengthGivesAnUnknownOutput) {
  const auto w =
      window(Op::kConv, kUnknownDim, 3, attributes({{Attr::auto_pad, std::string("SAME_UPPER")}}));
  EXPECT_EQ(w.output, kUnknownDim);
  EXPECT_EQ(w.pad_begin, kUnknownDim);
}

TEST(InferSpatial, BlocksAndNormalisation) {
  EXPECT_EQ(infer(Op::kDepthToSpace, {{N, 8, 2, 3}}, attributes({{Attr::blocksize, int64_t{2}}})),
            "f32 Nx2x4x6");
  EXPECT_EQ(infer(Op::kSpaceToDepth, {{N, 2, 4, 6}}, attributes({{Attr::blocksize, int64_t{2}}})),
            "f32 Nx8x2x3");
  EXPECT_EQ(infer(Op::kDepthToSpace, {{N, 6, 2, 3}}, attributes({{Attr::blocksize, int64_t{2}}})),
            "DepthToSpace expects channels that are a multiple of 4, found Nx6x2x3");
  EXPECT_EQ(infer(Op::kBatchNormalization, {{N, 3, 4}, {3}, {3}, {3}, {3}}), "f32 Nx3x4");
  EXPECT_EQ(infer(Op::kBatchNormalization, {{N, 3, 4}, {3}, {3}, {4}, {3}}),
            "BatchNormalization expects 3 values, one a channel of Nx3x4, as input 3, found 4");
}

TEST(InferResize, ScalesSizesAxesPolicies) {
  const auto scales = [](std::vector<float> s) { return In::of<float>(std::move(s)); };
  EXPECT_EQ(infer(Op::kResize, {{N, 3, 4, 5}, In::absent(), scales({1, 1, 2, 0.5f})}),
            "f32 Nx3x8x2");
  EXPECT_EQ(infer(Op::kResize, {{N, 3, 4, 5}, {0}, {0}, In::ints({2, 3, 7, 9})}), "f32 2x3x7x9");
  EXPECT_EQ(infer(Op::kResize, {{N, 3, 4, 5}, In::absent(), In::absent(), In::ints({9, 7})},
                  attributes({{Attr::axes, Ints{3, 2}}})),
            "f32 Nx3x7x9");
  const auto keep = [](const char* policy) {
    return attributes(
        {{Attr::axes, Ints{2, 3}}, {Attr::keep_aspect_ratio_policy, std::string(policy)}});
  };
  const std::vector<In> seven_eight{{1, 1, 2, 4}, In::absent(), In::absent(), In::ints({7, 8})};
  EXPECT_EQ(infer(Op::kResize, seven_eight, keep("not_larger")), "f32 1x1x4x8");
  EXPECT_EQ(infer(Op::kResize, seven_eight, keep("not_smaller")), "f32 1x1x7x14");
  EXPECT_EQ(infer(Op::kResize, {{1, 1, 2, 4}, In::absent(), scales({1, 1})}),
            "Resize expects 4 scales or sizes, found 2");
  EXPECT_EQ(infer(Op::kResize, {{1, 1, 2, 4}, In::absent(), scales({1, 1, 0, 1})}),
            "Resize expects positive scales, found 0.000000");
  EXPECT_EQ(infer(Op::kResize, {{1, 1, 2, 4}}),
            "Resize expects scales (input 2) or sizes (input 3)");
  EXPECT_EQ(infer(Op::kResize, {{1, 1, 2, 4}, In::absent(), {4}}), "f32 NxNxNxN");
}

}  // namespace
}  // namespace nibble::model::testing
