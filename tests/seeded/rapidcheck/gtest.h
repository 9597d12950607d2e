// Stands in for rapidcheck's header where the library does not exist for the target (a cross build;
// cmake/cross_packages.cmake): the properties of our tests, unchanged, take their cases from a
// generator with fixed seeds. Only what those tests use; no shrinking: a failure names the seed.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <type_traits>
#include <utility>
#include <vector>

namespace rc {

inline constexpr int kCases = 100;      // a property, as in rapidcheck
inline constexpr int kDiscards = 1000;  // more of them: the property is at fault

struct Discard {};
struct Failure {};

/// The source of all draws; seeded anew before each case.
inline std::mt19937_64& source() {
  static std::mt19937_64 rng;
  return rng;
}

template <class T>
class Gen {
 public:
  explicit Gen(std::function<T()> draw) : draw_(std::move(draw)) {}
  T operator*() const { return draw_(); }

 private:
  std::function<T()> draw_;
};

namespace gen {

/// lo <= x < hi. The remainder, not std::uniform_int_distribution: the same cases everywhere.
template <class T>
Gen<T> inRange(T lo, T hi) {
  return Gen<T>([=] {
    const auto span = static_cast<uint64_t>(hi) - static_cast<uint64_t>(lo);
    return static_cast<T>(static_cast<uint64_t>(lo) + source()() % span);
  });
}

/// An integer or a bool of any value.
template <class T>
Gen<T> arbitrary() {
  constexpr int kUnused = 64 - std::numeric_limits<std::make_unsigned_t<T>>::digits;
  return Gen<T>([] { return static_cast<T>(source()() >> kUnused); });
}
template <>
inline Gen<bool> arbitrary() {
  return Gen<bool>([] { return source()() >> 63 != 0; });
}

template <class T, class... More>
Gen<T> element(T first, More... more) {
  return Gen<T>([values = std::vector<T>{first, static_cast<T>(more)...}] {
    return values[source()() % values.size()];
  });
}

/// Of 0 to 100 elements.
template <class C, class T>
Gen<C> container(Gen<T> each) {
  return Gen<C>([=] {
    C all;
    for (uint64_t left = source()() % 101; left > 0; --left) all.push_back(*each);
    return all;
  });
}

template <class C>
Gen<C> nonEmpty(Gen<C> any) {
  return Gen<C>([=] {
    while (true)
      if (C drawn = *any; !drawn.empty()) return drawn;
  });
}

}  // namespace gen

inline void check(void (*property)()) {
  int discards = 0;
  for (uint64_t seed = 0, done = 0; done < kCases; ++seed) {
    source().seed(seed);
    try {
      property();
      ++done;
    } catch (Discard) {
      ASSERT_LT(++discards, kDiscards) << "gave up: nearly every case is discarded";
    } catch (Failure) {
    }
    ASSERT_FALSE(::testing::Test::HasFailure()) << "the case of seed " << seed;
  }
}

}  // namespace rc

#define RC_GTEST_PROP(suite, name, arguments) \
  static void suite##_##name##_property();    \
  TEST(suite, name) {                         \
    rc::check(suite##_##name##_property);     \
  }                                           \
  static void suite##_##name##_property()

#define RC_ASSERT(condition)                         \
  do {                                               \
    if (!(condition)) {                              \
      ADD_FAILURE() << "expected true: " #condition; \
      throw rc::Failure();                           \
    }                                                \
  } while (false)
#define RC_PRE(condition)                  \
  do {                                     \
    if (!(condition)) throw rc::Discard(); \
  } while (false)
#define RC_DISCARD() throw rc::Discard()
