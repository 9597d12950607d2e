#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "deploy/base/cpu.h"
#include "deploy/base/thread_pool.h"
#include "deploy/kernels/matmul/matmul_f32.h"
#include "deploy/kernels/matmul/matmul_s8.h"
#include "deploy/kernels/matmul/rows.h"

namespace nibble::kernels {

struct MatmulF32Variant {
  Isa isa;
  std::string_view name;  // "matmul_f32/avx2"
  MatmulF32Core* core;
};

/// All variants of this build, worst first.
std::span<const MatmulF32Variant> matmul_f32_variants();

/// The whole product: rows of `plan` over `a`, all panels, on the threads of `pool`. `p.segment`,
/// `p.segments` and `p.length` are taken from the plan. `out` rows lie `stride` elements apart.
void matmul_f32(const MatmulF32Variant& variant, MatmulF32 p, const RowPlan& plan, const float* a,
                float* out, int64_t stride, ThreadPool& pool);

struct MatmulS8Variant {
  Isa isa;
  std::string_view name;  // "matmul_s8/avx512vnni"
  MatmulS8Core* core;
  SumsS8Core* sums;
};

std::span<const MatmulS8Variant> matmul_s8_variants();

/// The same for integers; `row_sums` has one entry a row of the plan (row_sums.h).
void matmul_s8(const MatmulS8Variant& variant, MatmulS8 p, const RowPlan& plan, const int8_t* a,
               const int32_t* row_sums, int8_t* out, int64_t stride, ThreadPool& pool);

}  // namespace nibble::kernels
