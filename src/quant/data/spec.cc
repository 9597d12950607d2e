#include "quant/data/spec.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "quant/graph/error.h"

namespace nibble::data {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t first = 0;
  for (size_t end; (end = text.find(separator, first)) != std::string::npos; first = end + 1)
    parts.push_back(text.substr(first, end - first));
  parts.push_back(text.substr(first));
  return parts;
}

/// The whole of `text` as a number of type T in [low, high].
template <class T>
std::optional<T> to_number(const std::string& text, T low, T high) {
  T value{};
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end || !(value >= low && value <= high)) return {};
  return value;
}

constexpr int64_t kMaxCount = int64_t{1} << 48;
constexpr float kMaxFloat = 3.0e38f;

/// Stores the parsed number; false when there is none.
template <class T, class Target>
bool store(const std::string& text, T low, T high, Target& target) {
  const std::optional<T> value = to_number<T>(text, low, high);
  if (value) target = *value;
  return value.has_value();
}

/// "a:b:c", or one number for all channels.
bool parse_channels(const std::string& value, std::vector<float>& out) {
  const std::vector<std::string> parts = split(value, ':');
  if (parts.size() != 1 && parts.size() != 3) return false;
  for (const std::string& part : parts) {
    const auto number = to_number(part, -kMaxFloat, kMaxFloat);
    if (!number) return false;
    out.push_back(*number);
  }
  return true;
}

/// "N" or "HxW".
bool parse_extent(const std::string& value, std::optional<Extent>& out) {
  const std::vector<std::string> parts = split(value, 'x');
  Extent extent;
  if (parts.size() > 2 || !store(parts[0], 1, 65535, extent.height)) return false;
  if (parts.size() == 2 && !store(parts[1], 1, 65535, extent.width)) return false;
  out = extent;
  return true;
}

bool parse_range(const std::string& value, Spec& spec) {
  const std::vector<std::string> parts = split(value, ':');
  if (parts.size() != 2 || (parts[0].empty() && parts[1].empty())) return false;
  if (!parts[0].empty() && !store(parts[0], int64_t{0}, kMaxCount, spec.first)) return false;
  if (!parts[1].empty() && !store(parts[1], int64_t{1}, kMaxCount, spec.last)) return false;
  return !spec.last || *spec.last > spec.first;
}

bool parse_shape(const std::string& value, std::optional<Shape>& out) {
  Shape shape;
  for (const std::string& part : split(value, 'x')) {
    const auto dim = to_number<int64_t>(part, 1, int64_t{1} << 31);
    // One dimension is kept for the batch; a sample of more than 2^40 elements is a slip.
    if (!dim || shape.rank() == kMaxRank - 1 || shape.size() > (int64_t{1} << 40) / *dim)
      return false;
    shape.push_back(*dim);
  }
  out = shape;
  return true;
}

bool parse_preprocess(const std::string& value, Spec& spec) {
  if (value == "none") return spec.preprocess = Preprocess::kNone, true;
  if (value == "unit") return spec.preprocess = Preprocess::kUnit, true;
  if (value == "tf") return spec.preprocess = Preprocess::kTf, true;
  if (value == "imagenet") return spec.preprocess = Preprocess::kImagenet, true;
  if (value == "caffe") return spec.preprocess = Preprocess::kCaffe, true;
  return false;
}

bool parse_raw(const std::string& value, Spec& spec) {
  for (DType dtype : {DType::kI8, DType::kU8, DType::kI16, DType::kU16, DType::kI32})
    if (value == name_of(dtype)) return spec.raw = dtype, true;
  return false;
}

bool parse_std(const std::string& value, Spec& spec) {
  return parse_channels(value, spec.std) &&
         std::all_of(spec.std.begin(), spec.std.end(), [](float s) { return s > 0; });
}

bool parse_flag(const std::string& value, bool& out) {
  out = value == "1";
  return value == "0" || value == "1";
}

