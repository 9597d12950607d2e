#include "quant/recipe/fields.h"

#include <charconv>
#include <cmath>
#include <regex>
#include <set>

#include "quant/graph/error.h"

namespace nibble::recipe {
namespace {

using YAML::Node;

template <class T>
T read_number(const Node& node, const Place& place, T low, T high, const std::string& expected) {
  T value{};
  if (!node.IsScalar()) place.fail(node, expected);
  const std::string& text = node.Scalar();
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() ||
      !(value >= low && value <= high))
    place.fail(node, expected);
  return value;
}

std::string read_text(const Node& node, const Place& place) {
  if (!node.IsScalar()) place.fail(node, "a text");
  return node.Scalar();
}

std::string read_pattern(const Node& node, const Place& place) {
  const std::string text = read_text(node, place);
  try {
    std::regex{text};
  } catch (const std::regex_error&) {
    place.fail(node, "a regular expression over node names");
  }
  return text;
}

std::string read_scheme(const Node& node, const Place& place) {
  const std::string text = read_text(node, place);
  try {
    parse_scheme(text);
  } catch (const Error& error) {
    place.fail(node, "a scheme: " + error.message);
  }
  return text;
}

MethodCall read_method(const Node& node, const Place& place) {
  MethodCall call;
  if (node.IsScalar()) {
    call.name = node.Scalar();
  } else {
    read_map(node, place, "name, parameters", [&](const std::string& key, const Node& value) {
      if (key == "name") return call.name = read_text(value, place.inside(".name")), true;
      if (key != "parameters") return false;
      const Place parameters = place.inside(".parameters");
      read_map(value, parameters, "", [&](const std::string& name, const Node& number) {
        call.parameters[name] =
            read_number(number, parameters.inside("." + name), -1e300, 1e300, "a number");
        return true;
      });
      return true;
    });
  }
  if (call.name.empty()) place.fail(node, "a method: its name, or name and parameters");
  return call;
}

void read_list(const Node& node, const Place& place,
               const std::function<void(const Node&, const Place&)>& visit) {
  if (!node.IsSequence()) place.fail(node, "a list");
  for (size_t i = 0; i < node.size(); ++i)
    visit(node[i], place.inside("[" + std::to_string(i) + "]"));
}

/// A JSON string is a YAML string too.
std::string quote(const std::string& text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (code < 0x20 || code == 0x7f)
      (((out += "\\u00") += kHex[code >> 4]) += kHex[code & 15]);
    else
      out += c;
  }
  return out + '"';
}

/// The shortest decimal that reads back as `value`.
std::string write_number(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof(text), value).ptr};
}

std::string write_method(const MethodCall& call) {
  std::string parameters;
  for (const auto& [name, value] : call.parameters)
    parameters += (parameters.empty() ? "" : ", ") + quote(name) + ": " + write_number(value);
  return "{name: " + quote(call.name) + ", parameters: {" + parameters + "}}";
}

std::string write_method(const std::optional<MethodCall>& call) {
  return call ? write_method(*call) : "null";
}

/// "[]", or one item a line.
template <class Items, class Write>
std::string write_list(const Items& items, Write write) {
  std::string text;
  for (const auto& item : items) text += "\n  - " + write(item);
  return text.empty() ? "[]" : text;
}

std::optional<MethodCall> read_optional_method(const Node& node, const Place& place) {
  if (node.IsNull()) return {};
  return read_method(node, place);
}

void read_granularity(const Node& node, const Place& place, Recipe& recipe) {
  recipe.granularity.reset();
  if (node.IsNull()) return;
  if (node.IsScalar()) recipe.granularity = granularity_from_name(node.Scalar());
  if (!recipe.granularity) place.fail(node, "tensor, channel, group, block or null");
}

std::string write_granularity(const Recipe& recipe) {
  return recipe.granularity ? std::string(name_of(*recipe.granularity)) : "null";
}

