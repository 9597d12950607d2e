#include "quant/pipeline/read_stream_body.h"

namespace nibble::pipeline::avx2 {

typedef uint64_t Vector __attribute__((vector_size(32)));

uint64_t read(const std::byte* data, size_t bytes) {
  return read_vectors<Vector>(data, bytes);
}

}  // namespace nibble::pipeline::avx2
