#pragma once

#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "deploy/base/tensor.h"
#include "nibble_onnx/onnx.pb.h"
#include "quant/onnx/element_type.h"

namespace nibble::exporter {

/// Appends nodes and initialisers to a GraphProto.
class GraphBuilder {
 public:
  explicit GraphBuilder(onnx::GraphProto& graph) : graph_(graph) {}

  /// `wanted`, or with a suffix "_1", "_2", ... when it is taken; taken from now on.
  std::string unique_value(const std::string& wanted) { return unique(values_, wanted); }
  std::string unique_node(const std::string& wanted) { return unique(nodes_, wanted); }

  /// A dense tensor, in the ONNX type of its own dtype.
  void add_initializer(const std::string& name, const Tensor& tensor);
  /// Codes in containers of a byte or two, stored as `type` (packed, least significant first, below
  /// 8 bits).
  void add_codes(const std::string& name, const Tensor& codes, onnx::ElementType type);
  /// `name` and the outputs come from unique_node and unique_value.
  onnx::NodeProto& add_node(const std::string& op_type, const std::string& name,
                            const std::vector<std::string>& inputs,
                            const std::vector<std::string>& outputs);

  static void set_ints(onnx::NodeProto& node, const std::string& key,
                       std::span<const int64_t> list);
  static void set_int(onnx::NodeProto& node, const std::string& key, int64_t value);
  static void set_float(onnx::NodeProto& node, const std::string& key, float value);
  static void set_string(onnx::NodeProto& node, const std::string& key, const std::string& value);
  static void set_tensor(onnx::NodeProto& node, const std::string& key, const Tensor& tensor);

 private:
  static std::string unique(std::unordered_set<std::string>& taken, const std::string& wanted);

  onnx::GraphProto& graph_;
  std::unordered_set<std::string> values_, nodes_;
};

}  // namespace nibble::exporter
