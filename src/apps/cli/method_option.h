#pragma once

#include <string>

#include "quant/recipe/recipe.h"

namespace nibble::cli {

/// Puts --method NAME[:key=value,...] where it belongs: a range estimator sets the activations'
/// ranges, a transform is appended. Throws Error(kUsage) listing the valid names.
void apply_method_option(const std::string& text, recipe::Recipe& recipe);

}  // namespace nibble::cli
