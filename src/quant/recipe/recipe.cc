#include "quant/recipe/recipe.h"

#include <yaml-cpp/yaml.h>

#include <fstream>
#include <sstream>

#include "quant/graph/error.h"
#include "quant/recipe/fields.h"

namespace nibble::recipe {
namespace {

std::string key_list() {
  std::string list;
  for (const Field& field : fields()) list += (list.empty() ? "" : ", ") + std::string(field.key);
  return list;
}

}  // namespace

Recipe parse_recipe(const std::string& text, const std::string& file) {
  YAML::Node root;
  try {
    root = YAML::Load(text);
  } catch (const YAML::Exception& error) {
    throw Error(ErrorKind::kUsage,
                "line " + std::to_string(error.mark.line + 1) + ": not YAML: " + error.msg, file);
  }
  Recipe recipe;
  bool has_version = false;
  read_map(root, {file, ""}, key_list(), [&](const std::string& key, const YAML::Node& value) {
    for (const Field& field : fields())
      if (key == field.key) {
        field.read(value, {file, key}, recipe);
        has_version = has_version || key == "version";
        return true;
      }
    return false;
  });
  if (!has_version)
    throw Error(ErrorKind::kUsage, "line 1: key 'version' is missing, expected 1", file);
  return recipe;
}

Recipe load_recipe(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  // A folder opens, and fails at the first byte.
  if (!in || in.peek() == std::ifstream::traits_type::eof() || !(text << in.rdbuf()))
    throw Error(ErrorKind::kUsage, "recipe is empty or cannot be read", path);
  return parse_recipe(text.str(), path);
}

std::string to_yaml(const Recipe& recipe) {
  std::string text;
  for (const Field& field : fields()) {
    const std::string value = field.write(recipe);
    text += field.key + std::string(value.starts_with('\n') ? ":" : ": ") + value + "\n";
  }
  return text;
}

std::string recipe_schema() {
  std::string text =
      R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "nibble recipe",
  "description": "A quantisation job, complete; keys that are absent have their defaults.",
  "type": "object",
  "required": ["version"],
  "additionalProperties": false,
  "properties": {)";
  const char* separator = "\n";
  for (const Field& field : fields()) {
    text += separator + std::string("    \"") + field.key + "\": " + field.schema;
    separator = ",\n";
  }
  return text + R"(
  },
  "$defs": {
    "scheme": {"type": "string", "pattern": "^W([1-8]|T)A([1-8]|16|I16)(G[1-9][0-9]*)?(_SYM|_ASYM)?$"},
    "method": {"oneOf": [
      {"type": "string", "minLength": 1},
      {"type": "object", "required": ["name"], "additionalProperties": false, "properties": {"name": {"type": "string", "minLength": 1}, "parameters": {"type": "object", "additionalProperties": {"type": "number"}}}}
    ]}
  }
}
)";
}

}  // namespace nibble::recipe
