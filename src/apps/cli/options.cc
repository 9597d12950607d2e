#include "apps/cli/options.h"

#include <cstdio>
#include <thread>

namespace nibble::cli {

void ThreadFlag::add_to(CLI::App& app) {
  app.add_option("--threads", threads, "worker threads (default: all cores)")
      ->check(CLI::Range(1, 1024));
}

pipeline::RunOptions ThreadFlag::resolve(int64_t batch) const {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  return {.threads = threads > 0 ? threads : std::max(1, cores),
          .isa = pipeline::ceiling_from_environment(),
          .batch = batch};
}

void RunFlags::add_to(CLI::App& app) {
  thread.add_to(app);
  app.add_option("--batch", batch, "samples a run")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
}

std::string human_bytes(double count) {
  const char* units[] = {"B", "kB", "MB", "GB", "TB"};
  int unit = 0;
  while (count >= 1000 && unit < 4) {
    count /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", count, units[unit]);
  return text;
}

}  // namespace nibble::cli
