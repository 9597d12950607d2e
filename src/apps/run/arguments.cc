#include "apps/run/arguments.h"

#include <algorithm>
#include <charconv>

namespace nibble::app {

std::string parse_arguments(const std::vector<std::string>& words, Arguments& arguments) {
  for (size_t i = 0; i < words.size(); ++i) {
    std::string word = words[i], value;
    if (word == "-h") word = "--help";
    if (word == "-i") word = "--input";
    if (word == "-o") word = "--output";
    if (word.substr(0, 2) != "--") {
      if (word.size() > 1 && word[0] == '-') return "unknown option '" + word + "'";
      if (!arguments.model.empty()) return "expects one model, found '" + word + "' as well";
      arguments.model = word;
      continue;
    }
    if (word == "--help" || word == "--version" || word == "--verify") {
      (word == "--help"      ? arguments.help
       : word == "--version" ? arguments.version
                             : arguments.verify) = true;
      continue;
    }
    const size_t equals = word.find('=');
    const std::string option = word.substr(0, equals);
    if (option != "--input" && option != "--output" && option != "--threads")
      return "unknown option '" + option + "'";
    if (equals != std::string::npos)
      value = word.substr(equals + 1);
    else if (++i < words.size())
      value = words[i];
    if (value.empty()) return "expects a value after '" + option + "'";
    if (option == "--input") {
      arguments.inputs.push_back(value);
    } else if (option == "--output") {
      arguments.outputs.push_back(value);
    } else {
      const char* end = value.data() + value.size();
      const auto parsed = std::from_chars(value.data(), end, arguments.threads);
      if (parsed.ec != std::errc() || parsed.ptr != end || arguments.threads < 1 ||
          arguments.threads > 1024)
        return "expects --threads from 1 to 1024, found '" + value + "'";
    }
  }
  if (arguments.help || arguments.version) return {};
  if (arguments.model.empty()) return "expects a model: nibble-run MODEL.nbl --input X.npy";
  return {};
}

std::string assign_files(const std::vector<std::string>& arguments,
                         const std::vector<std::string>& ports, const std::string& option,
                         std::vector<std::string>& files) {
  files.assign(ports.size(), "");
  std::vector<std::string> unnamed;
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    const auto port = equals == std::string::npos
                          ? ports.end()
                          : std::find(ports.begin(), ports.end(), argument.substr(0, equals));
    if (port == ports.end()) {
      unnamed.push_back(argument);
      continue;
    }
    std::string& file = files[static_cast<size_t>(port - ports.begin())];
    if (!file.empty()) return option + " names '" + *port + "' twice";
    file = argument.substr(equals + 1);
    if (file.empty()) return "expects a file after '" + argument + "'";
  }
  for (const std::string& argument : unnamed) {
    const auto free = std::find(files.begin(), files.end(), "");
    if (free == files.end()) {
      std::string names;
      for (const std::string& port : ports) names += (names.empty() ? "" : ", ") + port;
      return option + " " + argument + ": the model has " + names + " and no more";
    }
    *free = argument;
  }
  return {};
}

}  // namespace nibble::app
