#define NIBBLE_ISA_NAMESPACE avx2
#define NIBBLE_VECTOR_BYTES 32
#define NIBBLE_CODES_NAME "codes/x86_avx2"
#include "deploy/kernels/requantise/codes_rows.h"
