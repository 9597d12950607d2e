// onnx_node_runner LIST [OF_LARGEST]: runs the ONNX backend tests whose folders LIST names, one a
// line. With OF_LARGEST reals may differ by that share of the tensor's largest magnitude, instead
// of by the rule of the backend tests. Prints a line a test: PASS, FAIL or UNKNOWN (an op that
// nibble does not know), the folder's name and the reason, separated by tabs.

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "deploy/run/session.h"
#include "quant/graph/error.h"
#include "quant/importer/external_data.h"
#include "quant/importer/importer.h"
#include "quant/importer/tensor_reader.h"
#include "quant/lower/lower.h"
#include "quant/pack/pack.h"
#include "tests/onnx_node/compare.h"

namespace nibble {
namespace {

namespace fs = std::filesystem;

Tensor read_pb(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  onnx::TensorProto proto;
  if (!proto.ParseFromIstream(&file))
    throw Error(ErrorKind::kData, "is no TensorProto", path.string());
  importer::ExternalData external(path.string());
  return importer::read_tensor(proto, path.string(), external).tensor;
}

/// input_0.pb, input_1.pb, ... of one data set.
std::vector<Tensor> read_all(const fs::path& folder, const std::string& prefix) {
  std::vector<Tensor> tensors;
  for (int i = 0;; ++i) {
    const fs::path path = folder / (prefix + std::to_string(i) + ".pb");
    if (!fs::exists(path)) return tensors;
    tensors.push_back(read_pb(path));
  }
}

/// Empty, or what differs.
std::string run_data_set(run::Session& session, const fs::path& folder,
                         const Tolerance& tolerance) {
  const auto inputs = read_all(folder, "input_"), outputs = read_all(folder, "output_");
  std::vector<TensorView> views;
  for (const Tensor& t : inputs) views.push_back(t.view());
  throw_if_error(session.run(views), ErrorKind::kModel);
  for (size_t i = 0; i < outputs.size(); ++i)
    if (std::string what = difference(session.output(i), outputs[i].view(), tolerance);
        !what.empty())
      return "output " + std::to_string(i) + ": " + what;
  return {};
}

/// Empty, or what differs. Throws Error where the model cannot run.
std::string run_test(const fs::path& folder, const Tolerance& tolerance) {
  const auto graph =
      lower::channels_last(importer::import_onnx((folder / "model.onnx").string(), false));
  const auto isa = isa_from_environment();
  throw_if_error(isa.status(), ErrorKind::kUsage);
  auto session = run::Session::create(pack::pack(graph), {.threads = 2, .isa = isa.value()});
  throw_if_error(session.status(), ErrorKind::kModel);
  for (int i = 0;; ++i) {
    const fs::path data = folder / ("test_data_set_" + std::to_string(i));
    if (!fs::exists(data)) return i == 0 ? "the test has no data" : "";
    if (std::string what = run_data_set(*session.value(), data, tolerance); !what.empty())
      return what;
  }
}

void report(const char* verdict, const fs::path& folder, std::string reason) {
  for (char& c : reason)
    if (c == '\n' || c == '\t') c = ' ';
  std::cout << verdict << '\t' << folder.filename().string() << '\t' << reason << std::endl;
}

}  // namespace
}  // namespace nibble

int main(int argc, char** argv) {
  using namespace nibble;
  if (argc != 2 && argc != 3) {
    std::cerr << "usage: onnx_node_runner LIST [OF_LARGEST]\n";
    return 2;
  }
  Tolerance tolerance;
  if (argc == 3) tolerance = {0, 0, std::stod(argv[2])};
  std::ifstream list(argv[1]);
  std::string line;
  while (std::getline(list, line)) {
    try {
      const std::string what = run_test(line, tolerance);
      report(what.empty() ? "PASS" : "FAIL", line, what);
    } catch (const Error& error) {
      const bool unknown = error.message.rfind("ops that nibble does not know", 0) == 0;
      report(unknown ? "UNKNOWN" : "FAIL", line, error.message);
    } catch (const std::exception& error) {
      report("FAIL", line, error.what());
    }
  }
  return 0;
}
