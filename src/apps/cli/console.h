#pragma once

#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
#include <string>

#include "quant/graph/error.h"
#include "quant/pipeline/progress.h"

namespace nibble::cli {

using Json = nlohmann::ordered_json;

/// Everything a command says. People read lines on standard output and progress on standard error;
/// with --json standard output carries events, one object a line, and the result as its last line.
class Console {
 public:
  explicit Console(bool json) : json_(json) {}

  bool json() const { return json_; }
  /// A line for people; nothing with --json.
  void line(const std::string& text);
  /// The result: printed with --json only.
  void result(const Json& object);
  /// Exactly one plain line on standard error, and with --json the error object on standard output.
  void error(const Error& error);
  /// What long work calls: a bar with the time to go on a terminal, plain lines when piped, events
  /// with --json.
  pipeline::Progress progress();

 private:
  void show_progress(const std::string& stage, int64_t done, int64_t total);

  bool json_;
  std::string stage_;
  std::chrono::steady_clock::time_point stage_start_, last_shown_;
};

/// null where nothing was measured.
template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace nibble::cli