using Text = const std::string&;
constexpr KeyInfo kKeys[] = {
    {"labels", "FILE|COLUMN|ARRAY",
     "labels: a file beside the data, a CSV column, an array of the npz",
     [](Text v, Spec& s) { return s.labels = v, !v.empty(); }},
    {"preprocess", "none|unit|tf|imagenet|caffe", "how pixels 0..255 become numbers",
     parse_preprocess},
    {"mean", "a[:b:c]", "subtracted per channel, after preprocess none or unit",
     [](Text v, Spec& s) { return parse_channels(v, s.mean); }},
    {"std", "a[:b:c]", "divides per channel, after mean; positive", parse_std},
    {"bgr", "0|1", "channels in the order blue, green, red",
     [](Text v, Spec& s) { return parse_flag(v, s.bgr); }},
    {"resize", "N|HxW", "bilinear with antialiasing; N is the short side",
     [](Text v, Spec& s) { return parse_extent(v, s.resize); }},
    {"crop", "N|HxW", "the centre, after resize",
     [](Text v, Spec& s) { return parse_extent(v, s.crop); }},
    {"range", "A:B", "samples A to B-1 in stored order; an end may be left out", parse_range},
    {"shuffle", "SEED", "a seeded permutation of the range",
     [](Text v, Spec& s) { return store(v, uint64_t{0}, UINT64_MAX, s.shuffle); }},
    {"samples", "N", "the first N after range and shuffle",
     [](Text v, Spec& s) { return store(v, int64_t{1}, kMaxCount, s.samples); }},
    {"raw", "i8|u8|i16|u16|i32", "the file is little-endian integers and nothing else", parse_raw},
    {"shape", "AxBxC", "of one sample of raw integers",
     [](Text v, Spec& s) { return parse_shape(v, s.shape); }},
    {"scale", "NUMBER", "raw integers: (q - zero) * scale; positive",
     [](Text v, Spec& s) { return store(v, 1e-38f, kMaxFloat, s.scale); }},
    {"zero", "INTEGER", "raw integers: the zero point",
     [](Text v, Spec& s) { return store(v, int64_t{INT32_MIN}, int64_t{INT32_MAX}, s.zero); }},
    {"window", "N", "token windows of N tokens (uint16, little-endian)",
     [](Text v, Spec& s) { return store(v, int64_t{2}, int64_t{1} << 24, s.window); }},
};

std::string key_list() {
  std::string list;
  for (const KeyInfo& key : kKeys) list += (list.empty() ? "" : ", ") + std::string(key.name);
  return list;
}

[[noreturn]] void fail(const std::string& text, const std::string& message) {
  throw Error(ErrorKind::kUsage, "data spec '" + text + "': " + message);
}

/// Where the keys begin: the first '@' that "key=" follows. A file name may hold other '@'.
size_t find_keys(const std::string& text) {
  for (size_t at = text.find('@'); at != std::string::npos; at = text.find('@', at + 1)) {
    size_t end = at + 1;
    while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) ||
                                 text[end] == '_' || text[end] == '-'))
      ++end;
    if (end > at + 1 && end < text.size() && text[end] == '=') return at;
  }
  return std::string::npos;
}

void parse_key(const std::string& entry, Spec& spec) {
  const size_t equals = entry.find('=');
  if (equals == std::string::npos)
    fail(spec.text, "found '" + entry + "', expected key=value with a key of " + key_list());
  const std::string name = entry.substr(0, equals), value = entry.substr(equals + 1);
  const auto key = std::find_if(std::begin(kKeys), std::end(kKeys),
                                [&](const KeyInfo& k) { return name == k.name; });
  if (key == std::end(kKeys))
    fail(spec.text, "unknown key '" + name + "', expected one of " + key_list());
  if (spec.has(name)) fail(spec.text, "key '" + name + "' is given twice");
  if (!key->parse(value, spec))
    fail(spec.text, name + "=" + value + ", expected " + name + "=" + key->form);
  spec.keys.push_back(name);
}

void check_together(const Spec& spec) {
  if (spec.raw && !spec.shape) fail(spec.text, "raw= needs shape= of one sample, such as 1x49x10");
  for (const char* key : {"shape", "scale", "zero"})
    if (spec.has(key) && !spec.raw) fail(spec.text, std::string(key) + "= needs raw=");
  if (spec.raw && spec.window) fail(spec.text, "raw= and window= exclude each other");
  const Preprocess preprocess = spec.preprocess.value_or(Preprocess::kNone);
  if (preprocess != Preprocess::kNone && preprocess != Preprocess::kUnit)
    for (const char* key : {"mean", "std", "bgr"})
      if (spec.has(key))
        fail(spec.text, std::string(key) + "= goes with preprocess none or unit only");
}

}  // namespace

bool Spec::has(const std::string& key) const {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

std::span<const KeyInfo> spec_keys() {
  return kKeys;
}

Spec parse_spec(const std::string& text) {
  Spec spec;
  spec.text = text;
  const size_t at = find_keys(text);
  for (std::string& path : split(text.substr(0, at), ',')) {
    if (path.empty()) fail(text, "an empty path, expected PATH[,PATH...][@key=value,...]");
    spec.paths.push_back(std::move(path));
  }
  if (at != std::string::npos)
    for (const std::string& entry : split(text.substr(at + 1), ',')) parse_key(entry, spec);
  check_together(spec);
  return spec;
}

}  // namespace nibble::data
