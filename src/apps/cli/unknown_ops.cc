#include "apps/cli/unknown_ops.h"

namespace nibble::cli {

Json show_unknown_ops(Console& console, const importer::UnknownOps& unknown) {
  Json list = Json::array();
  for (const auto& [op, nodes] : unknown.ops) {
    std::string names;
    for (const std::string& node : nodes) names += (names.empty() ? "" : ", ") + node;
    console.line("not supported: " + op + " (" + names + ")");
    list.push_back({{"op", op}, {"nodes", nodes}});
  }
  return list;
}

}  // namespace nibble::cli
