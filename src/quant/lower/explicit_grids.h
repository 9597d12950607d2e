#pragma once

#include "quant/graph/graph.h"

namespace nibble::lower {

/// channels_last() of an annotated graph in which every change of representation is a node:
/// - a float island makes real numbers; a Requantize of real numbers puts them on their grid, also
///   behind a quantised graph input;
/// - reals that meet weights of form kDynamic go through a DynamicQuantize to a QGemmReal;
/// - the operands of a Concat, and the results of ops that keep their input's grid, have equal
///   grids, with a Requantize where they had not;
/// - Relu and Clip of codes are a Requantize with clip_min, clip_max;
/// - a Requantize to the grid its input has is gone;
/// - the value that a Pad inserts lies on the grid.
/// Both the simulation and the integer graph are made from this one.
graph::Graph explicit_grids(const graph::Graph& annotated);

}  // namespace nibble::lower
