#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nibble::model {

/// Attribute keys (attrs.inc).
enum class Attr : uint16_t {
#define NIBBLE_ATTR(name, kind) name,
#include "deploy/model/attrs.inc"
#undef NIBBLE_ATTR
};

enum class AttrKind : uint8_t { kInt, kFloat, kInts, kFloats, kString };

int attr_count();
std::string_view name_of(Attr key);
AttrKind kind_of(Attr key);

using AttrValue =
    std::variant<int64_t, float, std::vector<int64_t>, std::vector<float>, std::string>;

/// The attributes of one node, ordered by key. A value's kind is fixed by its key (attrs.inc);
/// setting another is a bug (assert), reading an absent one gives the caller's default.
class Attributes {
 public:
  bool has(Attr key) const { return find(key) != nullptr; }
  void set(Attr key, AttrValue value);
  void erase(Attr key);

  int64_t get_int(Attr key, int64_t otherwise) const;
  float get_float(Attr key, float otherwise) const;
  std::string_view get_string(Attr key, std::string_view otherwise) const;
  /// Empty when absent.
  std::span<const int64_t> get_ints(Attr key) const;
  std::span<const float> get_floats(Attr key) const;

  const std::vector<std::pair<Attr, AttrValue>>& entries() const { return entries_; }

 private:
  const AttrValue* find(Attr key) const;
  std::vector<std::pair<Attr, AttrValue>> entries_;
};

}  // namespace nibble::model
