#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/base/cpu.h"
#include "deploy/base/status.h"

namespace nibble::kernels {

/// What an integer product asks of a kernel.
struct ProductShape {
  int w_bits = 8;
  int a_bits = 8;
  int64_t rows = 1;
  int64_t k = 64;  // length of the sums
  int64_t n = 64;  // sums of a row; kernels of whole tiles waste the rest
  /// Channels of a tap (0: several groups): kernels that fill words of 64 bits waste the rest.
  int64_t channels = 64;
  bool winograd = false;  // winograd_fits()
};

/// Speeds of the kernels of integer products, as measured: it only chooses among kernels that give
/// the same bytes.
///
/// Text, one entry a line: kernel weight-bits activation-bits rows k GOP/s, such as
///     matmul_s8/avx2 8 8 128 1024 30.8
/// `#` begins a comment. An entry stands for activations of at most its width and for the rows and
/// k nearest to its own (by ratio); a kernel without an entry for a width of weights is not chosen
/// for it while another one has one: a table should hold the kernels of all ISAs below its own.
class KernelTable {
 public:
  struct Entry {
    std::string kernel;
    int w_bits = 8, a_bits = 8;
    int64_t rows = 1, k = 64;
    double gops = 0;
  };

  /// `source` names the text in errors.
  static Result<KernelTable> parse(std::string_view text, const std::string& source);
  /// The tables that are compiled in (default_table.inc).
  static const KernelTable& built_in();
  /// The file $NIBBLE_KERNEL_TABLE names, else the built-in one.
  static Result<KernelTable> from_environment();

  const std::vector<Entry>& entries() const { return entries_; }

  /// GOP/s of a kernel on a shape; 0 where there is no entry.
  double speed(std::string_view kernel, const ProductShape& shape) const;

 private:
  std::vector<Entry> entries_;
};

/// The fastest kernel for a shape among those at or below the ceiling: a name of
/// matmul_s8_variants(), bitserial_variants(), lookup_variants() or winograd_s8_variants(). Without
/// any entry the best matmul_s8. A tie goes to the first in this order.
std::string_view choose_product(const KernelTable& table, Isa ceiling, const ProductShape& shape);

}  // namespace nibble::kernels
