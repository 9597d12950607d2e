#define NIBBLE_ISA_NAMESPACE avx512bw
#define NIBBLE_VECTOR_BYTES 64
#include "deploy/kernels/requantise/codes_rows.h"
