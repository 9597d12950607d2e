#include <algorithm>
#include <string>

#include "deploy/model/infer_shapes.h"
#include "deploy/run/memory_plan.h"
#include "deploy/run/session_impl.h"

namespace nibble::run {

Status Session::Impl::at_node(size_t n, const Status& status) const {
  return {status.code(), model->source + ": node '" + node(n).name + "': " + status.message()};
}

Status Session::Impl::check_inputs(std::span<const Shape> shapes) const {
  if (shapes.size() != model->inputs.size())
    return invalid_argument(model->source + ": expects " + std::to_string(model->inputs.size()) +
                            " inputs, found " + std::to_string(shapes.size()));
  for (size_t i = 0; i < shapes.size(); ++i) {
    const model::TensorInfo& declared = info(model->inputs[i]);
    bool fits = shapes[i].rank() == declared.shape.rank() && shapes[i].known();
    for (int d = 0; fits && d < shapes[i].rank(); ++d)
      fits = shapes[i][d] >= 0 &&
             (declared.shape[d] == kUnknownDim || declared.shape[d] == shapes[i][d]);
    if (!fits)
      return invalid_argument(model->source + ": input '" + declared.name + "': expects " +
                              to_string(declared.shape) + ", found " + to_string(shapes[i]));
  }
  return {};
}

void* Session::Impl::visible_data(const Value& value, bool dynamic) const {
  return value.known() || (dynamic && value.shape.rank() <= 1) ? value.data : nullptr;
}

Result<bool> Session::Impl::infer(size_t n, bool dynamic) {
  std::vector<model::ShapeInput> inputs;
  for (int tensor : node(n).inputs) {
    if (tensor == model::kNoTensor) {
      inputs.push_back({false, DType::kF32, {}, nullptr});
      continue;
    }
    const Value& v = value(tensor);
    if (v.home == Home::kNone)
      return at_node(n, corrupt("reads '" + info(tensor).name + "' before anything makes it"));
    const bool plain = info(tensor).packed.format == format::FormatId::kPlain;
    inputs.push_back({true, v.dtype, v.shape, plain ? visible_data(v, dynamic) : nullptr});
  }
  std::vector<model::ShapeOutput> outputs;
  for (int tensor : node(n).outputs)
    outputs.push_back(tensor == model::kNoTensor
                          ? model::ShapeOutput{}
                          : model::ShapeOutput{info(tensor).dtype, info(tensor).shape});
  const Status status = model::infer_shapes(node(n).op, node(n).attributes, inputs, outputs);
  if (status.code() == StatusCode::kUnsupported && !dynamic) return false;
  if (!status.ok()) return at_node(n, status);
  bool all_known = true;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const int tensor = node(n).outputs[i];
    if (tensor == model::kNoTensor) continue;
    if (outputs[i].dtype != info(tensor).dtype)
      return at_node(
          n, corrupt(std::string(model::name_of(node(n).op)) + " makes " +
                     std::string(name_of(outputs[i].dtype)) + ", but '" + info(tensor).name +
                     "' is declared " + std::string(name_of(info(tensor).dtype))));
    value(tensor).dtype = outputs[i].dtype;
    value(tensor).shape = outputs[i].shape;
    all_known = all_known && outputs[i].shape.known();
  }
  if (!all_known && dynamic)
    return at_node(n, unsupported("the shape of its output cannot be told from its inputs"));
  return all_known;
}

bool Session::Impl::is_alias(size_t n) const {
  const model::Op op = node(n).op;
  const bool moves_nothing = op == model::Op::kReshape || op == model::Op::kFlatten ||
                             op == model::Op::kSqueeze || op == model::Op::kUnsqueeze ||
                             op == model::Op::kIdentity;
  if (!moves_nothing || node(n).outputs[0] == model::kNoTensor) return false;
  const model::TensorInfo& from = info(node(n).inputs[0]);
  const model::TensorInfo& to = info(node(n).outputs[0]);
  // In a simulation a change of grid changes values.
  const bool same_grid =
      model->phase != model::Phase::kAnnotated || !to.quant || to.quant == from.quant;
  return same_grid && from.packed.format == format::FormatId::kPlain;
}

