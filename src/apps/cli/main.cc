#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "apps/cli/command.h"
#include "apps/cli/console.h"

namespace nibble::cli {
namespace {

/// Runs the chosen command; every fault becomes one line and the exit code of its kind.
int run(int argc, char** argv) {
  bool json = false;
  for (int i = 1; i < argc; ++i) json |= std::strcmp(argv[i], "--json") == 0;
  Console console(json);

  CLI::App app{"trained networks to 8 bits and below, and a runtime that runs them", "nibble"};
  app.set_version_flag("--version", "nibble " NIBBLE_VERSION);
  app.require_subcommand(1);
  std::vector<std::pair<CLI::App*, std::unique_ptr<Command>>> commands;
  const auto add = [&](const char* verb, const char* summary, std::unique_ptr<Command> command) {
    CLI::App* sub = app.add_subcommand(verb, summary);
    sub->add_flag("--json", json, "events and one result object on standard output");
    command->add_options(*sub);
    commands.emplace_back(sub, std::move(command));
  };
#define NIBBLE_COMMAND(verb, summary) add(#verb, summary, make_##verb##_command());
#include "apps/cli/commands.inc"
#undef NIBBLE_COMMAND

  try {
    try {
      app.parse(argc, argv);
    } catch (const CLI::Success& e) {  // --help, --version
      return app.exit(e);
    } catch (const CLI::ParseError& e) {
      throw Error(ErrorKind::kUsage, e.what(), {}, {}, "nibble --help shows the usage");
    }
    for (auto& [sub, command] : commands)
      if (sub->parsed()) return command->run(console);
    throw Error(ErrorKind::kInternal, "no command ran");
  } catch (const Error& e) {
    console.error(e);
    return static_cast<int>(e.kind);
  } catch (const std::bad_alloc&) {
    console.error(Error(ErrorKind::kModel, "needs more memory than this machine gives"));
    return static_cast<int>(ErrorKind::kModel);
  } catch (const std::exception& e) {
    console.error(Error(ErrorKind::kInternal, e.what(), {}, {}, "please report this"));
    return static_cast<int>(ErrorKind::kInternal);
  }
}

}  // namespace
}  // namespace nibble::cli

int main(int argc, char** argv) {
  return nibble::cli::run(argc, argv);
}
