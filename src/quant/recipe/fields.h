#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <span>
#include <string>

#include "quant/recipe/recipe.h"

namespace nibble::recipe {

/// What is being read, for messages: the file, and the path of the key ("layers[0].scheme").
struct Place {
  const std::string& file;
  std::string key;

  [[noreturn]] void fail(const YAML::Node& node, const std::string& expected) const;
  Place inside(const std::string& more) const { return {file, key + more}; }
};

/// One key of a recipe. The list feeds the reader, the writer and the JSON schema.
struct Field {
  const char* key;
  const char* schema;  // JSON
  void (*read)(const YAML::Node& node, const Place& place, Recipe& recipe);
  std::string (*write)(const Recipe& recipe);  // YAML behind "key: "
};
std::span<const Field> fields();

/// The keys of `node`, which must be a map without repeated keys, each handed to `visit`, which
/// returns false for a key that it does not know (`known` lists those it does).
void read_map(const YAML::Node& node, const Place& place, const std::string& known,
              const std::function<bool(const std::string& key, const YAML::Node& value)>& visit);

}  // namespace nibble::recipe
