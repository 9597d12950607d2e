#include "apps/cli/bench_kernels.h"

#include <cstdio>
#include <vector>

#include "deploy/kernels/choice/measure.h"
#include "quant/pipeline/output_files.h"
#include "quant/pipeline/runner.h"

namespace nibble::cli {
namespace {

constexpr double kSecondsEach = 0.003;

void print_choices(Console& console, const kernels::KernelTable& table, Isa isa) {
  char text[128];
  std::snprintf(text, sizeof text, "%-8s %6s  %9s  %s", "scheme", "rows", "GOP/s", "kernel");
  console.line(text);
  for (int bits = 8; bits >= 1; --bits)
    for (int a : bits == 8 ? std::vector<int>{8} : std::vector<int>{8, bits})
      for (int64_t rows : {1, 8, 128}) {
        const kernels::ProductShape shape{bits, a, rows, 1024};
        const std::string_view kernel = choose_product(table, isa, shape);
        const std::string scheme = "W" + std::to_string(bits) + "A" + std::to_string(a);
        std::snprintf(text, sizeof text, "%-8s %6lld  %9.1f  %s", scheme.c_str(),
                      static_cast<long long>(rows), table.speed(kernel, shape),
                      std::string(kernel).c_str());
        console.line(text);
      }
}

}  // namespace

int bench_kernels(Console& console, const std::string& path) {
  const Isa isa = pipeline::ceiling_from_environment();
  const auto progress = console.progress();
  const auto entries = kernels::measure_products(isa, kSecondsEach, [&](double share) {
    if (progress) progress("kernels", static_cast<int64_t>(share * 1000 + 0.5), 1000);
  });
  const std::string text = kernels::to_text(entries);
  print_choices(console, kernels::KernelTable::parse(text, "measured").value(), isa);
  if (!path.empty()) {
    pipeline::OutputFiles files;
    files.add(path, text);
    files.commit();
    console.line("wrote " + path);
  }
  Json list = Json::array();
  for (const auto& e : entries)
    list.push_back({{"kernel", e.kernel},
                    {"weight_bits", e.w_bits},
                    {"act_bits", e.a_bits},
                    {"rows", e.rows},
                    {"gops", e.gops}});
  console.result({{"isa", name_of(isa)},
                  {"output", path.empty() ? Json(nullptr) : Json(path)},
                  {"kernels", list}});
  return 0;
}

}  // namespace nibble::cli
