#include <cstring>
#include <mutex>
#include <utility>

#include "deploy/base/cpu.h"
#include "deploy/model/nbl.h"
#include "deploy/run/session.h"
#include "nibble/run.h"

namespace nibble {
namespace {

static_assert(static_cast<int>(ElementType::kBool) == static_cast<int>(DType::kBool));
static_assert(static_cast<int>(ElementType::kI64) == static_cast<int>(DType::kI64));

std::vector<int64_t> dims_of(const Shape& shape) {
  return {shape.dims().begin(), shape.dims().end()};
}

std::vector<Port> ports(const model::Model& model, const std::vector<int>& tensors) {
  std::vector<Port> result;
  for (int t : tensors) {
    const model::TensorInfo& info = model.tensors[static_cast<size_t>(t)];
    result.push_back({info.name, static_cast<ElementType>(info.dtype), dims_of(info.shape)});
  }
  return result;
}

Error::Kind kind_of(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return Error::Kind::kNone;
    case StatusCode::kInvalidArgument:
      return Error::Kind::kData;
    case StatusCode::kCorrupt:
    case StatusCode::kUnsupported:
    case StatusCode::kIo:
    case StatusCode::kOutOfMemory:
      return Error::Kind::kModel;
    case StatusCode::kInternal:
      return Error::Kind::kInternal;
  }
  return Error::Kind::kInternal;
}

std::nullptr_t fail(Error& error, Error::Kind kind, const Status& status) {
  error = {kind, status.message()};
  return nullptr;
}

/// What the runtime cannot see for itself: it takes every view for a valid one.
Status view_of(const Array& input, TensorView& view) {
  if (!is_dtype(static_cast<int>(input.type)))
    return invalid_argument("an input has element type " +
                            std::to_string(static_cast<int>(input.type)) + ", which is none");
  if (input.shape.size() > static_cast<size_t>(kMaxRank))
    return invalid_argument("expects at most " + std::to_string(kMaxRank) +
                            " dimensions, an input has " + std::to_string(input.shape.size()));
  view = {static_cast<DType>(input.type), Shape(std::span(input.shape)),
          const_cast<void*>(input.data)};
  bool empty = false;
  for (int64_t dim : input.shape) empty = empty || dim == 0;
  if (input.data == nullptr && !empty) return invalid_argument("an input has no data");
  return {};
}

}  // namespace

struct Model::Impl {
  std::shared_ptr<const model::Model> model;
  std::vector<Port> inputs, outputs;
};

Model::Model() : impl_(std::make_unique<Impl>()) {}
Model::~Model() = default;

std::shared_ptr<const Model> Model::load(const std::string& path, bool verify_checksums,
                                         Error& error) {
  error = {};
  auto loaded = model::load_nbl(path, {verify_checksums});
  if (!loaded.ok()) return fail(error, Error::Kind::kModel, loaded.status());
  std::shared_ptr<Model> model(new Model);
  model->impl_->model = std::move(loaded).value();
  model->impl_->inputs = ports(*model->impl_->model, model->impl_->model->inputs);
  model->impl_->outputs = ports(*model->impl_->model, model->impl_->model->outputs);
  return model;
}

const std::vector<Port>& Model::inputs() const {
  return impl_->inputs;
}
const std::vector<Port>& Model::outputs() const {
  return impl_->outputs;
}

struct Session::Impl {
  std::shared_ptr<const Model> model;
  std::unique_ptr<run::Session> session;
  mutable std::mutex one_run;

  Status run(std::span<const Array> inputs) {
    std::vector<TensorView> views(inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) NIBBLE_RETURN_IF_ERROR(view_of(inputs[i], views[i]));
    return session->run(views);
  }

  Status copy_outputs(std::span<Output> outputs) const {
    Status status;
    for (size_t i = 0; i < outputs.size(); ++i) {
      const TensorView made = session->output(i);
      outputs[i].type = static_cast<ElementType>(made.dtype);
      outputs[i].shape = dims_of(made.shape);
      if (outputs[i].data && outputs[i].bytes < made.bytes() && status.ok())
        status = invalid_argument("output '" + model->outputs()[i].name + "': expects room for " +
                                  std::to_string(made.bytes()) + " bytes, found " +
                                  std::to_string(outputs[i].bytes));
    }
    for (size_t i = 0; status.ok() && i < outputs.size(); ++i) {
      const TensorView made = session->output(i);
      if (outputs[i].data && made.bytes()) std::memcpy(outputs[i].data, made.data, made.bytes());
    }
    return status;
  }
};

Session::Session() : impl_(std::make_unique<Impl>()) {}
Session::~Session() = default;

std::unique_ptr<Session> Session::create(std::shared_ptr<const Model> model,
                                         const SessionOptions& options, Error& error) {
  error = {};
  const Result<Isa> isa = isa_from_environment();
  if (!isa.ok()) return fail(error, Error::Kind::kUsage, isa.status());
  auto table = kernels::KernelTable::from_environment();
  if (!table.ok()) return fail(error, Error::Kind::kUsage, table.status());
  if (options.threads < 1)
    return fail(
        error, Error::Kind::kUsage,
        invalid_argument("expects 1 or more threads, found " + std::to_string(options.threads)));
  auto made = run::Session::create(
      model->impl_->model,
      {.threads = options.threads,
       .isa = isa.value(),
       .table = std::make_shared<const kernels::KernelTable>(std::move(table).value())});
  if (!made.ok()) return fail(error, Error::Kind::kModel, made.status());
  std::unique_ptr<Session> session(new Session);
  session->impl_->session = std::move(made).value();
  session->impl_->model = std::move(model);
  return session;
}

std::unique_ptr<Session> Session::load(const std::string& path, const SessionOptions& options,
                                       Error& error) {
  // A wrong $NIBBLE_ISA is told before a wrong file.
  if (const Result<Isa> isa = isa_from_environment(); !isa.ok())
    return fail(error, Error::Kind::kUsage, isa.status());
  auto model = Model::load(path, options.verify_checksums, error);
  return model ? create(std::move(model), options, error) : nullptr;
}

const std::vector<Port>& Session::inputs() const {
  return impl_->model->inputs();
}
const std::vector<Port>& Session::outputs() const {
  return impl_->model->outputs();
}

bool Session::run(std::span<const Array> inputs, Error& error) {
  return run(inputs, {}, error);
}

bool Session::run(std::span<const Array> inputs, std::span<Output> outputs, Error& error) {
  error = {};
  Status status;
  if (!outputs.empty() && outputs.size() != impl_->model->outputs().size()) {
    status = invalid_argument("expects " + std::to_string(impl_->model->outputs().size()) +
                              " outputs, found " + std::to_string(outputs.size()));
  } else {
    const std::lock_guard lock(impl_->one_run);
    status = impl_->run(inputs);
    if (status.ok()) status = impl_->copy_outputs(outputs);
  }
  if (!status.ok()) error = {kind_of(status.code()), status.message()};
  return status.ok();
}

Array Session::output(size_t i) const {
  const TensorView view = impl_->session->output(i);
  return {static_cast<ElementType>(view.dtype), dims_of(view.shape), view.data};
}

size_t Session::peak_activation_bytes() const {
  const std::lock_guard lock(impl_->one_run);
  return impl_->session->peak_activation_bytes();
}

const char* version() {
  return NIBBLE_VERSION;
}

}  // namespace nibble
