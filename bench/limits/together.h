#pragma once

#include <functional>

namespace nibble::bench {

/// Runs `work(thread)` on `threads` threads that start together, again and again for about
/// `seconds` s; returns the shortest time of a pass, from the common start to the last one's end.
double best_pass(int threads, double seconds, const std::function<void(int)>& work);

}  // namespace nibble::bench
