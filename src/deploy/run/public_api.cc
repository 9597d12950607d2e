#include <utility>

#include "deploy/base/cpu.h"
#include "deploy/model/nbl.h"
#include "deploy/run/session.h"
#include "nibble/run.h"

namespace nibble {
namespace {

static_assert(static_cast<int>(ElementType::kBool) == static_cast<int>(DType::kBool));
static_assert(static_cast<int>(ElementType::kI64) == static_cast<int>(DType::kI64));

std::vector<Port> ports(const model::Model& model, const std::vector<int>& tensors) {
  std::vector<Port> result;
  for (int t : tensors) {
    const model::TensorInfo& info = model.tensors[static_cast<size_t>(t)];
    const auto dims = info.shape.dims();
    result.push_back({info.name, static_cast<ElementType>(info.dtype), {dims.begin(), dims.end()}});
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

}  // namespace

struct Session::Impl {
  std::unique_ptr<run::Session> session;
  std::vector<Port> inputs, outputs;
};

Session::Session() : impl_(std::make_unique<Impl>()) {}
Session::~Session() = default;

std::unique_ptr<Session> Session::load(const std::string& path, const SessionOptions& options,
                                       Error& error) {
  error = {};
  const Result<Isa> isa = isa_from_environment();
  if (!isa.ok()) return fail(error, Error::Kind::kUsage, isa.status());
  auto table = kernels::KernelTable::from_environment();
  if (!table.ok()) return fail(error, Error::Kind::kUsage, table.status());
  if (options.threads < 1)
    return fail(
        error, Error::Kind::kUsage,
        invalid_argument("expects 1 or more threads, found " + std::to_string(options.threads)));
  auto model = model::load_nbl(path, {options.verify_checksums});
  if (!model.ok()) return fail(error, Error::Kind::kModel, model.status());
  std::unique_ptr<Session> session(new Session);
  session->impl_->inputs = ports(*model.value(), model.value()->inputs);
  session->impl_->outputs = ports(*model.value(), model.value()->outputs);
  auto made = run::Session::create(
      std::move(model).value(),
      {.threads = options.threads,
       .isa = isa.value(),
       .table = std::make_shared<const kernels::KernelTable>(std::move(table).value())});
  if (!made.ok()) return fail(error, Error::Kind::kModel, made.status());
  session->impl_->session = std::move(made).value();
  return session;
}

const std::vector<Port>& Session::inputs() const {
  return impl_->inputs;
}
const std::vector<Port>& Session::outputs() const {
  return impl_->outputs;
}

bool Session::run(std::span<const Array> inputs, Error& error) {
  error = {};
  std::vector<TensorView> views;
  for (const Array& input : inputs) {
    if (input.shape.size() > static_cast<size_t>(kMaxRank)) {
      error = {Error::Kind::kData, "expects at most " + std::to_string(kMaxRank) +
                                       " dimensions, an input has " +
                                       std::to_string(input.shape.size())};
      return false;
    }
    views.push_back({static_cast<DType>(input.type), Shape(std::span(input.shape)),
                     const_cast<void*>(input.data)});
  }
  const Status status = impl_->session->run(views);
  if (!status.ok()) error = {kind_of(status.code()), status.message()};
  return status.ok();
}

Array Session::output(size_t i) const {
  const TensorView view = impl_->session->output(i);
  const auto dims = view.shape.dims();
  return {static_cast<ElementType>(view.dtype), {dims.begin(), dims.end()}, view.data};
}

size_t Session::peak_activation_bytes() const {
  return impl_->session->peak_activation_bytes();
}

const char* version() {
  return NIBBLE_VERSION;
}

}  // namespace nibble
