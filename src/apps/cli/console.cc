#include "apps/cli/console.h"

#include <unistd.h>

#include <cstdio>

namespace nibble::cli {
namespace {

std::string_view name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInternal:
      return "internal";
    case ErrorKind::kUsage:
      return "usage";
    case ErrorKind::kModel:
      return "model";
    case ErrorKind::kBudget:
      return "budget";
    case ErrorKind::kVerification:
      return "verification";
    case ErrorKind::kData:
      return "data";
    case ErrorKind::kOutput:
      return "output";
  }
  return "internal";
}

/// Text from files may be no UTF-8: replaced, never thrown.
std::string dump(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void print(const Json& object) {
  std::puts(dump(object).c_str());
  std::fflush(stdout);
}

/// A fault is one line of valid UTF-8, whatever a file name or a library's message holds.
std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return Json::parse(dump(Json(text))).get<std::string>();
}

}  // namespace

void Console::line(const std::string& text) {
  if (json_) return;
  std::puts(text.c_str());
  std::fflush(stdout);
}

void Console::result(const Json& object) {
  if (json_) print(object);
}

void Console::error(const Error& error) {
  std::fprintf(stderr, "nibble: %s%s%s\n", one_line(error.what()).c_str(),
               error.fix.empty() ? "" : "; ", one_line(error.fix).c_str());
  const auto text_or_null = [](const std::string& s) {
    return s.empty() ? Json(nullptr) : Json(s);
  };
  if (json_)
    print({{"error",
            {{"kind", name_of(error.kind)},
             {"file", text_or_null(error.file)},
             {"node", text_or_null(error.node)},
             {"message", error.message},
             {"fix", text_or_null(error.fix)}}}});
}

pipeline::Progress Console::progress() {
  return [this](const std::string& stage, int64_t done, int64_t total) {
    show_progress(stage, done, total);
  };
}

void Console::show_progress(const std::string& stage, int64_t done, int64_t total) {
  using namespace std::chrono_literals;
  const auto now = std::chrono::steady_clock::now();
  if (stage != stage_) {
    stage_ = stage;
    stage_start_ = last_shown_ = now;
  }
  const bool terminal = ::isatty(STDERR_FILENO);
  const auto interval = terminal && !json_ ? 100ms : 5000ms;
  const bool ends_bar = terminal && !json_ && done >= total;
  if (now - last_shown_ < interval && !ends_bar) return;
  last_shown_ = now;
  const double elapsed = std::chrono::duration<double>(now - stage_start_).count();
  const double eta =
      done > 0 ? elapsed / static_cast<double>(done) * static_cast<double>(total - done) : 0;
  if (json_) {
    print({{"event", "progress"},
           {"stage", stage},
           {"done", done},
           {"total", total},
           {"eta_seconds", eta}});
  } else if (terminal) {
    constexpr int kWidth = 30;
    const int full = total > 0 ? static_cast<int>(kWidth * done / total) : kWidth;
    std::fprintf(stderr, "\r%-10s [%s%s] %lld/%lld  %.0f s to go ", stage.c_str(),
                 std::string(full, '#').c_str(), std::string(kWidth - full, '.').c_str(),
                 static_cast<long long>(done), static_cast<long long>(total), eta);
    if (done >= total) std::fprintf(stderr, "\r%60s\r", "");
    std::fflush(stderr);
  } else {
    std::printf("%s %lld/%lld, %.0f s to go\n", stage.c_str(), static_cast<long long>(done),
                static_cast<long long>(total), eta);
    std::fflush(stdout);
  }
}

}  // namespace nibble::cli
