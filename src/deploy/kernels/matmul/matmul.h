#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "deploy/base/cpu.h"
#include "deploy/base/thread_pool.h"
#include "deploy/kernels/matmul/matmul_f32.h"
#include "deploy/kernels/matmul/matmul_s8.h"
#include "deploy/kernels/matmul/rows.h"
#include "deploy/kernels/requantise/code_map.h"

namespace nibble::kernels {

struct MatmulF32Variant {
  Isa isa;
  std::string_view name;  // "matmul_f32/avx2"
  MatmulF32Core* core;
};

/// All variants of this build, worst first.
std::span<const MatmulF32Variant> matmul_f32_variants();

/// The memory of one product of binary32.
struct MatmulF32Data {
  const float* a = nullptr;        // what the plan speaks of
  float* out = nullptr;            // rows lie `stride` elements apart
  int64_t stride = 0;              // of `out`
  std::byte* workspace = nullptr;  // 64-byte aligned, matmul_f32_workspace() bytes
};

/// The whole product: all rows of the plan by all panels, on the threads of `pool`. `p.segment`,
/// `p.segments`, `p.length` and `p.panel_stride` are taken from the plan.
///
/// Long rows are cut into blocks of k: a block of B then serves many rows from the nearest cache,
/// and a block of A, copied together, all panels from the next; Y holds the sums in between.
void matmul_f32(const MatmulF32Variant& variant, MatmulF32 p, const RowPlan& plan,
                const MatmulF32Data& data, ThreadPool& pool);
size_t matmul_f32_workspace(int64_t n, const RowPlan& plan, int threads);

struct MatmulS8Variant {
  Isa isa;
  std::string_view name;  // "matmul_s8/avx512vnni"
  const MatmulS8Core* core;
};

std::span<const MatmulS8Variant> matmul_s8_variants();

/// The memory of one product of integers.
struct MatmulS8Data {
  const int8_t* a = nullptr;          // what the plan speaks of
  const int32_t* row_sums = nullptr;  // one a row of the plan, if needs_row_sums (row_sums.h)
  int8_t* out = nullptr;              // rows lie `stride` bytes apart
  int64_t stride = 0;
  const int8_t* residual = nullptr;  // codes to add, laid out as `out`; null: none
  std::byte* workspace = nullptr;    // 64-byte aligned, matmul_s8_workspace() bytes
  CodeCopy copy{};                   // of `out`; none beside `sums`
  /// Where given, gets sum_k u a, rows of p.n, and no codes are made: zero points and sum_shift
  /// are 0.
  int32_t* sums = nullptr;
};

/// The whole product: all rows of the plan by all channels, on the threads of `pool`. `p.segment`,
/// `p.segments` and `p.length` are taken from the plan.
///
/// Long rows are cut into blocks of k whose weights and rows stay in the nearest caches; weights
/// below 8 bits are unpacked a block at a time, once for all rows of a task, or, for a single row,
/// in registers.
void matmul_s8(const MatmulS8Variant& variant, MatmulS8 p, const RowPlan& plan,
               const MatmulS8Data& data, ThreadPool& pool);
size_t matmul_s8_workspace(const MatmulS8Variant& variant, const MatmulS8& p, const RowPlan& plan,
                           int threads);

/// Whether the product of that many rows looks at the sums of rows.
bool needs_row_sums(const MatmulS8Variant& variant, const MatmulS8& p, int64_t rows);

/// The product to reals of m rows of k_padded codes, on the threads of `pool`. `sums`: int32 [m]
/// [p.blocks()] of scratch; `out`: m rows of p.n reals.
void matmul_real_s8(const MatmulS8Variant& variant, const MatmulRealS8& p, const int8_t* a,
                    const float* row_scales, int64_t m, int32_t* sums, float* out,
                    ThreadPool& pool);

}  // namespace nibble::kernels
