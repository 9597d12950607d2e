// Requantize, QAdd and QMul: codes to codes on another grid.

#include <algorithm>
#include <numeric>
#include <string>

#include "deploy/kernels/requantise/signs.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/broadcast.h"
#include "deploy/run/steps/code_arithmetic.h"

namespace nibble::run {
namespace {

constexpr int64_t kGrain = 16384;  // codes worth a thread's while

/// From and to 8 bits, a Requantize is a map of 256 codes: prepare makes it by the definition.
class RequantizeStep : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    auto arithmetic = code_arithmetic(context);
    if (!arithmetic.ok()) return arithmetic.status();
    arithmetic_ = arithmetic.value();
    x_ = context.inputs[0].dtype;
    y_ = context.outputs[0].dtype;
    fixed_ = context.model.requantise == numeric::RequantiseVariant::kFixed;
    maps_ = x_ == DType::kI8 && y_ == DType::kI8 ? &kernels::code_kernels(context.isa) : nullptr;
    if (maps_) {
      int8_t codes[256], results[256];
      std::iota(codes, codes + 256, int8_t{-128});
      requantize(codes, results, 256);
      map_ = kernels::make_code_map(results);
    }
    return {};
  }

  void run(const RunContext& context) override {
    const std::byte* x = context.inputs[0].as<std::byte>();
    std::byte* y = context.outputs[0].as<std::byte>();
    context.pool.parallel_for(context.outputs[0].shape.size(), kGrain,
                              [&](int64_t begin, int64_t end) {
                                const auto at = static_cast<size_t>(begin);
                                const std::byte* from = x + at * size_of(x_);
                                std::byte* to = y + at * size_of(y_);
                                if (maps_)
                                  maps_->map(map_, reinterpret_cast<const int8_t*>(from),
                                             reinterpret_cast<int8_t*>(to), end - begin);
                                else
                                  requantize(from, to, end - begin);
                              });
  }

  kernels::CodeCopy copy() const override {
    return maps_ ? kernels::CodeCopy{.kernel = maps_->map, .map = &map_} : kernels::CodeCopy{};
  }
  std::string_view kernel() const override {
    return maps_ ? maps_->name : arithmetic_.kernels->name;
  }

 private:
  void requantize(const void* x, void* y, int64_t n) const {
    if (arithmetic_.binary)
      return kernels::signs_of_codes(x_, x, static_cast<int8_t*>(y), n, arithmetic_.factors,
                                     arithmetic_.range, fixed_);
    arithmetic_.kernels->requantize[kernels::container(x_)][kernels::container(y_)](
        x, y, n, arithmetic_.factors, arithmetic_.range);
  }

  CodeArithmetic arithmetic_;
  DType x_ = DType::kI8, y_ = DType::kI8;
  bool fixed_ = false;
  const kernels::CodeKernels* maps_ = nullptr;  // null: not from 8 bits to 8
  kernels::CodeMap map_;
};

class CodeBinaryStep : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    auto arithmetic = code_arithmetic(context);
    if (!arithmetic.ok()) return arithmetic.status();
    arithmetic_ = arithmetic.value();
    const Operand &a = context.inputs[0], &b = context.inputs[1], &y = context.outputs[0];
    if (arithmetic_.binary) return unsupported("binary results of QAdd and QMul");
    const bool product = context.node.op == model::Op::kQMul;
    if (product) NIBBLE_RETURN_IF_ERROR(check_product(a.dtype, b.dtype));
    const auto& table = product ? arithmetic_.kernels->multiply : arithmetic_.kernels->add;
    kernel_ = table[kernels::container(a.dtype)][kernels::container(b.dtype)]
                   [kernels::container(y.dtype)];
    const Shape shapes[] = {a.shape, b.shape};
    plan_ = Broadcast(y.shape, shapes);
    return {};
  }

  void run(const RunContext& context) override {
    const Operand &a = context.inputs[0], &b = context.inputs[1], &y = context.outputs[0];
    plan_.run(context.pool, [&](int64_t at, const Broadcast::Offsets& offsets, int64_t n) {
      const auto start = [](const Operand& operand, int64_t element) {
        return operand.as<std::byte>() + static_cast<size_t>(element) * size_of(operand.dtype);
      };
      kernel_(start(a, offsets[0]), plan_.step(0), start(b, offsets[1]), plan_.step(1),
              start(y, at), n, arithmetic_.factors, arithmetic_.range);
      context.copy(reinterpret_cast<const int8_t*>(start(y, at)), 1, n, n);
    });
  }

  bool makes_copies() const override { return true; }
  std::string_view kernel() const override { return arithmetic_.kernels->name; }

 private:
  // The product of two differences must fit an int32.
  Status check_product(DType a, DType b) const {
    const auto largest = [](DType dtype, int32_t zero) {
      const CodeBounds bounds = container_bounds(dtype);
      return std::max<int64_t>(int64_t{bounds.hi} - zero, int64_t{zero} - bounds.lo);
    };
    const int64_t product =
        largest(a, arithmetic_.factors.zero_a) * largest(b, arithmetic_.factors.zero_b);
    if (product < int64_t{1} << 31) return {};
    return unsupported("products of codes up to " + std::to_string(product) +
                       ", expected less than 2^31");
  }

  CodeArithmetic arithmetic_;
  kernels::CodeBinaryKernel* kernel_ = nullptr;
  Broadcast plan_;
};

bool all_codes(const model::Model& model, const model::NodeInfo& node) {
  const auto is_code = [&](int tensor) {
    return kernels::container(model.tensors[static_cast<size_t>(tensor)].dtype) >= 0;
  };
  return std::all_of(node.inputs.begin(), node.inputs.end(), is_code) &&
         std::all_of(node.outputs.begin(), node.outputs.end(), is_code);
}

}  // namespace

std::unique_ptr<Step> requantize_step(const model::Model& model, const model::NodeInfo& node) {
  if (!all_codes(model, node)) return nullptr;
  return std::make_unique<RequantizeStep>();
}

std::unique_ptr<Step> code_binary_step(const model::Model& model, const model::NodeInfo& node) {
  if (!all_codes(model, node)) return nullptr;
  return std::make_unique<CodeBinaryStep>();
}

}  // namespace nibble::run
