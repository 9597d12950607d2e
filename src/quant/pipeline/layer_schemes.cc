#include "quant/pipeline/layer_schemes.h"

#include <algorithm>
#include <regex>

#include "quant/graph/error.h"

namespace nibble::pipeline {
namespace {

using graph::Graph;
using graph::Node;
using recipe::Scheme;

/// Indices of the nodes whose name contains a match of `pattern`.
std::vector<size_t> matches(const Graph& graph, const std::string& option,
                            const std::string& pattern) {
  std::regex re;
  try {
    re.assign(pattern, std::regex::ECMAScript);
  } catch (const std::regex_error& e) {
    throw Error(ErrorKind::kUsage,
                option + " '" + pattern + "' is not a regular expression: " + e.what());
  }
  std::vector<size_t> found;
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    if (std::regex_search(graph.nodes[i].name, re)) found.push_back(i);
  if (found.empty())
    throw Error(ErrorKind::kUsage, option + " '" + pattern + "' matches no node of the network",
                graph.source, {}, "nibble inspect lists the node names");
  return found;
}

/// Weighted nodes that no other weighted node feeds (`forward`), or that feed no other one.
std::vector<char> outermost(const Graph& graph, bool forward) {
  std::vector<char> reached(graph.values.size(), 0);  // a weighted op lies on some path to here
  std::vector<char> result(graph.nodes.size(), 0);
  const auto visit = [&](size_t i) {
    const Node& node = graph.nodes[i];
    const auto& from = forward ? node.inputs : node.outputs;
    const auto& to = forward ? node.outputs : node.inputs;
    const bool behind = std::any_of(from.begin(), from.end(), [&](graph::ValueId id) {
      return id != graph::kNoValue && reached[id];
    });
    const bool weighted = is_weighted(graph, node);
    result[i] = weighted && !behind;
    if (weighted || behind)
      for (graph::ValueId id : to)
        if (id != graph::kNoValue) reached[id] = 1;
  };
  for (size_t i = 0; i < graph.nodes.size(); ++i) visit(forward ? i : graph.nodes.size() - 1 - i);
  return result;
}

}  // namespace

bool is_weighted(const Graph& graph, const Node& node) {
  switch (node.op) {
    case graph::Op::kConv:
    case graph::Op::kConvTranspose:
    case graph::Op::kGemm:
    case graph::Op::kMatMul:
      return graph.is_constant(node.inputs[1]) && !graph.is_constant(node.inputs[0]);
    default:
      return false;
  }
}

std::vector<std::optional<Scheme>> layer_schemes(const Graph& graph, const recipe::Recipe& recipe) {
  const Scheme base = recipe::parse_scheme(recipe.scheme);
  std::vector<std::optional<Scheme>> schemes(graph.nodes.size(), base);
  // Under weight-only schemes no layer is special: activations stay float everywhere.
  if (base.activations != Scheme::Activations::kFloat) {
    const std::vector<char> first = outermost(graph, true), last = outermost(graph, false);
    for (size_t i = 0; i < schemes.size(); ++i) {
      if (!first[i] && !last[i]) continue;
      schemes[i]->ternary = false;
      schemes[i]->weight_bits = base.ternary ? 8 : std::max(base.weight_bits, 8);
      schemes[i]->act_bits = std::max(base.act_bits, 8);
    }
  }
  for (const auto& [pattern, text] : recipe.layers) {
    const Scheme scheme = recipe::parse_scheme(text);
    for (size_t i : matches(graph, "--layer", pattern)) schemes[i] = scheme;
  }
  for (const std::string& pattern : recipe.exclude)
    for (size_t i : matches(graph, "--exclude", pattern)) schemes[i].reset();
  return schemes;
}

}  // namespace nibble::pipeline