void Session::Impl::make_alias(size_t n) {
  const Value& from = value(node(n).inputs[0]);
  Value& to = value(node(n).outputs[0]);
  to.home = from.home;
  to.data = from.data;
  to.root = from.root;
  to.owner = from.owner;
}

void Session::Impl::allocate_outputs(size_t n, Home home) {
  for (int tensor : node(n).outputs) {
    if (tensor == model::kNoTensor) continue;
    Value& v = value(tensor);
    v.home = home;
    v.root = tensor;
    v.data = nullptr;
    v.owner.reset();
    if (home == Home::kArena) continue;
    v.owner = std::make_shared<Tensor>(v.dtype, v.shape);
    v.data = v.owner->data();
  }
}

void Session::Impl::append_operands(size_t n, bool dynamic, bool preparing,
                                    std::vector<Operand>& list) const {
  const auto append = [&](int tensor, bool is_input) {
    if (tensor == model::kNoTensor) {
      list.emplace_back();
      return;
    }
    const Value& v = values[static_cast<size_t>(tensor)];
    void* data = !preparing ? v.data : is_input ? visible_data(v, dynamic) : nullptr;
    list.push_back({&info(tensor), v.dtype, v.shape, data});
  };
  for (int tensor : node(n).inputs) append(tensor, true);
  for (int tensor : node(n).outputs) append(tensor, false);
}

Status Session::Impl::prepare_step(size_t n, bool dynamic) {
  std::vector<Operand> list;
  append_operands(n, dynamic, /*preparing=*/true, list);
  const auto all = std::span<const Operand>(list);
  PrepareContext context{*model,
                         node(n),
                         all.first(node(n).inputs.size()),
                         all.subspan(node(n).inputs.size()),
                         options.isa,
                         table(),
                         options.threads,
                         0};
  const Status status = steps[n]->prepare(context);
  if (!status.ok()) return at_node(n, status);
  if (context.scratch_bytes > scratch.size()) scratch = Buffer(context.scratch_bytes);
  return {};
}

bool Session::Impl::join_copy(size_t n) {
  if (!steps[n]->copy().kernel) return false;
  const size_t maker = producer[static_cast<size_t>(value(node(n).inputs[0]).root)];
  if (maker == kNoNode || !computed[maker] || copies[maker] != kNoNode ||
      !steps[maker]->makes_copies())
    return false;
  copies[maker] = n;
  return true;
}

Status Session::Impl::evaluate(size_t n) {
  NIBBLE_RETURN_IF_ERROR(prepare_step(n, false));
  allocate_outputs(n, Home::kKnown);
  std::vector<Operand> list;
  append_operands(n, false, /*preparing=*/false, list);
  const auto all = std::span<const Operand>(list);
  const size_t ins = node(n).inputs.size();
  return run_step({n, steps[n].get(), &pool_of(n), all.first(ins), all.subspan(ins)});
}

Status Session::Impl::prepare(std::span<const Shape> shapes) {
  prepared = ran = false;
  NIBBLE_RETURN_IF_ERROR(check_inputs(shapes));
  input_shapes.assign(shapes.begin(), shapes.end());
  values.assign(model->tensors.size(), {});
  for (size_t t = 0; t < values.size(); ++t) {
    const model::TensorInfo& tensor = model->tensors[t];
    if (tensor.is_constant)
      values[t] = {Home::kConstant,     tensor.dtype,
                   tensor.shape,        const_cast<std::byte*>(tensor.data.data()),
                   static_cast<int>(t), nullptr};
  }
  for (size_t i = 0; i < shapes.size(); ++i)
    value(model->inputs[i]) = {
        Home::kInput, info(model->inputs[i]).dtype, shapes[i], nullptr, model->inputs[i], nullptr};

  const size_t count = model->nodes.size();
  computed.assign(count, 0);
  copies.assign(count, kNoNode);
  seconds.assign(count, 0);
  first_dynamic = count;
  owned_bytes = peak_owned_bytes = 0;
  for (size_t n = 0; n < count; ++n) {
    const Result<bool> inferred = infer(n, false);
    if (!inferred.ok()) return inferred.status();
    if (!inferred.value()) {
      first_dynamic = n;
      break;
    }
    if (is_alias(n)) {
      make_alias(n);
      continue;
    }
    // Shape and Size read nothing but the shape, which is known here.
    bool known = node(n).op == model::Op::kShape || node(n).op == model::Op::kSize;
    known = known || std::all_of(node(n).inputs.begin(), node(n).inputs.end(),
                                 [&](int t) { return t == model::kNoTensor || value(t).known(); });
    if (known) {
      NIBBLE_RETURN_IF_ERROR(evaluate(n));
    } else {
      NIBBLE_RETURN_IF_ERROR(prepare_step(n, false));
      allocate_outputs(n, Home::kArena);
      computed[n] = !join_copy(n);
    }
  }
  NIBBLE_RETURN_IF_ERROR(place_and_bind());
  prepared = true;
  return {};
}

