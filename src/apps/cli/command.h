#pragma once

#include <CLI/App.hpp>

#include <memory>

#include "apps/cli/console.h"

namespace nibble::cli {

/// One verb. Options are members, bound in add_options and read in run.
class Command {
 public:
  virtual ~Command() = default;
  virtual void add_options(CLI::App& app) = 0;
  /// Returns the exit code of a command that did its work; faults are thrown as Error.
  virtual int run(Console& console) = 0;
};

#define NIBBLE_COMMAND(verb, summary) std::unique_ptr<Command> make_##verb##_command();
#include "apps/cli/commands.inc"
#undef NIBBLE_COMMAND

}  // namespace nibble::cli
