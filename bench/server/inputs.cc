#include "bench/server/inputs.h"

#include <cstddef>
#include <random>

namespace nibble::bench {
namespace {

size_t bytes_of(ElementType type) {
  switch (type) {
    case ElementType::kI8:
    case ElementType::kU8:
    case ElementType::kBool:
      return 1;
    case ElementType::kF16:
    case ElementType::kBF16:
    case ElementType::kI16:
    case ElementType::kU16:
      return 2;
    case ElementType::kF32:
    case ElementType::kI32:
    case ElementType::kU32:
      return 4;
    case ElementType::kF64:
    case ElementType::kI64:
    case ElementType::kU64:
      return 8;
  }
  return 8;
}

template <class T>
void fill_uniform(std::vector<uint64_t>& storage, size_t count, std::mt19937_64& random) {
  T* values = reinterpret_cast<T*>(storage.data());
  for (size_t i = 0; i < count; ++i)
    values[i] = static_cast<T>(static_cast<double>(random() >> 40) * 0x1p-24);
}

void fill_bits(std::vector<uint64_t>& storage, size_t count, size_t width,
               std::mt19937_64& random) {
  auto* bytes = reinterpret_cast<unsigned char*>(storage.data());
  for (size_t i = 0; i < count; ++i) bytes[i * width] = static_cast<unsigned char>(random() & 1);
}

}  // namespace

Inputs::Inputs(const std::vector<Port>& ports, int64_t batch) {
  std::mt19937_64 random(0);
  for (const Port& port : ports) {
    Array array{port.type, port.shape, nullptr};
    size_t count = 1;
    for (int64_t& d : array.shape) {
      if (d < 0) d = batch;
      count *= static_cast<size_t>(d);
    }
    const size_t width = bytes_of(port.type);
    std::vector<uint64_t>& storage = storage_.emplace_back((count * width + 7) / 8);
    if (port.type == ElementType::kF32)
      fill_uniform<float>(storage, count, random);
    else if (port.type == ElementType::kF64)
      fill_uniform<double>(storage, count, random);
    else if (port.type != ElementType::kF16 && port.type != ElementType::kBF16)
      fill_bits(storage, count, width, random);
    array.data = storage.data();  // stays put when storage_ grows: a moved vector keeps its memory
    arrays_.push_back(std::move(array));
  }
}

}  // namespace nibble::bench
