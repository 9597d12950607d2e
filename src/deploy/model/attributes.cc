#include "deploy/model/attributes.h"

#include <algorithm>
#include <cassert>
#include <iterator>

namespace nibble::model {
namespace {

struct KeyInfo {
  std::string_view name;
  AttrKind kind;
};

constexpr KeyInfo kKeys[] = {
#define NIBBLE_ATTR(name, kind) {#name, AttrKind::k##kind},
#include "deploy/model/attrs.inc"
#undef NIBBLE_ATTR
};

bool before(const std::pair<Attr, AttrValue>& entry, Attr key) {
  return entry.first < key;
}

}  // namespace

int attr_count() {
  return static_cast<int>(std::size(kKeys));
}
std::string_view name_of(Attr key) {
  return kKeys[static_cast<size_t>(key)].name;
}
AttrKind kind_of(Attr key) {
  return kKeys[static_cast<size_t>(key)].kind;
}

const AttrValue* Attributes::find(Attr key) const {
  auto it = std::lower_bound(entries_.begin(), entries_.end(), key, before);
  return it != entries_.end() && it->first == key ? &it->second : nullptr;
}

void Attributes::set(Attr key, AttrValue value) {
  assert(value.index() == static_cast<size_t>(kind_of(key)));
  auto it = std::lower_bound(entries_.begin(), entries_.end(), key, before);
  if (it != entries_.end() && it->first == key) {
    it->second = std::move(value);
  } else {
    entries_.emplace(it, key, std::move(value));
  }
}

void Attributes::erase(Attr key) {
  std::erase_if(entries_, [key](const auto& entry) { return entry.first == key; });
}

int64_t Attributes::get_int(Attr key, int64_t otherwise) const {
  const AttrValue* value = find(key);
  return value ? std::get<int64_t>(*value) : otherwise;
}

float Attributes::get_float(Attr key, float otherwise) const {
  const AttrValue* value = find(key);
  return value ? std::get<float>(*value) : otherwise;
}

std::string_view Attributes::get_string(Attr key, std::string_view otherwise) const {
  const AttrValue* value = find(key);
  return value ? std::string_view(std::get<std::string>(*value)) : otherwise;
}

std::span<const int64_t> Attributes::get_ints(Attr key) const {
  const AttrValue* value = find(key);
  return value ? std::span<const int64_t>(std::get<std::vector<int64_t>>(*value))
               : std::span<const int64_t>();
}

std::span<const float> Attributes::get_floats(Attr key) const {
  const AttrValue* value = find(key);
  return value ? std::span<const float>(std::get<std::vector<float>>(*value))
               : std::span<const float>();
}

}  // namespace nibble::model
