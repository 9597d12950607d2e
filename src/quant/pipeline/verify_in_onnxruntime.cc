#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "quant/data/npy.h"
#include "quant/graph/error.h"
#include "quant/pipeline/verify_export.h"

namespace nibble::pipeline {
namespace {

namespace fs = std::filesystem;

/// Exit code 42 says that the modules are missing; the outputs land beside the inputs.
constexpr const char* kScript = R"(
import sys
try:
    import numpy, onnxruntime
except Exception:
    sys.exit(42)
model, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
options.log_severity_level = 4
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
for s in range(count):
    feed = {x.name: numpy.load(f"{folder}/in_{s}_{i}.npy") for i, x in enumerate(session.get_inputs())}
    for i, y in enumerate(session.run(None, feed)):
        numpy.save(f"{folder}/out_{s}_{i}.npy", y)
)";

constexpr int kModulesMissing = 42;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "nibble-XXXXXX").string();
    if (!::mkdtemp(pattern.data()))
      throw Error(ErrorKind::kOutput, "no temporary folder can be made", pattern);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  std::string file(const char* kind, size_t sample, size_t index) const {
    return (path_ / (std::string(kind) + "_" + std::to_string(sample) + "_" +
                     std::to_string(index) + ".npy"))
        .string();
  }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

/// Runs python -c kScript with its output thrown away; returns the exit code, or kModulesMissing
/// where no Python is found.
int run_python(const std::string& model, const std::string& folder, size_t count) {
  const char* chosen = std::getenv("NIBBLE_PYTHON");
  const std::string python = chosen && *chosen ? chosen : "python3";
  const std::string samples = std::to_string(count);
  const pid_t child = ::fork();
  if (child == 0) {
    if (!std::freopen("/dev/null", "w", stdout) || !std::freopen("/dev/null", "w", stderr))
      ::_exit(1);
    ::execlp(python.c_str(), python.c_str(), "-c", kScript, model.c_str(), folder.c_str(),
             samples.c_str(), static_cast<char*>(nullptr));
    ::_exit(kModulesMissing);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return kModulesMissing;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace

std::optional<bool> verify_in_onnxruntime(const std::string& path,
                                          const std::vector<Sample>& samples,
                                          double quantization_db) {
  const TemporaryFolder folder;
  for (size_t s = 0; s < samples.size(); ++s)
    for (size_t i = 0; i < samples[s].inputs.size(); ++i)
      data::write_npy(folder.file("in", s, i), samples[s].inputs[i].view());
  const int code = run_python(path, folder.path(), samples.size());
  if (code == kModulesMissing) return std::nullopt;
  if (code != 0)
    throw Error(ErrorKind::kVerification, "ONNX Runtime cannot load or run the exported file",
                path);
  std::vector<std::vector<Tensor>> outputs;
  for (size_t s = 0; s < samples.size(); ++s) {
    outputs.emplace_back();
    for (size_t i = 0; i < samples[s].outputs.size(); ++i)
      outputs.back().push_back(data::read_npy(folder.file("out", s, i)));
  }
  require_sqnr(sqnr_of(samples, outputs), quantization_db, path, "ONNX Runtime");
  return true;
}

}  // namespace nibble::pipeline
