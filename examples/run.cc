// Loads a model once, runs it in two sessions on the same input and prints what comes out.
//
//     example_run_cc MODEL.nbl
#include <nibble/run.h>

#include <cstdio>
#include <vector>

namespace {

void describe(const char* what, const nibble::Port& port, const std::vector<int64_t>& shape) {
  std::printf("%s '%s': type %d, ", what, port.name.c_str(), static_cast<int>(port.type));
  for (size_t d = 0; d < shape.size(); ++d)
    std::printf("%s%lld", d ? "x" : "", static_cast<long long>(shape[d]));
  std::printf("\n");
}

int complain(const nibble::Error& error) {
  std::fprintf(stderr, "example_run_cc: %s\n", error.message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "expects a model: example_run_cc MODEL.nbl\n");
    return 2;
  }
  std::printf("nibble %s\n", nibble::version());
  nibble::Error error;
  const auto model = nibble::Model::load(argv[1], /*verify_checksums=*/true, error);
  if (!model) return complain(error);

  std::vector<std::vector<float>> memory;
  std::vector<nibble::Array> inputs;
  for (const nibble::Port& port : model->inputs()) {
    if (port.type != nibble::ElementType::kF32) {
      std::fprintf(stderr, "example_run_cc: this example feeds floats alone\n");
      return 2;
    }
    nibble::Array array{port.type, port.shape, nullptr};
    size_t count = 1;
    for (int64_t& dim : array.shape) count *= static_cast<size_t>(dim = dim < 0 ? 1 : dim);
    auto& values = memory.emplace_back(count);
    for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i % 3) * 0.5f;
    array.data = values.data();
    describe("input", port, array.shape);
    inputs.push_back(array);
  }

  // Sessions are independent of each other; run() may be called from any thread.
  std::vector<std::vector<float>> results;
  for (int threads : {1, 2}) {
    const auto session = nibble::Session::create(model, {.threads = threads}, error);
    if (!session || !session->run(inputs, error)) return complain(error);
    auto& result = results.emplace_back();
    for (size_t i = 0; i < model->outputs().size(); ++i) {
      const nibble::Array y = session->output(i);
      if (threads == 1) describe("output", model->outputs()[i], y.shape);
      if (y.type != nibble::ElementType::kF32) continue;
      size_t count = 1;
      for (int64_t dim : y.shape) count *= static_cast<size_t>(dim);
      const auto* values = static_cast<const float*>(y.data);
      result.insert(result.end(), values, values + count);
    }
  }
  if (!results[0].empty()) std::printf("  starts with %g\n", static_cast<double>(results[0][0]));
  const bool agree = results[0] == results[1];
  std::printf(agree ? "two sessions agree\n" : "two sessions differ\n");
  return agree ? 0 : 1;
}
