#include "deploy/kernels/catalogue.h"

#include "deploy/kernels/bitserial/bitserial.h"
#include "deploy/kernels/depthwise/runs.h"
#include "deploy/kernels/float/float.h"
#include "deploy/kernels/lookup/lookup.h"
#include "deploy/kernels/matmul/matmul.h"
#include "deploy/kernels/pool/pool.h"
#include "deploy/kernels/requantise/codes.h"

namespace nibble::kernels {

std::vector<KernelInfo> catalogue() {
  std::vector<KernelInfo> all;
  const auto cores = [&](auto variants, std::string_view summary) {
    for (const auto& v : variants) all.push_back({v.name, summary, v.isa});
  };
  const auto tables = [&](auto variants, std::string_view summary) {
    for (const auto& v : variants) all.push_back({v.table->name, summary, v.isa});
  };
  cores(matmul_f32_variants(), "products and convolutions of binary32");
  cores(matmul_s8_variants(),
        "products and convolutions of 8-bit rows by packed weights of 1 to 8 bits");
  cores(bitserial_variants(), "products and convolutions of few bits, by counting them");
  cores(lookup_variants(),
        "products and convolutions of weights of few bits, by tables of the activations");
  cores(depthwise_f32_variants(), "one filter a channel, binary32");
  cores(depthwise_s8_variants(), "one filter a channel, 8-bit codes");
  tables(float_variants(), "element-wise functions of binary32");
  tables(code_variants(), "quantise, dequantise, requantise; sums and products of codes");
  tables(pool_variants(), "windows of MaxPool and AveragePool");
  return all;
}

}  // namespace nibble::kernels
