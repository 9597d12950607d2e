#pragma once

#include <string>

#include "deploy/numeric/quant_params.h"
#include "quant/exporter/bias.h"
#include "quant/exporter/graph_builder.h"
#include "quant/exporter/storage.h"

namespace nibble::exporter {

/// QuantizeLinear, Clip and DequantizeLinear nodes with their scales and zero points.
class QuantNodes {
 public:
  explicit QuantNodes(GraphBuilder& builder) : builder_(builder) {}

  /// A constant as codes behind DequantizeLinear, which writes `name`. Throws Error(kInternal) when
  /// the grid does not fit the tensor.
  void constant(const std::string& name, const Tensor& real, const numeric::QuantParams& params,
                Storage storage);
  /// An int32 bias behind DequantizeLinear, which writes `output`.
  void bias(const std::string& output, const IntegerBias& bias);
  /// Clips `input` to the real numbers of the lowest and highest code; writes `output`.
  /// `node` is the Clip's name.
  void clip_to_codes(const std::string& input, const std::string& output, const std::string& node,
                     const numeric::QuantParams& params);
  /// An activation called `name` on the binary grid, for which ONNX has no type: `output` is -s
  /// where `input` < `threshold` (broadcast to it), else +s. `node`: the name of the Where, which
  /// the importer makes a grid again.
  void signs(const std::string& name, const std::string& node, const std::string& input,
             const std::string& output, const numeric::QuantParams& params,
             const Tensor& threshold);
  /// A pair on an activation called `name`: `input` -> codes -> `output`. `node`: the name of the
  /// QuantizeLinear.
  void pair(const std::string& name, const std::string& node, const std::string& input,
            const std::string& output, const numeric::QuantParams& params, Storage storage);

 private:
  /// Adds scales and zero points, each in ONNX's shape for a tensor of `shape`; gives their names.
  std::vector<std::string> add_grid(const std::string& name, const Shape& shape,
                                    const numeric::QuantParams& params, Storage storage);

  GraphBuilder& builder_;
};

}  // namespace nibble::exporter
