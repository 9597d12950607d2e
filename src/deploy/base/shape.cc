#include "deploy/base/shape.h"

namespace nibble::inline base {

std::string to_string(const Shape& shape) {
  if (shape.rank() == 0) return "scalar";
  std::string text;
  for (int i = 0; i < shape.rank(); ++i) {
    if (i) text += 'x';
    text += shape[i] == kUnknownDim ? "N" : std::to_string(shape[i]);
  }
  return text;
}

}  // namespace nibble::inline base
