#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "deploy/base/dtype.h"
#include "deploy/base/shape.h"
#include "deploy/base/status.h"
#include "deploy/format/format.h"
#include "deploy/model/attributes.h"
#include "deploy/model/op.h"
#include "deploy/numeric/quant_params.h"
#include "deploy/numeric/requantise.h"

namespace nibble::model {

/// What the tensors of a graph hold. Stored in .nbl files: never renumber.
enum class Phase : uint8_t {
  kFloat = 1,      // real numbers everywhere
  kAnnotated = 2,  // real numbers; tensors with QuantParams lie on their grid (simulation)
  kInteger = 3,    // codes; real numbers only in the islands that the recipe allows
};

inline constexpr int kNoTensor = -1;

struct TensorInfo {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;  // logical; kUnknownDim for a symbolic batch
  std::optional<numeric::QuantParams>
      quant;                        // grid of the codes (kInteger) or of the values (kAnnotated)
  format::PackedRecord packed;      // format kPlain: `data` is the dense row-major tensor
  std::span<const std::byte> data;  // 64-byte aligned; constants only (see is_constant)
  bool is_constant = false;
};

/// Bytes of a constant's `data`: of its packed stream, else of its dense elements.
inline size_t stored_bytes(const TensorInfo& tensor) {
  if (tensor.packed.format != format::FormatId::kPlain) return format::packed_bytes(tensor.packed);
  return static_cast<size_t>(tensor.shape.size()) * size_of(tensor.dtype);
}

struct NodeInfo {
  Op op;
  std::string name;
  Attributes attributes;
  std::vector<int> inputs;  // tensor index, or kNoTensor for an absent optional input
  std::vector<int> outputs;
};

/// A loaded, immutable network: what a .nbl file holds. Nodes are in topological order, every
/// tensor has at most one producer, every index is in range (checked by the reader; model files are
/// untrusted).
struct Model {
  Phase phase = Phase::kFloat;
  numeric::RequantiseVariant requantise = numeric::RequantiseVariant::kFloat;
  std::vector<TensorInfo> tensors;
  std::vector<NodeInfo> nodes;
  std::vector<int> inputs;
  std::vector<int> outputs;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string source;  // file name for messages
  std::shared_ptr<const void>
      memory;  // keeps `data` of the constants alive (mapped file or buffer)
};

}  // namespace nibble::model
