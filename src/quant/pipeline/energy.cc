#include "quant/pipeline/energy.h"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <fstream>
#include <sstream>

#include "quant/graph/error.h"
#include "quant/recipe/fields.h"

namespace nibble::pipeline {
namespace {

struct Key {
  const char* name;
  double EnergyTable::*field;
};
constexpr Key kKeys[] = {{"multiply_8x8", &EnergyTable::multiply_8x8},
                         {"add_32", &EnergyTable::add_32},
                         {"accumulator_bits", &EnergyTable::accumulator_bits},
                         {"float_multiply", &EnergyTable::float_multiply},
                         {"float_add", &EnergyTable::float_add},
                         {"cache_byte", &EnergyTable::cache_byte},
                         {"memory_byte", &EnergyTable::memory_byte},
                         {"cache_bytes", &EnergyTable::cache_bytes}};

double read_number(const YAML::Node& node, const recipe::Place& place) {
  double value = -1;
  if (node.IsScalar()) {
    const std::string& text = node.Scalar();
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc() || result.ptr != text.data() + text.size()) value = -1;
  }
  if (!(value >= 0 && value < 1e300)) place.fail(node, "a number from 0 on");
  return value;
}

}  // namespace

EnergyTable load_energy_table(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || in.peek() == std::ifstream::traits_type::eof() || !(text << in.rdbuf()))
    throw Error(ErrorKind::kUsage, "energy table is empty or cannot be read", path);
  YAML::Node root;
  try {
    root = YAML::Load(text.str());
  } catch (const YAML::Exception& error) {
    throw Error(ErrorKind::kUsage,
                "line " + std::to_string(error.mark.line + 1) + ": not JSON: " + error.msg, path);
  }
  std::string known;
  for (const Key& key : kKeys) known += (known.empty() ? "" : ", ") + std::string(key.name);
  EnergyTable table;
  recipe::read_map(root, {path, ""}, known, [&](const std::string& name, const YAML::Node& value) {
    for (const Key& key : kKeys)
      if (key.name == name) return table.*key.field = read_number(value, {path, name}), true;
    return false;
  });
  return table;
}

double energy_of_mac(const EnergyTable& table, const LayerWork& layer) {
  if (!layer.integer) return table.float_multiply + table.float_add;
  return table.multiply_8x8 * layer.weight_bits * layer.activation_bits / 64 +
         table.add_32 * table.accumulator_bits / 32;
}

double estimate_joules(const EnergyTable& table, const LayerWork& layer,
                       double network_weight_bytes) {
  double picojoules = layer.macs * energy_of_mac(table, layer) +
                      (layer.weight_bytes + layer.activation_bytes) * table.cache_byte;
  if (network_weight_bytes > table.cache_bytes)
    picojoules += layer.weight_bytes * table.memory_byte;
  if (layer.activation_bytes > table.cache_bytes)
    picojoules += layer.activation_bytes * table.memory_byte;
  return picojoules * 1e-12;
}

}  // namespace nibble::pipeline