Status Session::Impl::place_and_bind() {
  const size_t count = model->nodes.size();
  // A tensor lives from its producer to the last reader of any tensor that shares its memory; what
  // the dynamic part or the caller reads lives to the end.
  std::vector<Block> blocks;
  std::vector<int> block_of(values.size(), -1);
  const auto place = [&](size_t n, size_t first) {
    for (int tensor : node(n).outputs) {
      if (tensor == model::kNoTensor) continue;
      block_of[static_cast<size_t>(tensor)] = static_cast<int>(blocks.size());
      blocks.push_back({value(tensor).view().bytes(), first, n});
    }
  };
  for (size_t n = 0; n < first_dynamic; ++n) {
    if (!computed[n]) continue;
    place(n, n);
    if (copies[n] != kNoNode) place(copies[n], n);
  }
  for (size_t t = 0; t < values.size(); ++t) {
    if (values[t].home != Home::kArena) continue;
    Block& block = blocks[static_cast<size_t>(block_of[static_cast<size_t>(values[t].root)])];
    const size_t last = last_use[t] >= first_dynamic ? count : last_use[t];
    block.last = std::max(block.last, last);
  }
  Result<MemoryPlan> plan = plan_memory(blocks);
  if (!plan.ok()) return {plan.status().code(), model->source + ": " + plan.status().message()};
  // An empty tensor gets an address as well.
  arena = Buffer(std::max(plan.value().bytes, kAlignment));
  for (Value& v : values)
    if (v.home == Home::kArena)
      v.data = arena.data() +
               plan.value().offsets[static_cast<size_t>(block_of[static_cast<size_t>(v.root)])];

  operands.clear();
  bound.clear();
  std::vector<size_t> begins;
  for (size_t n = 0; n < first_dynamic; ++n) {
    begins.push_back(operands.size());
    append_operands(n, false, /*preparing=*/false, operands);
  }
  for (size_t n = 0; n < first_dynamic; ++n) {
    const auto all = std::span<const Operand>(operands).subspan(begins[n]);
    const size_t ins = node(n).inputs.size();
    kernels::CodeCopy copy;
    if (copies[n] != kNoNode) {
      copy = steps[copies[n]]->copy();
      copy.from = static_cast<const int8_t*>(value(node(n).outputs[0]).data);
      copy.to = static_cast<int8_t*>(value(node(copies[n]).outputs[0]).data);
    }
    bound.push_back({n, computed[n] ? steps[n].get() : nullptr, computed[n] ? &pool_of(n) : nullptr,
                     all.first(ins), all.subspan(ins, node(n).outputs.size()), copy});
  }
  shares = first_dynamic < count ||
           std::any_of(bound.begin(), bound.end(), [&](const Bound& b) { return b.pool == &pool; });

  // What lies in the caller's memory moves with every run.
  input_values.clear();
  input_operands.clear();
  const auto input_of = [&](const Value& v) {
    return static_cast<size_t>(std::find(model->inputs.begin(), model->inputs.end(), v.root) -
                               model->inputs.begin());
  };
  for (Value& v : values)
    if (v.home == Home::kInput) input_values.emplace_back(&v, input_of(v));
  for (Operand& operand : operands) {
    if (!operand.present()) continue;
    const Value& v = values[static_cast<size_t>(operand.info - model->tensors.data())];
    if (v.home == Home::kInput) input_operands.emplace_back(&operand, input_of(v));
  }
  output_copies.clear();
  output_copies.resize(model->outputs.size());
  for (size_t i = 0; i < model->outputs.size(); ++i)
    if (const Value& v = value(model->outputs[i]); v.home == Home::kInput)
      output_copies[i] = Tensor(v.dtype, v.shape);
  return {};
}

}  // namespace nibble::run
