#include "deploy/run/session.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "deploy/run/session_impl.h"
#include "deploy/run/share_work.h"

namespace nibble::run {
namespace {

/// Nothing leaves deploy/ as an exception; the standard library throws when memory runs out.
template <class F>
Status guarded(const std::string& source, F&& f) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    return {StatusCode::kOutOfMemory, source + ": not enough memory"};
  } catch (const std::exception& e) {
    return {StatusCode::kInternal, source + ": " + e.what()};
  }
}

}  // namespace

Status Session::Impl::create() {
  last_use.assign(model->tensors.size(), 0);
  producer.assign(model->tensors.size(), kNoNode);
  for (size_t n = 0; n < model->nodes.size(); ++n) {
    for (int tensor : node(n).inputs)
      if (tensor != model::kNoTensor) last_use[static_cast<size_t>(tensor)] = n;
    for (int tensor : node(n).outputs)
      if (tensor != model::kNoTensor) producer[static_cast<size_t>(tensor)] = n;
    Result<std::unique_ptr<Step>> step = make_step(*model, node(n));
    if (!step.ok()) return at_node(n, step.status());
    steps.push_back(std::move(step).value());
  }
  for (int output : model->outputs) {
    last_use[static_cast<size_t>(output)] = model->nodes.size();
    if (info(output).packed.format != format::FormatId::kPlain)
      return unsupported(model->source + ": output '" + info(output).name +
                         "' is a packed constant");
  }
  return {};
}

double Session::Impl::bytes_of(size_t n) const {
  double bytes = 0;
  const auto count = [&](int tensor) {
    if (tensor == model::kNoTensor) return;
    const auto t = static_cast<size_t>(tensor);
    const model::TensorInfo& info = model->tensors[t];
    bytes += static_cast<double>(info.is_constant ? info.data.size() : values[t].view().bytes());
  };
  for (int tensor : node(n).inputs) count(tensor);
  for (int tensor : node(n).outputs) count(tensor);
  if (copies[n] != kNoNode) count(node(copies[n]).outputs[0]);
  return bytes;
}

ThreadPool& Session::Impl::pool_of(size_t n) {
  return worth_sharing(steps[n]->macs(), bytes_of(n), options.isa) ? pool : caller;
}

Status Session::Impl::run_step(const Bound& b) {
  Status fault;
  const RunContext context{b.inputs, b.outputs, scratch.data(), *b.pool, &fault, b.copy};
  if (!profiling) {
    b.step->run(context);
  } else {
    const auto start = std::chrono::steady_clock::now();
    b.step->run(context);
    seconds[b.node] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return fault.ok() ? fault : at_node(b.node, fault);
}

void Session::Impl::observe(size_t n) {
  if (!observer) return;
  for (int tensor : node(n).outputs)
    if (tensor != model::kNoTensor) observer(tensor, value(tensor).view());
}

Status Session::Impl::run_steps() {
  for (const Bound& b : bound) {
    if (b.step) NIBBLE_RETURN_IF_ERROR(run_step(b));
    observe(b.node);
  }
  return first_dynamic < model->nodes.size() ? run_dynamic() : Status();
}

Status Session::Impl::run(std::span<const TensorView> inputs) {
  bool as_prepared = prepared && inputs.size() == input_shapes.size();
  for (size_t i = 0; as_prepared && i < inputs.size(); ++i)
    as_prepared = inputs[i].shape == input_shapes[i];
  if (!as_prepared) {
    std::vector<Shape> shapes;
    for (const TensorView& input : inputs) shapes.push_back(input.shape);
    NIBBLE_RETURN_IF_ERROR(prepare(shapes));
  }
  ran = false;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (const model::TensorInfo& declared = info(model->inputs[i]);
        inputs[i].dtype != declared.dtype)
      return invalid_argument(model->source + ": input '" + declared.name + "': expects " +
                              std::string(name_of(declared.dtype)) + ", found " +
                              std::string(name_of(inputs[i].dtype)));
  for (auto& [v, i] : input_values) v->data = inputs[i].data;
  for (auto& [operand, i] : input_operands) operand->data = inputs[i].data;

  if (shares) {
    const ThreadPool::Awake awake(pool);
    NIBBLE_RETURN_IF_ERROR(run_steps());
  } else {
    NIBBLE_RETURN_IF_ERROR(run_steps());
  }
  for (size_t i = 0; i < output_copies.size(); ++i)
    if (const Value& v = value(model->outputs[i]); v.home == Home::kInput && v.view().bytes() > 0)
      std::memcpy(output_copies[i].data(), v.data, v.view().bytes());
  ran = true;
  return {};
}

Session::Session() = default;
Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::create(std::shared_ptr<const model::Model> model,
                                                 const SessionOptions& options) {
  const std::string source = model->source;
  if (options.threads < 1)
    return invalid_argument("expects 1 or more threads, found " + std::to_string(options.threads));
  if (!cpu_runs(options.isa))
    return invalid_argument(std::string(name_of(options.isa)) + " cannot run on this machine");
  std::unique_ptr<Session> session(new Session);
  const Status status = guarded(source, [&] {
    session->impl_ = std::make_unique<Impl>(std::move(model), options);
    return session->impl_->create();
  });
  if (!status.ok()) return status;
  return session;
}

Status Session::prepare(std::span<const Shape> input_shapes) {
  return guarded(impl_->model->source, [&] { return impl_->prepare(input_shapes); });
}

Status Session::run(std::span<const TensorView> inputs) {
  return guarded(impl_->model->source, [&] { return impl_->run(inputs); });
}

TensorView Session::output(size_t i) const {
  if (!impl_->ran) return {};
  const Value& v = impl_->value(impl_->model->outputs[i]);
  return v.home == Home::kInput ? impl_->output_copies[i].view() : v.view();
}

void Session::set_observer(Observer observer) {
  impl_->observer = std::move(observer);
}

void Session::set_profiling(bool on) {
  impl_->profiling = on;
}

std::vector<StepProfile> Session::profile() const {
  std::vector<StepProfile> profiles;
  for (size_t n = 0; n < impl_->computed.size(); ++n) {
    if (!impl_->computed[n]) continue;
    const model::NodeInfo& node = impl_->node(n);
    const Step& step = *impl_->steps[n];
    const size_t copy = impl_->copies[n];
    profiles.push_back({n, node.name, node.op, step.kernel(), impl_->seconds[n], step.macs(),
                        impl_->bytes_of(n),
                        copy == Impl::kNoNode ? std::string_view() : impl_->node(copy).name});
  }
  return profiles;
}

size_t Session::peak_activation_bytes() const {
  return impl_->arena.size() + impl_->peak_owned_bytes;
}

const model::Model& Session::model() const {
  return *impl_->model;
}

}  // namespace nibble::run
