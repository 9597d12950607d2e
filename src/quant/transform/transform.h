#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "quant/graph/graph.h"

namespace nibble::transform {

/// A rewrite of the float graph that keeps its function (to rounding).
struct Transform {
  std::string_view name = {};
  std::string_view summary = {};
  std::string_view source = {};  // authors, year, equation; empty for housekeeping
  bool on_by_default = false;    // part of every quantisation, in the order of methods.inc
  std::function<int(graph::Graph&)> apply;  // returns how many places it changed
};

/// All transforms of methods.inc, in order; one by name (throws Error(kUsage) listing the valid
/// names).
std::span<const Transform* const> transforms();
const Transform& transform_by_name(std::string_view name);

}  // namespace nibble::transform
