#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deploy/numeric/quant_params.h"
#include "deploy/numeric/requantise.h"
#include "quant/recipe/scheme.h"

namespace nibble::recipe {

/// A method of some list by name, with its parameters: {"percentile", {{"q", 99.99}}}.
struct MethodCall {
  std::string name;
  std::map<std::string, double> parameters;
  friend bool operator==(const MethodCall&, const MethodCall&) = default;
};

/// A quantisation job, complete: command line beats file beats scheme preset. Written beside every
/// output as out.recipe.yaml; run again, it gives the same bytes.
struct Recipe {
  int version = 1;
  std::string model;
  std::string scheme = "W8A8";
  std::vector<std::pair<std::string, std::string>>
      layers;                                       // regular expression over node names -> scheme
  std::vector<std::string> exclude;                 // regular expressions: stay float
  std::optional<numeric::Granularity> granularity;  // weights; empty: what the scheme says
  std::optional<MethodCall> weight_range;  // calibrate/ method; empty: min-max at 8 bits, else mse
  std::optional<MethodCall> activation_range;  // empty: mse
  std::vector<MethodCall> methods;             // transforms and reconstructions, in order
  std::string calib;                           // data spec
  int64_t samples = 512;                       // of `calib` at most
  int64_t batch = 8;                           // samples at a time; some estimators depend on it
  std::string eval;                            // data spec
  uint64_t seed = 0;
  numeric::RequantiseVariant requantise = numeric::RequantiseVariant::kFloat;
  bool exact = false;  // weight-only layers: in float, not on rows quantised when they run
  int max_opset = 21;  // key `opset`: 13, 21 or 25
  friend bool operator==(const Recipe&, const Recipe&) = default;
};

/// YAML or JSON text. `version` must be given; other keys that are absent keep the defaults above.
/// Unknown and repeated keys, wrong types and values out of range throw Error(kUsage) that names
/// file, line and key.
Recipe parse_recipe(const std::string& text, const std::string& file);
Recipe load_recipe(const std::string& path);
/// Every field, defaults included: parse_recipe(to_yaml(r)) == r.
std::string to_yaml(const Recipe& recipe);
/// "tensor", "channel", "group", "block"; nothing for any other word.
std::optional<numeric::Granularity> granularity_from_name(std::string_view name);
/// The JSON schema of recipes (docs/recipe.schema.json).
std::string recipe_schema();

}  // namespace nibble::recipe
