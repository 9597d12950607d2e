#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nibble_onnx/onnx.pb.h"
#include "quant/graph/error.h"
#include "quant/graph/graph.h"
#include "quant/importer/context.h"

namespace nibble::importer {

using graph::Attr;
using graph::Op;
using graph::ValueId;

/// One ONNX node on its way into the graph: a rule's `adapt` turns what its opset wrote into the
/// one form the graph knows, then finish() copies the remaining attributes and appends the node. An
/// attribute that nobody asked for is an error, not silence.
class NodeDraft {
 public:
  NodeDraft(const onnx::NodeProto& proto, std::string name, Context& context);

  Context& context;
  const int opset;
  Op op = Op::kIdentity;
  model::Attributes attributes;
  std::vector<ValueId> inputs;   // kNoValue: absent
  std::vector<ValueId> outputs;  // trailing outputs that nobody reads are gone

  const std::string& name() const { return name_; }
  [[noreturn]] void fail(const std::string& what) const;

  /// An attribute's value, taken: finish() will not see it. Throws when it has another kind.
  std::optional<int64_t> take_int(std::string_view key);
  std::optional<float> take_float(std::string_view key);
  std::optional<std::string> take_string(std::string_view key);
  std::optional<std::vector<int64_t>> take_ints(std::string_view key);
  std::optional<std::vector<float>> take_floats(std::string_view key);
  std::optional<Tensor> take_tensor(std::string_view key);
  void ignore(std::string_view key);

  /// Moves the list attribute `key` to input `index` as a one-dimensional int64 constant.
  void ints_to_input(std::string_view key, size_t index);
  /// Sets input `index` to a new constant called "<node>_<what>".
  void set_input(size_t index, std::string_view what, Tensor tensor);
  bool has_input(size_t index) const;
  /// The tensor of input `index` when it is a constant, else null.
  const Tensor* constant_input(size_t index) const;

  /// Copies the attributes in `keys`, checks that none is left and that the op takes this many
  /// inputs and outputs, and appends the node.
  void finish(const std::vector<Attr>& keys);

 private:
  const onnx::AttributeProto* take(std::string_view key, onnx::AttributeProto::AttributeType type);
  void check_arity() const;

  const onnx::NodeProto& proto_;
  std::string name_;
  std::vector<const onnx::AttributeProto*> left_;
};

}  // namespace nibble::importer
