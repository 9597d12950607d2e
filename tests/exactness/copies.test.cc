// A result that is read at 8 bits and at a: both leave the product, the same bytes as two steps.

#include "net.h"

namespace nibble::exactness {
namespace {

ValueId conv(Net& net, ValueId x, int64_t o, int64_t kernel, int64_t group, int bits) {
  const int64_t c = net.g.value(x).shape[1];
  Attributes attributes;
  attributes.set(Attr::group, group);
  attributes.set(Attr::pads, Ints(4, kernel / 2));
  if (net.coin()) attributes.set(Attr::clip_min, 0.0f);
  const ValueId w =
      net.weights({o, c / group, kernel, kernel}, 0, bits, net.coin(), Granularity::kChannel);
  return net.node(Op::kConv, {x, w, net.constant(net.normals({o}))}, attributes);
}

/// The a-bit copy: signs at one bit, now and then.
ValueId narrow(Net& net, ValueId x, int bits, float span) {
  const ValueId y = net.node(Op::kRequantize, {x});
  if (bits > 1 || net.coin()) return net.quantise(y, bits, span, bits > 1 && net.coin());
  numeric::QuantParams p{.bits = 1, .qmin = -1, .qmax = 1};
  p.grid = numeric::GridId::kBinary;
  p.scales = {span / 2};
  net.g.value(y).quant = graph::QuantInfo{p, "test"};
  return y;
}

/// A table that knows one kernel: it is chosen wherever it computes.
std::shared_ptr<const kernels::KernelTable> only(const std::string& family) {
  std::string text;
  for (int bits = 1; bits <= 8; ++bits)
    text += family + "/portable " + std::to_string(bits) + " 8 1 64 1000\n";
  return std::make_shared<kernels::KernelTable>(kernels::KernelTable::parse(text, "table").value());
}

struct Block {
  int64_t batch = 1, in = 16, channels = 16, kernel = 3, group = 1, size = 6;
  int w_bits = 8, a_bits = 4;
};

/// Both copies of a product, both of the sum behind the next one, and a reader of each.
void expect_block(const Block& b, unsigned seed, RequantiseVariant variant) {
  SCOPED_TRACE(testing::Message() << "seed " << seed << " A" << b.a_bits << " W" << b.w_bits << " "
                                  << b.in << "->" << b.channels << " kernel " << b.kernel
                                  << " groups " << b.group << " size " << b.size);
  Net net(seed, variant);
  const Shape image{b.batch, b.in, b.size, b.size + 1};
  const ValueId x = net.quantise(net.input(image), 8, 3);
  const ValueId first = net.quantise(conv(net, x, b.channels, b.kernel, b.group, b.w_bits), 8, 20);
  const ValueId low = narrow(net, first, b.a_bits, 15);
  const ValueId inner = net.quantise(conv(net, low, b.channels, b.kernel, 1, b.w_bits), 8, 40);
  const ValueId sum = net.quantise(net.node(Op::kAdd, {inner, first}), 8, 50);
  const ValueId low_sum = narrow(net, sum, b.a_bits, 40), lower_sum = narrow(net, sum, 2, 30);
  const ValueId last = net.quantise(conv(net, low_sum, 5, 1, 1, b.w_bits), 8, 60);
  net.g.outputs = {last, lower_sum, sum, low, first};
  std::vector<Tensor> data;
  data.push_back(net.normals(image));
  const auto out = expect_exact(net.g, data);
  ASSERT_EQ(out.size(), 5u);
  if (b.size > 1) {
    EXPECT_GT(distinct(out[2]), 4u);
  }

  const Graph integers = lower::lower_to_integer(net.g).graph;
  for (const char* kernel : {"matmul_s8", "bitserial", "lookup", "winograd_s8"})
    expect_same_bytes(run(integers, data, Isa::kPortable, 2, only(kernel)), out);

  // Not as steps of their own, but for the second copy of the sum.
  auto session = run::Session::create(pack::pack(integers), {2});
  ASSERT_TRUE(session.ok());
  const Shape shapes[] = {image};
  ASSERT_TRUE(session.value()->prepare(shapes).ok());
  int copies = 0, steps = 0;
  for (const run::StepProfile& p : session.value()->profile()) {
    copies += !p.copy.empty();
    steps += p.op == Op::kRequantize;
  }
  const bool depthwise = b.group > 1 && b.group == b.in;
  EXPECT_EQ(copies, depthwise ? 1 : 2);
  EXPECT_EQ(steps, depthwise ? 2 : 1);
}

class Copies : public testing::TestWithParam<RequantiseVariant> {};

TEST_P(Copies, OfEveryWidth) {
  for (int a = 1; a <= 7; ++a)
    for (int w : {1, 2, 4, 8})
      for (unsigned seed = 0; seed < 3; ++seed)
        expect_block({.w_bits = w == 1 ? 2 : w, .a_bits = a}, seed, GetParam());
}

TEST_P(Copies, OddChannelsAndSizes) {
  unsigned seed = 100;
  for (int64_t channels : {1, 7, 17, 33, 65, 130})
    for (int64_t size : {1, 5})
      expect_block(
          {.batch = 2, .in = 20, .channels = channels, .kernel = 1, .size = size, .a_bits = 3},
          seed++, GetParam());
}

TEST_P(Copies, OfEveryKindOfProduct) {
  unsigned seed = 200;
  for (int a : {1, 2, 4}) {
    expect_block({.in = 3, .channels = 24, .size = 17, .a_bits = a}, seed++, GetParam());
    expect_block({.in = 64, .channels = 48, .size = 9, .a_bits = a}, seed++, GetParam());
    expect_block({.in = 128, .channels = 128, .size = 12, .w_bits = 2, .a_bits = a}, seed++,
                 GetParam());
    expect_block({.in = 12, .channels = 24, .group = 3, .a_bits = a}, seed++, GetParam());
    expect_block({.in = 20, .channels = 20, .group = 20, .a_bits = a}, seed++, GetParam());
  }
}

TEST_P(Copies, OfManyRowsOnTwoThreads) {
  expect_block({.batch = 3, .in = 32, .channels = 96, .size = 24, .a_bits = 4}, 300, GetParam());
  expect_block({.batch = 3, .in = 40, .channels = 72, .kernel = 1, .size = 30, .a_bits = 2}, 301,
               GetParam());
}

INSTANTIATE_TEST_SUITE_P(Variants, Copies,
                         testing::Values(RequantiseVariant::kFloat, RequantiseVariant::kFixed));

}  // namespace
}  // namespace nibble::exactness
