#pragma once

#include <string>
#include <vector>

namespace nibble::app {

/// `--input FILE`, `--input NAME=FILE` as it stands on the command line.
struct Arguments {
  std::string model;
  std::vector<std::string> inputs, outputs;
  int threads = 1;
  bool verify = false, help = false, version = false;
};

/// Empty on success, else what is wrong. Options take `--name value` or `--name=value`.
std::string parse_arguments(const std::vector<std::string>& words, Arguments& arguments);

/// Which port each argument means: `NAME=FILE` where NAME is a port, else a file for the first port
/// that no argument names. Fills `files`, one a port; "" where none is given. Empty on success.
std::string assign_files(const std::vector<std::string>& arguments,
                         const std::vector<std::string>& ports, const std::string& option,
                         std::vector<std::string>& files);

}  // namespace nibble::app
