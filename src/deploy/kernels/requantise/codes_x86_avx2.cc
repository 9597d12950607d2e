#define NIBBLE_ISA_NAMESPACE avx2
#define NIBBLE_VECTOR_BYTES 32
#include "deploy/kernels/requantise/codes_rows.h"
