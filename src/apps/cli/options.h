#pragma once

#include <CLI/App.hpp>

#include <cstdint>
#include <string>

#include "quant/pipeline/runner.h"

namespace nibble::cli {

/// --threads and --batch, and what they mean with $NIBBLE_ISA.
struct RunFlags {
  int threads = 0;  // 0: all cores
  int64_t batch;    // the command's default

  explicit RunFlags(int64_t default_batch) : batch(default_batch) {}
  void add_to(CLI::App& app);
  pipeline::RunOptions resolve() const;
};

/// `count` bytes as "123 kB" (1 kB = 1000 bytes).
std::string human_bytes(double count);

}  // namespace nibble::cli
