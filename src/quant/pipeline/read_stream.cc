#include "quant/pipeline/read_stream.h"

#include "quant/pipeline/read_stream_body.h"

namespace nibble::pipeline {

#if defined(__x86_64__)
namespace avx2 {
uint64_t read(const std::byte* data, size_t bytes);
}
namespace avx512bw {
uint64_t read(const std::byte* data, size_t bytes);
}
#endif

namespace {

typedef uint64_t Vector __attribute__((vector_size(16)));

constexpr ReadStream kStreams[] = {
    {Isa::kPortable, read_vectors<Vector>},
#if defined(__x86_64__)
    {Isa::kAvx2, avx2::read},
    {Isa::kAvx512bw, avx512bw::read},
#endif
};

}  // namespace

std::span<const ReadStream> read_streams() {
  return kStreams;
}

}  // namespace nibble::pipeline
