#pragma once

#include <CLI/App.hpp>

#include <cstdint>
#include <string>

#include "quant/pipeline/runner.h"

namespace nibble::cli {

/// --threads, and what it means with $NIBBLE_ISA.
struct ThreadFlag {
  int threads = 0;  // 0: all cores

  void add_to(CLI::App& app);
  pipeline::RunOptions resolve(int64_t batch) const;
};

/// --threads and --batch.
struct RunFlags {
  explicit RunFlags(int64_t default_batch) : batch(default_batch) {}
  void add_to(CLI::App& app);
  pipeline::RunOptions resolve() const { return thread.resolve(batch); }

  ThreadFlag thread;
  int64_t batch;
};

/// `count` bytes as "123 kB" (1 kB = 1000 bytes).
std::string human_bytes(double count);

}  // namespace nibble::cli
