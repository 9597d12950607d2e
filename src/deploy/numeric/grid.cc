#include "deploy/numeric/grid.h"

namespace nibble::numeric {

namespace grid {
#define NIBBLE_GRID(record, id) extern const Grid record;
#include "deploy/numeric/grids.inc"
#undef NIBBLE_GRID
}  // namespace grid

namespace {

constexpr const Grid* kGrids[] = {
#define NIBBLE_GRID(record, id) &grid::record,
#include "deploy/numeric/grids.inc"
#undef NIBBLE_GRID
};

}  // namespace

std::span<const Grid* const> grids() {
  return kGrids;
}

const Grid& grid_of(GridId id) {
  switch (id) {
#define NIBBLE_GRID(record, id) \
  case GridId::id:              \
    return grid::record;
#include "deploy/numeric/grids.inc"
#undef NIBBLE_GRID
  }
  __builtin_unreachable();
}

int32_t quantize_one(float x, const QuantParams& params, size_t unit) {
  int32_t code = 0;
  grid_of(params.grid).quantize(&x, 1, params, unit, &code);
  return code;
}

bool is_grid(int number) {
  for (const Grid* grid : kGrids)
    if (static_cast<int>(grid->id) == number) return true;
  return false;
}

}  // namespace nibble::numeric
