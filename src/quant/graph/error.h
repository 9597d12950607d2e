#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "deploy/base/status.h"

namespace nibble {

/// What went wrong, and with it the exit code of the command.
enum class ErrorKind {
  kInternal = 1,  // our bug
  kUsage = 2,
  kModel = 3,   // a model that cannot be read or is not supported
  kBudget = 4,  // --max-drop, --max-size ... not met
  kVerification = 5,
  kData = 6,    // data that cannot be read or does not fit
  kOutput = 7,  // output that cannot be written
};

/// The one exception of quant/ and apps/. `message` is one line that says what was found and what
/// was expected.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, std::string message, std::string file = {}, std::string node = {},
        std::string fix = {})
      : std::runtime_error(compose(one_line(message), file, one_line(node))),
        kind(kind),
        message(one_line(std::move(message))),
        file(std::move(file)),
        node(one_line(std::move(node))),
        fix(std::move(fix)) {}

  ErrorKind kind;
  std::string message, file, node, fix;

 private:
  /// Names come from files: control characters must neither break the line nor steer a terminal.
  static std::string one_line(std::string text) {
    for (char& c : text)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return text;
  }

  static std::string compose(const std::string& message, const std::string& file,
                             const std::string& node) {
    std::string line;
    if (!file.empty()) line += file + ": ";
    if (!node.empty()) line += "node '" + node + "': ";
    return line + message;
  }
};

/// Throws `status` as an Error of `kind` unless it is success.
inline void throw_if_error(const Status& status, ErrorKind kind, const std::string& file = {},
                           const std::string& node = {}) {
  if (!status.ok()) throw Error(kind, status.message(), file, node);
}

}  // namespace nibble
