#define NIBBLE_ISA_NAMESPACE neon
#define NIBBLE_VECTOR_BYTES 16
#include "deploy/kernels/requantise/codes_rows.h"