void read_layers(const Node& node, const Place& place, Recipe& recipe) {
  recipe.layers.clear();
  read_list(node, place, [&](const Node& item, const Place& at) {
    std::pair<std::string, std::string> layer;
    read_map(item, at, "nodes, scheme", [&](const std::string& key, const Node& value) {
      if (key == "nodes") return layer.first = read_pattern(value, at.inside(".nodes")), true;
      if (key == "scheme") return layer.second = read_scheme(value, at.inside(".scheme")), true;
      return false;
    });
    if (layer.first.empty() || layer.second.empty()) at.fail(item, "both nodes and scheme");
    recipe.layers.push_back(layer);
  });
}

std::string write_layer(const std::pair<std::string, std::string>& layer) {
  return "{nodes: " + quote(layer.first) + ", scheme: " + quote(layer.second) + "}";
}

void read_requantise(const Node& node, const Place& place, Recipe& recipe) {
  if (node.IsScalar() && node.Scalar() == "float")
    recipe.requantise = numeric::RequantiseVariant::kFloat;
  else if (node.IsScalar() && node.Scalar() == "fixed")
    recipe.requantise = numeric::RequantiseVariant::kFixed;
  else
    place.fail(node, "float or fixed");
}

void read_opset(const Node& node, const Place& place, Recipe& recipe) {
  const std::string expected = "13, 21 or 25";
  recipe.max_opset = read_number(node, place, 13, 25, expected);
  if (recipe.max_opset != 13 && recipe.max_opset != 21 && recipe.max_opset != 25)
    place.fail(node, expected);
}

constexpr int64_t kMaxSamples = int64_t{1} << 40, kMaxBatch = 65536;

constexpr const char kText[] = R"({"type": "string"})";
constexpr const char kOptionalMethod[] =
    R"({"oneOf": [{"type": "null"}, {"$ref": "#/$defs/method"}]})";

constexpr Field kFields[] = {
    {"version", R"({"const": 1})",
     [](const Node& n, const Place& p, Recipe& r) { r.version = read_number(n, p, 1, 1, "1"); },
     [](const Recipe& r) { return std::to_string(r.version); }},
    {"model", kText, [](const Node& n, const Place& p, Recipe& r) { r.model = read_text(n, p); },
     [](const Recipe& r) { return quote(r.model); }},
    {"scheme", R"({"$ref": "#/$defs/scheme"})",
     [](const Node& n, const Place& p, Recipe& r) { r.scheme = read_scheme(n, p); },
     [](const Recipe& r) { return quote(r.scheme); }},
    {"layers",
     R"({"type": "array", "items": {"type": "object", "required": ["nodes", "scheme"], "additionalProperties": false, "properties": {"nodes": {"type": "string", "format": "regex", "minLength": 1}, "scheme": {"$ref": "#/$defs/scheme"}}}})",
     read_layers, [](const Recipe& r) { return write_list(r.layers, write_layer); }},
    {"exclude", R"({"type": "array", "items": {"type": "string", "format": "regex"}})",
     [](const Node& n, const Place& p, Recipe& r) {
       r.exclude.clear();
       read_list(n, p, [&](const Node& item, const Place& at) {
         r.exclude.push_back(read_pattern(item, at));
       });
     },
     [](const Recipe& r) { return write_list(r.exclude, quote); }},
    {"granularity", R"({"enum": ["tensor", "channel", "group", "block", null]})", read_granularity,
     write_granularity},
    {"weight_range", kOptionalMethod,
     [](const Node& n, const Place& p, Recipe& r) { r.weight_range = read_optional_method(n, p); },
     [](const Recipe& r) { return write_method(r.weight_range); }},
    {"activation_range", kOptionalMethod,
     [](const Node& n, const Place& p, Recipe& r) {
       r.activation_range = read_optional_method(n, p);
     },
     [](const Recipe& r) { return write_method(r.activation_range); }},
    {"methods", R"({"type": "array", "items": {"$ref": "#/$defs/method"}})",
     [](const Node& n, const Place& p, Recipe& r) {
       r.methods.clear();
       read_list(n, p, [&](const Node& item, const Place& at) {
         r.methods.push_back(read_method(item, at));
       });
     },
     [](const Recipe& r) {
       return write_list(r.methods, [](const MethodCall& call) { return write_method(call); });
     }},
    {"calib", kText, [](const Node& n, const Place& p, Recipe& r) { r.calib = read_text(n, p); },
     [](const Recipe& r) { return quote(r.calib); }},
    {"samples", R"({"type": "integer", "minimum": 1})",
     [](const Node& n, const Place& p, Recipe& r) {
       r.samples = read_number(n, p, int64_t{1}, kMaxSamples, "a whole number from 1");
     },
     [](const Recipe& r) { return std::to_string(r.samples); }},
    {"batch", R"({"type": "integer", "minimum": 1, "maximum": 65536})",
     [](const Node& n, const Place& p, Recipe& r) {
       r.batch = read_number(n, p, int64_t{1}, kMaxBatch, "a whole number from 1 to 65536");
     },
     [](const Recipe& r) { return std::to_string(r.batch); }},
    {"eval", kText, [](const Node& n, const Place& p, Recipe& r) { r.eval = read_text(n, p); },
     [](const Recipe& r) { return quote(r.eval); }},
    {"seed", R"({"type": "integer", "minimum": 0, "maximum": 18446744073709551615})",
     [](const Node& n, const Place& p, Recipe& r) {
       r.seed = read_number(n, p, uint64_t{0}, UINT64_MAX, "a whole number from 0");
     },
     [](const Recipe& r) { return std::to_string(r.seed); }},
    {"requantise", R"({"enum": ["float", "fixed"]})", read_requantise,
     [](const Recipe& r) -> std::string {
       return r.requantise == numeric::RequantiseVariant::kFloat ? "float" : "fixed";
     }},
    {"exact", R"({"type": "boolean"})",
     [](const Node& n, const Place& p, Recipe& r) {
       if (!YAML::convert<bool>::decode(n, r.exact)) p.fail(n, "true or false");
     },
     [](const Recipe& r) -> std::string { return r.exact ? "true" : "false"; }},
    {"opset", R"({"enum": [13, 21, 25]})", read_opset,
     [](const Recipe& r) { return std::to_string(r.max_opset); }},
};

}  // namespace

