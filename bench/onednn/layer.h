#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <unordered_map>

#include "bench/onednn/network.h"

namespace nibble::bench {

enum class Precision {
  kF32,
  kU8S8,  // u8 activations in and out, s8 weights, a scale a channel, f32 bias
};

/// One oneDNN primitive with seeded weights in the layout that it likes best; bias, scales and ReLU
/// are fused, as in nibble's layers. Weights and activations stand in the layouts that the
/// primitive chose: no reorder is timed.
class Layer {
 public:
  /// Throws dnnl::error where oneDNN has no implementation.
  Layer(const dnnl::engine& engine, dnnl::stream& stream, const LayerShape& shape,
        Precision precision);

  size_t source_bytes() const { return source_.get_size(); }
  size_t output_bytes() const { return output_.get_size(); }
  const std::string& implementation() const { return implementation_; }  // oneDNN's name of it

  /// Where activations come from and go to.
  void bind(const dnnl::engine& engine, void* source, void* output);
  /// Returns when the layer is done.
  void run(dnnl::stream& stream) const;

 private:
  template <class Descriptor>
  void adopt(const Descriptor& descriptor);

  dnnl::primitive primitive_;
  dnnl::memory::desc source_, weights_, output_;
  std::unordered_map<int, dnnl::memory> arguments_;
  std::string implementation_;
};

}  // namespace nibble::bench
