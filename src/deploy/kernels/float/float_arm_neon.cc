#define NIBBLE_ISA_NAMESPACE neon
#define NIBBLE_VECTOR_BYTES 16
#include "deploy/kernels/float/rows.h"
