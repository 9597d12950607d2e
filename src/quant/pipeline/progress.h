#pragma once

#include <functional>
#include <string>

namespace nibble::pipeline {

/// Called as long work advances: what is being done, how much of it is done, and how much there is.
using Progress = std::function<void(const std::string& stage, int64_t done, int64_t total)>;

}  // namespace nibble::pipeline
