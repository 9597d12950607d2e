#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "deploy/base/shape.h"
#include "nibble/run.h"
#include "nibble/run_c.h"

// The C ABI: the C++ API with handles for its pointers.

struct nibble_model {
  std::shared_ptr<const nibble::Model> model;
  std::vector<nibble_port> inputs, outputs;
};

struct nibble_session {
  std::unique_ptr<nibble::Session> session;
};

namespace nibble {
namespace {

static_assert(NIBBLE_MAX_RANK == kMaxRank);
static_assert(NIBBLE_BOOL == static_cast<int>(ElementType::kBool));
static_assert(NIBBLE_I64 == static_cast<int>(ElementType::kI64));

thread_local std::string error_text;  // NOLINT: what errno is to the C library

nibble_status fail(nibble_status status, const std::string& message) {
  error_text = message;
  return status;
}

nibble_status fail(const Error& error) {
  switch (error.kind) {
    case Error::Kind::kNone:
    case Error::Kind::kInternal:
      return fail(NIBBLE_INTERNAL, error.message);
    case Error::Kind::kUsage:
      return fail(NIBBLE_USAGE, error.message);
    case Error::Kind::kModel:
      return fail(NIBBLE_MODEL, error.message);
    case Error::Kind::kData:
      return fail(NIBBLE_DATA, error.message);
  }
  return fail(NIBBLE_INTERNAL, error.message);
}

/// No exception passes into C; only memory that runs out makes one.
template <class F>
nibble_status guarded(F&& f) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    error_text = "out of memory";  // short enough for a string without heap
    return NIBBLE_MODEL;
  } catch (const std::exception& e) {
    return fail(NIBBLE_INTERNAL, e.what());
  }
}

template <class To>
void put_shape(const std::vector<int64_t>& shape, To& to) {
  to.rank = static_cast<int32_t>(shape.size());
  for (size_t d = 0; d < shape.size(); ++d) to.shape[d] = shape[d];
}

/// The names stay where `ports` holds them.
std::vector<nibble_port> ports_of(const std::vector<Port>& ports) {
  std::vector<nibble_port> result(ports.size());
  for (size_t i = 0; i < ports.size(); ++i) {
    result[i].name = ports[i].name.c_str();
    result[i].type = static_cast<int32_t>(ports[i].type);
    put_shape(ports[i].shape, result[i]);
  }
  return result;
}

size_t bytes_of(const std::vector<int64_t>& shape, int32_t type) {
  constexpr size_t kBytes[] = {0, 4, 8, 2, 2, 1, 1, 2, 2, 4, 4, 8, 8, 1};
  size_t bytes = kBytes[type];
  for (int64_t dim : shape)
    if (__builtin_mul_overflow(bytes, static_cast<size_t>(dim), &bytes)) return SIZE_MAX;
  return bytes;
}

/// Empty, or what is wrong with input i.
std::string read_input(const nibble_array& from, size_t i, Array& to) {
  const std::string name = "input " + std::to_string(i) + ": expects ";
  if (from.type < NIBBLE_F32 || from.type > NIBBLE_BOOL)
    return name + "an element type from 1 to 13, found " + std::to_string(from.type);
  if (from.rank < 0 || from.rank > NIBBLE_MAX_RANK)
    return name + "a rank from 0 to 8, found " + std::to_string(from.rank);
  to = {static_cast<ElementType>(from.type), {from.shape, from.shape + from.rank}, from.data};
  const size_t bytes = bytes_of(to.shape, from.type);
  if (from.bytes != bytes)
    return name + std::to_string(bytes) + " bytes for its shape, found " +
           std::to_string(from.bytes);
  return {};
}

nibble_status run(Session& session, const nibble_array* in, size_t input_count, nibble_array* out,
                  size_t output_count) {
  std::vector<Array> inputs(input_count);
  for (size_t i = 0; i < input_count; ++i)
    if (const std::string wrong = read_input(in[i], i, inputs[i]); !wrong.empty())
      return fail(NIBBLE_DATA, wrong);
  std::vector<Output> outputs(output_count);
  for (size_t i = 0; i < output_count; ++i) {
    outputs[i].data = out[i].data;
    outputs[i].bytes = out[i].bytes;
  }
  Error error;
  const bool done = session.run(inputs, outputs, error);
  for (size_t i = 0; i < output_count; ++i) {
    out[i].type = static_cast<int32_t>(outputs[i].type);
    put_shape(outputs[i].shape, out[i]);
  }
  return done ? NIBBLE_OK : fail(error);
}

const nibble_port* at(const std::vector<nibble_port>& ports, size_t index) {
  return index < ports.size() ? &ports[index] : nullptr;
}

}  // namespace
}  // namespace nibble

extern "C" {

const char* nibble_version(void) {
  return nibble::version();
}

uint32_t nibble_abi_version(void) {
  return NIBBLE_ABI_VERSION;
}

const char* nibble_error_text(void) {
  return nibble::error_text.c_str();
}

nibble_status nibble_model_load(const char* path, int verify_checksums, nibble_model** model) {
  if (model == nullptr) return nibble::fail(NIBBLE_USAGE, "expects a place for the model");
  *model = nullptr;
  if (path == nullptr) return nibble::fail(NIBBLE_USAGE, "expects a path");
  return nibble::guarded([&] {
    nibble::Error error;
    auto loaded = nibble::Model::load(path, verify_checksums != 0, error);
    if (!loaded) return nibble::fail(error);
    auto inputs = nibble::ports_of(loaded->inputs()), outputs = nibble::ports_of(loaded->outputs());
    *model = new nibble_model{std::move(loaded), std::move(inputs), std::move(outputs)};
    return NIBBLE_OK;
  });
}

void nibble_model_free(nibble_model* model) {
  delete model;
}

size_t nibble_model_input_count(const nibble_model* model) {
  return model->inputs.size();
}
size_t nibble_model_output_count(const nibble_model* model) {
  return model->outputs.size();
}
const nibble_port* nibble_model_input(const nibble_model* model, size_t index) {
  return nibble::at(model->inputs, index);
}
const nibble_port* nibble_model_output(const nibble_model* model, size_t index) {
  return nibble::at(model->outputs, index);
}

nibble_status nibble_session_create(const nibble_model* model, int threads,
                                    nibble_session** session) {
  if (session == nullptr) return nibble::fail(NIBBLE_USAGE, "expects a place for the session");
  *session = nullptr;
  if (model == nullptr) return nibble::fail(NIBBLE_USAGE, "expects a model");
  return nibble::guarded([&] {
    nibble::Error error;
    auto made = nibble::Session::create(model->model, {.threads = threads}, error);
    if (!made) return nibble::fail(error);
    *session = new nibble_session{std::move(made)};
    return NIBBLE_OK;
  });
}

void nibble_session_free(nibble_session* session) {
  delete session;
}

nibble_status nibble_session_run(nibble_session* session, const nibble_array* inputs,
                                 size_t input_count, nibble_array* outputs, size_t output_count) {
  if (session == nullptr || (inputs == nullptr && input_count > 0) ||
      (outputs == nullptr && output_count > 0))
    return nibble::fail(NIBBLE_USAGE, "expects a session, and arrays where their number is not 0");
  return nibble::guarded(
      [&] { return nibble::run(*session->session, inputs, input_count, outputs, output_count); });
}

size_t nibble_session_peak_activation_bytes(const nibble_session* session) {
  return session->session->peak_activation_bytes();
}

}  // extern "C"
