#include "bench/onednn/network.h"

#include <sstream>
#include <stdexcept>

namespace nibble::bench {

std::vector<LayerShape> read_network(std::istream& in) {
  std::vector<LayerShape> layers;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string kind;
    LayerShape s;
    words >> kind >> s.name >> s.relu >> s.batch >> s.channels >> s.height >> s.width;
    words >> s.outputs >> s.kernel_h >> s.kernel_w >> s.stride_h >> s.stride_w;
    words >> s.top >> s.left >> s.bottom >> s.right >> s.groups;
    s.linear = kind == "linear";
    if (!words || (!s.linear && kind != "conv"))
      throw std::runtime_error("not a layer: '" + line + "'");
    layers.push_back(s);
  }
  return layers;
}

}  // namespace nibble::bench