void Place::fail(const YAML::Node& node, const std::string& expected) const {
  const YAML::Mark mark = node.Mark();
  std::string found = "a map";
  if (node.IsScalar()) found = "'" + node.Scalar() + "'";
  if (node.IsNull()) found = "nothing";
  if (node.IsSequence()) found = "a list";
  throw Error(ErrorKind::kUsage,
              "line " + std::to_string(mark.line + 1) + ": key '" + key + "': found " + found +
                  ", expected " + expected,
              file);
}

void read_map(const YAML::Node& node, const Place& place, const std::string& known,
              const std::function<bool(const std::string&, const YAML::Node&)>& visit) {
  if (!node.IsMap()) place.fail(node, "a map" + (known.empty() ? "" : " with keys " + known));
  std::set<std::string> seen;
  for (const auto& entry : node) {
    const std::string where = "line " + std::to_string(entry.first.Mark().line + 1) + ": ";
    const std::string in = place.key.empty() ? "" : " in '" + place.key + "'";
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "?";
    if (!seen.insert(key).second)
      throw Error(ErrorKind::kUsage, where + "key '" + key + "'" + in + " is given twice",
                  place.file);
    if (!entry.first.IsScalar() || !visit(key, entry.second))
      throw Error(ErrorKind::kUsage,
                  where + "unknown key '" + key + "'" + in + ", expected one of " + known,
                  place.file);
  }
}

std::optional<numeric::Granularity> granularity_from_name(std::string_view name) {
  using numeric::Granularity;
  for (Granularity g :
       {Granularity::kTensor, Granularity::kChannel, Granularity::kGroup, Granularity::kBlock})
    if (name_of(g) == name) return g;
  return {};
}

std::span<const Field> fields() {
  return kFields;
}

}  // namespace nibble::recipe
