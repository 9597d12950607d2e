#define NIBBLE_ISA_NAMESPACE avx512bw
#define NIBBLE_VECTOR_BYTES 64
#define NIBBLE_CODES_NAME "codes/x86_avx512bw"
#include "deploy/kernels/requantise/codes_rows.h"
