#pragma once

#include <optional>
#include <string>
#include <utility>

namespace nibble::inline base {

/// What went wrong, for callers that branch on it; the message is for people.
enum class StatusCode {
  kOk,
  kInvalidArgument,  // the caller's fault: a wrong shape, dtype or name
  kCorrupt,          // a file that fails a check: offset, size, enum, checksum
  kUnsupported,      // valid, but not something this build runs
  kIo,               // the operating system said no
  kOutOfMemory,
  kInternal,
};

/// Result of a call in deploy/, which throws nothing. A default-made Status is success.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

inline Status invalid_argument(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}
inline Status corrupt(std::string message) {
  return {StatusCode::kCorrupt, std::move(message)};
}
inline Status unsupported(std::string message) {
  return {StatusCode::kUnsupported, std::move(message)};
}

/// A value or the Status that says why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: implicit on purpose
  Result(Status status) : status_(std::move(status)) {}  // NOLINT

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return *std::move(value_); }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace nibble::inline base

/// Returns the status of `expression` from the enclosing function unless it is success.
#define NIBBLE_RETURN_IF_ERROR(expression)                                    \
  do {                                                                        \
    if (::nibble::Status nibble_status_ = (expression); !nibble_status_.ok()) \
      return nibble_status_;                                                  \
  } while (false)
