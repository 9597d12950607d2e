#pragma once

#include "apps/cli/console.h"
#include "quant/importer/importer.h"

namespace nibble::cli {

/// One line an op, and the same as JSON: [{"op", "nodes"}].
Json show_unknown_ops(Console& console, const importer::UnknownOps& unknown);

}  // namespace nibble::cli
