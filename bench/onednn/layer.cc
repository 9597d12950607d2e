#include "bench/onednn/layer.h"

#include <cmath>
#include <random>
#include <vector>

namespace nibble::bench {
namespace {

using dnnl::memory;
using Type = memory::data_type;

memory::desc any(const memory::dims& dims, Type type) {
  return {dims, type, memory::format_tag::any};
}

memory::desc plain_weights(const memory::dims& dims, Type type) {
  using Tag = memory::format_tag;
  return {dims, type, dims.size() == 2 ? Tag::ab : dims.size() == 4 ? Tag::abcd : Tag::abcde};
}

/// Uniform weights that keep the mean square of their input behind a ReLU; s8 ones are codes.
memory seeded_weights(const dnnl::engine& engine, const memory::dims& dims, Precision precision,
                      int64_t fan_in) {
  std::mt19937 random(0);
  const bool integers = precision == Precision::kU8S8;
  memory weights(plain_weights(dims, integers ? Type::s8 : Type::f32), engine);
  int64_t count = 1;
  for (int64_t d : dims) count *= d;
  const float bound = std::sqrt(6.0f / static_cast<float>(fan_in));
  for (int64_t i = 0; i < count; ++i) {
    const float unit = static_cast<float>(random() >> 8) * 0x1p-23f - 1;  // [-1, 1)
    if (integers)
      static_cast<int8_t*>(weights.get_data_handle())[i] = static_cast<int8_t>(unit * 127);
    else
      static_cast<float*>(weights.get_data_handle())[i] = unit * bound;
  }
  return weights;
}

dnnl::primitive_attr epilogue(const LayerShape& shape, Precision precision) {
  dnnl::primitive_attr attributes;
  if (precision == Precision::kU8S8) {
    // The same size of sums for every fan-in: output codes fill the range without sticking to it.
    const float scale = 1.0f / (127 * std::sqrt(static_cast<float>(shape.fan_in())));
    attributes.set_output_scales(1 << 1,
                                 std::vector<float>(static_cast<size_t>(shape.outputs), scale));
  }
  if (shape.relu) {
    dnnl::post_ops ops;
    ops.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
    attributes.set_post_ops(ops);
  }
  return attributes;
}

memory::dims weight_dims(const LayerShape& s) {
  if (s.linear) return {s.outputs, s.channels};
  if (s.groups == 1) return {s.outputs, s.channels, s.kernel_h, s.kernel_w};
  return {s.groups, s.outputs / s.groups, s.channels / s.groups, s.kernel_h, s.kernel_w};
}

}  // namespace

template <class Descriptor>
void Layer::adopt(const Descriptor& descriptor) {
  source_ = descriptor.src_desc();
  weights_ = descriptor.weights_desc();
  output_ = descriptor.dst_desc();
  implementation_ = descriptor.impl_info_str();
}

Layer::Layer(const dnnl::engine& engine, dnnl::stream& stream, const LayerShape& s,
             Precision precision) {
  const bool integers = precision == Precision::kU8S8;
  const Type data = integers ? Type::u8 : Type::f32;
  const memory::dims dims = weight_dims(s);
  const memory::desc weights = any(dims, integers ? Type::s8 : Type::f32);
  const memory::desc bias({s.outputs}, Type::f32, memory::format_tag::a);
  const dnnl::primitive_attr attributes = epilogue(s, precision);
  constexpr auto kForward = dnnl::prop_kind::forward_inference;
  if (s.linear) {
    const dnnl::inner_product_forward::primitive_desc descriptor(
        {kForward, any({s.batch, s.channels}, data), weights, bias,
         any({s.batch, s.outputs}, data)},
        attributes, engine);
    adopt(descriptor);
    primitive_ = dnnl::inner_product_forward(descriptor);
  } else {
    const dnnl::convolution_forward::primitive_desc descriptor(
        {kForward,
         integers ? dnnl::algorithm::convolution_direct : dnnl::algorithm::convolution_auto,
         any({s.batch, s.channels, s.height, s.width}, data),
         weights,
         bias,
         any({s.batch, s.outputs, s.out_height(), s.out_width()}, data),
         {s.stride_h, s.stride_w},
         {s.top, s.left},
         {s.bottom, s.right}},
        attributes, engine);
    adopt(descriptor);
    primitive_ = dnnl::convolution_forward(descriptor);
  }
  memory plain = seeded_weights(engine, dims, precision, s.fan_in()), packed(weights_, engine);
  dnnl::reorder(plain, packed).execute(stream, plain, packed);
  stream.wait();
  memory zeros(bias, engine);
  std::fill_n(static_cast<float*>(zeros.get_data_handle()), s.outputs, 0.0f);
  arguments_ = {{DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_BIAS, zeros}};
}

void Layer::bind(const dnnl::engine& engine, void* source, void* output) {
  arguments_[DNNL_ARG_SRC] = memory(source_, engine, source);
  arguments_[DNNL_ARG_DST] = memory(output_, engine, output);
}

void Layer::run(dnnl::stream& stream) const {
  primitive_.execute(stream, arguments_);
  stream.wait();
}

}  // namespace nibble::bench
