#include "deploy/kernels/choice/table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "deploy/kernels/bitserial/bitserial.h"
#include "deploy/kernels/lookup/lookup.h"
#include "deploy/kernels/matmul/matmul.h"
#include "deploy/kernels/simd/select.h"
#include "deploy/kernels/winograd/winograd_s8.h"

namespace nibble::kernels {
namespace {

constexpr std::string_view kBuiltIn =
#include "deploy/kernels/choice/default_table.inc"
    ;

/// One entry from a line without its comment; false where it is none.
bool parse_line(const std::string& line, KernelTable::Entry& entry) {
  char kernel[64];
  long long rows, k;
  int end = 0;
  if (std::sscanf(line.c_str(), "%63s %d %d %lld %lld %lf %n", kernel, &entry.w_bits, &entry.a_bits,
                  &rows, &k, &entry.gops, &end) != 6 ||
      line.c_str()[end] != '\0')
    return false;
  entry.kernel = kernel;
  entry.rows = rows;
  entry.k = k;
  return entry.w_bits >= 1 && entry.w_bits <= 8 && entry.a_bits >= 1 && entry.a_bits <= 16 &&
         rows >= 1 && k >= 1 && std::isfinite(entry.gops) && entry.gops >= 0;
}

Result<std::string> read_text(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (!file) return Status(StatusCode::kIo, path + ": cannot be read: " + std::strerror(errno));
  std::string text;
  char part[4096];
  for (size_t n; (n = std::fread(part, 1, sizeof part, file)) > 0;) text.append(part, n);
  const bool failed = std::ferror(file);
  std::fclose(file);
  if (failed) return Status(StatusCode::kIo, path + ": cannot be read");
  return text;
}

/// The share of a kernel's work that a shape uses: the rest are bits or channels behind the last
/// one. 0: the kernel does not compute it.
double share_used(std::string_view kernel, const ProductShape& shape) {
  const auto of_whole = [](int64_t count, int64_t tile) {
    return static_cast<double>(count) / static_cast<double>(divide_up(count, tile) * tile);
  };
  if (kernel.starts_with("bitserial/")) return shape.channels ? of_whole(shape.channels, 64) : 0;
  if (kernel.starts_with("lookup/")) return shape.channels ? of_whole(shape.n, kLookupTile) : 0;
  return 1;
}

}  // namespace

Result<KernelTable> KernelTable::parse(std::string_view text, const std::string& source) {
  KernelTable table;
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string line(text.substr(0, std::min(end, text.substr(0, end).find('#'))));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    Entry entry;
    if (!parse_line(line, entry))
      return invalid_argument(source + ":" + std::to_string(number) +
                              ": expects kernel, weight bits 1..8, activation bits 1..16, rows, k "
                              "and GOP/s, found '" +
                              line + "'");
    table.entries_.push_back(std::move(entry));
  }
  return table;
}

const KernelTable& KernelTable::built_in() {
  static const KernelTable table = parse(kBuiltIn, "default_table.inc").value();
  return table;
}

Result<KernelTable> KernelTable::from_environment() {
  const char* path = std::getenv("NIBBLE_KERNEL_TABLE");
  if (!path || !*path) return built_in();
  Result<std::string> text = read_text(path);
  if (!text.ok()) return text.status();
  return parse(text.value(), path);
}

double KernelTable::speed(std::string_view kernel, const ProductShape& shape) const {
  const Entry* best = nullptr;
  const auto distance = [&](const Entry& e) {
    const auto ratio = [](int64_t a, int64_t b) {
      return std::abs(std::log(static_cast<double>(a) / static_cast<double>(b)));
    };
    return ratio(e.rows, shape.rows) + ratio(e.k, shape.k);
  };
  for (const Entry& e : entries_) {
    if (e.kernel != kernel || e.w_bits != shape.w_bits || e.a_bits < shape.a_bits) continue;
    if (!best || e.a_bits < best->a_bits ||
        (e.a_bits == best->a_bits && distance(e) < distance(*best)))
      best = &e;
  }
  if (!best) return 0;
  return best->gops * share_used(kernel, shape);
}

std::string_view choose_product(const KernelTable& table, Isa ceiling, const ProductShape& shape) {
  std::string_view best = select(matmul_s8_variants(), ceiling).name;
  double fastest = table.speed(best, shape);
  const auto consider = [&](std::string_view name) {
    if (const double speed = table.speed(name, shape); speed > fastest) {
      best = name;
      fastest = speed;
    }
  };
  for (const MatmulS8Variant& v : matmul_s8_variants())
    if (allowed(v.isa, ceiling)) consider(v.name);
  for (const BitSerialVariant& v : bitserial_variants())
    if (allowed(v.isa, ceiling) && v.runs()) consider(v.name);
  for (const LookupVariant& v : lookup_variants())
    if (allowed(v.isa, ceiling)) consider(v.name);
  for (const WinogradS8Variant& v : winograd_s8_variants())
    if (shape.winograd && allowed(v.isa, ceiling)) consider(v.name);
  return best;
}

}  // namespace nibble::kernels
