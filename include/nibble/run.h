#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

/// nibble's runtime: loads a .nbl file and runs it. Stable; needs nothing but the standard library
/// and libnibble_runtime. Throws nothing.
///
///     nibble::Error error;
///     auto session = nibble::Session::load("model.nbl", {}, error);
///     if (!session) return complain(error.message);
///     const nibble::Array x{nibble::ElementType::kF32, {1, 3, 32, 32}, pixels};
///     if (!session->run({&x, 1}, error)) return complain(error.message);
///     const nibble::Array y = session->output(0);
namespace nibble {

enum class ElementType : uint8_t {
  kF32 = 1,
  kF64 = 2,
  kF16 = 3,   // two bytes, IEEE binary16
  kBF16 = 4,  // two bytes, the upper half of a binary32
  kI8 = 5,
  kU8 = 6,
  kI16 = 7,
  kU16 = 8,
  kI32 = 9,
  kU32 = 10,
  kI64 = 11,
  kU64 = 12,
  kBool = 13,  // one byte, 0 or 1
};

/// What went wrong: one line for people, and a kind for programs.
struct Error {
  enum class Kind {
    kNone,
    kUsage,     // options that make no sense, $NIBBLE_ISA that this machine lacks
    kModel,     // a model that cannot be read, is not supported or does not fit in memory
    kData,      // inputs that do not fit the model
    kInternal,  // a bug in nibble
  };
  Kind kind = Kind::kNone;
  std::string message;
};

/// An input or output as the model declares it; -1 stands for a dimension that each run may choose.
struct Port {
  std::string name;
  ElementType type;
  std::vector<int64_t> shape;
};

/// Borrowed elements in row-major order.
struct Array {
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;
  const void* data = nullptr;
};

/// Where a run puts an output of the model: the caller's memory. The run sets type and shape.
struct Output {
  void* data = nullptr;  // null: this output is not wanted
  size_t bytes = 0;      // room at `data`; more than the output needs is fine
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;
};

/// A loaded network: immutable, shared by any number of sessions and threads. Its weights stay in
/// the mapped file.
class Model {
 public:
  /// Null when the file cannot be read; `error` says why. Structure and sizes are always checked,
  /// the checksums of the whole file where asked for.
  static std::shared_ptr<const Model> load(const std::string& path, bool verify_checksums,
                                           Error& error);
  ~Model();

  const std::vector<Port>& inputs() const;
  const std::vector<Port>& outputs() const;

 private:
  friend class Session;
  Model();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct SessionOptions {
  int threads = 1;                // that share the work; the results do not depend on it
  bool verify_checksums = false;  // by load: of the whole file
};

/// One model ready to run, with memory for the activations of one run. The best kernels of this
/// machine at or below $NIBBLE_ISA run; all give the same bytes. Runs that several threads start at
/// once wait for one another.
class Session {
 public:
  /// Null when the model cannot be run; `error` says why.
  static std::unique_ptr<Session> create(std::shared_ptr<const Model> model,
                                         const SessionOptions& options, Error& error);
  /// Model::load and create in one call.
  static std::unique_ptr<Session> load(const std::string& path, const SessionOptions& options,
                                       Error& error);
  ~Session();

  const std::vector<Port>& inputs() const;
  const std::vector<Port>& outputs() const;

  /// Runs on arrays in the order of inputs(). New shapes are prepared for on the spot; with the
  /// shapes of the run before, and where no shape depends on input values, nothing is allocated
  /// but the few bytes of the call itself. False: `error` says why.
  bool run(std::span<const Array> inputs, Error& error);

  /// The same, with the results copied to `outputs`, in the order of outputs(), before another
  /// thread's run may begin. Where one has too little room (kData), nothing is copied, but all
  /// types and shapes are set.
  bool run(std::span<const Array> inputs, std::span<Output> outputs, Error& error);

  /// Output i of the last successful run, valid until the next one begins: for sessions that one
  /// thread uses.
  Array output(size_t i) const;

  /// Memory for activations, planned for the shapes of the last run.
  size_t peak_activation_bytes() const;

 private:
  Session();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// "1.2.3"
const char* version();

}  // namespace nibble
