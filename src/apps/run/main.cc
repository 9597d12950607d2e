// nibble-run: the runtime and nothing else. Exit codes: 0 done, 1 our bug, 2 usage, 3 the model
// cannot be read or is not supported, 6 data cannot be read or does not fit, 7 output cannot be
// written.

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "apps/run/arguments.h"
#include "apps/run/npy.h"
#include "nibble/run.h"

namespace nibble::app {
namespace {

constexpr int kInternal = 1, kUsage = 2, kModel = 3, kData = 6, kOutput = 7;

constexpr char kHelp[] =
    "nibble-run MODEL.nbl --input X.npy --output Y.npy\n"
    "  --input [NAME=]FILE    an input, .npy; once an input of the model\n"
    "  --output [NAME=]FILE   where an output goes, .npy; those not named are dropped\n"
    "  --threads N            share the work (default 1); the results do not depend on it\n"
    "  --verify               check the checksums of the whole model file\n"
    "  --version, --help\n";

int complain(int code, const std::string& message) {
  std::fprintf(stderr, "nibble-run: %s\n", message.c_str());
  return code;
}

int code_of(Error::Kind kind) {
  switch (kind) {
    case Error::Kind::kNone:
      return 0;
    case Error::Kind::kUsage:
      return kUsage;
    case Error::Kind::kModel:
      return kModel;
    case Error::Kind::kData:
      return kData;
    case Error::Kind::kInternal:
      return kInternal;
  }
  return kInternal;
}

std::vector<std::string> names(const std::vector<Port>& ports) {
  std::vector<std::string> result;
  for (const Port& port : ports) result.push_back(port.name);
  return result;
}

int run(const Arguments& arguments) {
  Error error;
  const auto session = Session::load(arguments.model, {arguments.threads, arguments.verify}, error);
  if (!session) return complain(code_of(error.kind), error.message);

  std::vector<std::string> input_files, output_files;
  std::string wrong =
      assign_files(arguments.inputs, names(session->inputs()), "--input", input_files);
  if (wrong.empty())
    wrong = assign_files(arguments.outputs, names(session->outputs()), "--output", output_files);
  if (!wrong.empty()) return complain(kUsage, wrong);
  std::vector<NpyArray> held(input_files.size());
  std::vector<Array> inputs;
  for (size_t i = 0; i < input_files.size(); ++i) {
    const std::string& name = session->inputs()[i].name;
    if (input_files[i].empty()) return complain(kUsage, "expects --input " + name + "=FILE");
    wrong = read_npy(input_files[i], held[i]);
    if (!wrong.empty()) return complain(kData, wrong);
    inputs.push_back({held[i].type, held[i].shape, held[i].data.data()});
  }
  if (!session->run(inputs, error)) return complain(code_of(error.kind), error.message);
  for (size_t i = 0; i < output_files.size(); ++i) {
    if (output_files[i].empty()) continue;
    wrong = write_npy(output_files[i], session->output(i));
    if (!wrong.empty()) return complain(kOutput, wrong);
  }
  return 0;
}

int main_of(const std::vector<std::string>& words) {
  Arguments arguments;
  const std::string wrong = parse_arguments(words, arguments);
  if (!wrong.empty()) return complain(kUsage, wrong);
  if (arguments.help || arguments.version) {
    if (arguments.help)
      std::fputs(kHelp, stdout);
    else
      std::printf("nibble-run %s\n", version());
    return std::fflush(stdout) == 0 ? 0 : kOutput;
  }
  return run(arguments);
}

}  // namespace
}  // namespace nibble::app

int main(int argc, char** argv) {
  try {
    return nibble::app::main_of({argv + 1, argv + argc});
  } catch (const std::bad_alloc&) {
    return nibble::app::complain(nibble::app::kData, "not enough memory for the inputs");
  } catch (const std::exception& e) {
    return nibble::app::complain(nibble::app::kInternal, e.what());
  }
}
