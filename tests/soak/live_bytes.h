#pragma once

#include <cstddef>

namespace nibble::soak {

/// Bytes that `new` has given and nobody has returned, of the whole process.
size_t live_bytes();

/// Resident set of the process in bytes.
size_t resident_bytes();

}  // namespace nibble::soak
