#include "quant/data/npy.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <type_traits>

#include "quant/data/file.h"
#include "quant/data/npy_file.h"
#include "quant/data/npy_header.h"
#include "quant/graph/error.h"

namespace nibble::data {
namespace {

constexpr char kMagic[] = "\x93NUMPY";
constexpr size_t kMagicLength = 6;

struct TypeCode {
  const char* code;
  DType dtype;
};
// NumPy has no bfloat16: ml_dtypes writes such arrays as '<V2', which says nothing; not read here.
constexpr TypeCode kTypeCodes[] = {
    {"<f4", DType::kF32}, {"<f8", DType::kF64}, {"<f2", DType::kF16}, {"|i1", DType::kI8},
    {"|u1", DType::kU8},  {"<i2", DType::kI16}, {"<u2", DType::kU16}, {"<i4", DType::kI32},
    {"<u4", DType::kU32}, {"<i8", DType::kI64}, {"<u8", DType::kU64}, {"|b1", DType::kBool}};

[[noreturn]] void fail(const std::string& label, const std::string& message) {
  throw Error(ErrorKind::kData, ".npy header: " + message, label);
}

/// The text after "'key':" in the header's Python dictionary, without leading blanks.
std::string_view value_of(std::string_view header, const std::string& key,
                          const std::string& label) {
  const size_t at = header.find("'" + key + "'");
  const size_t colon = at == std::string_view::npos ? at : header.find(':', at);
  const size_t value =
      colon == std::string_view::npos ? colon : header.find_first_not_of(' ', colon + 1);
  if (value == std::string_view::npos) fail(label, "no key '" + key + "'");
  return header.substr(value);
}

DType parse_dtype(std::string_view text, const std::string& label) {
  const std::string_view code =
      text.starts_with('\'') ? text.substr(1, text.find('\'', 1) - 1) : text.substr(0, 8);
  for (const TypeCode& known : kTypeCodes)
    if (code == known.code) return known.dtype;
  fail(label, "element type " + std::string(code) +
                  ", expected little-endian floats (f2 f4 f8), integers (i1 to u8) or bool");
}

Shape parse_shape(std::string_view text, const std::string& label) {
  const size_t close = text.find(')');
  if (!text.starts_with('(') || close == std::string_view::npos) fail(label, "no shape");
  const char* p = text.data() + 1;
  const char* const end = text.data() + close;
  Shape shape;
  while (true) {
    while (p != end && (*p == ' ' || *p == ',' || *p == 'L')) ++p;
    if (p == end) return shape;
    int64_t dim = 0;
    const auto result = std::from_chars(p, end, dim);
    if (result.ec != std::errc() || dim < 0) fail(label, "a dimension is not a whole number");
    if (shape.rank() == kMaxRank)
      fail(label, "more than " + std::to_string(kMaxRank) + " dimensions");
    shape.push_back(dim);
    p = result.ptr;
  }
}

/// Bytes that the elements take, or -1 where that overflows.
int64_t element_bytes(const NpyHeader& header) {
  int64_t bytes = static_cast<int64_t>(size_of(header.dtype));
  for (int64_t dim : header.shape.dims())
    if (__builtin_mul_overflow(bytes, dim, &bytes)) return -1;
  return bytes;
}

}  // namespace

bool is_npy(std::span<const std::byte> head) {
  return head.size() >= kMagicLength && std::memcmp(head.data(), kMagic, kMagicLength) == 0;
}

NpyHeader read_npy_header(const std::function<void(int64_t, std::span<std::byte>)>& read_at,
                          int64_t size, const std::string& label) {
  std::byte start[12];
  if (size < 10) fail(label, "ends after " + std::to_string(size) + " bytes");
  read_at(0, std::span(start, 10));
  if (!is_npy(start)) fail(label, "no magic \\x93NUMPY");
  const int version = static_cast<int>(start[6]);
  if (version < 1 || version > 3) fail(label, "version " + std::to_string(version) + ", known 1-3");
  const int64_t prefix = version == 1 ? 10 : 12;
  if (size < prefix) fail(label, "ends after " + std::to_string(size) + " bytes");
  read_at(0, std::span(start, static_cast<size_t>(prefix)));
  const int64_t length = version == 1 ? little_endian<uint16_t>(start + 8)
                                      : int64_t{little_endian<uint32_t>(start + 8)};
  if (length > size - prefix || length > (1 << 20))
    fail(label, "says " + std::to_string(length) + " bytes, the file holds " +
                    std::to_string(size - prefix));
  std::string text(static_cast<size_t>(length), '\0');
  read_at(prefix, std::as_writable_bytes(std::span(text)));

  NpyHeader header;
  header.data_offset = prefix + length;
  header.dtype = parse_dtype(value_of(text, "descr", label), label);
  header.shape = parse_shape(value_of(text, "shape", label), label);
  if (!value_of(text, "fortran_order", label).starts_with("False") && header.shape.rank() > 1)
    fail(label, "Fortran order, expected C order");
  const int64_t bytes = element_bytes(header);
  if (bytes != size - header.data_offset)
    fail(label, "shape " + to_string(header.shape) + " of " + std::string(name_of(header.dtype)) +
                    " does not make the " + std::to_string(size - header.data_offset) +
                    " bytes that follow");
  return header;
}

std::string make_npy_header(DType dtype, const Shape& shape) {
  std::string code;
  for (const TypeCode& known : kTypeCodes)
    if (known.dtype == dtype) code = known.code;
  if (code.empty()) throw Error(ErrorKind::kOutput, "NumPy has no bfloat16");
  std::string text = "{'descr': '" + code + "', 'fortran_order': False, 'shape': (";
  for (int i = 0; i < shape.rank(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  text += shape.rank() == 1 ? ",), }" : "), }";
  while ((kMagicLength + 4 + text.size() + 1) % 64 != 0) text += ' ';
  text += '\n';
  std::string header(kMagic, kMagicLength);
  header +=
      {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return header + text;
}

Tensor read_npy(const std::string& path) {
  const NpyFile file = open_npy(path);
  Tensor tensor(file.dtype(), file.shape());
  file.read(0, {tensor.data(), tensor.bytes()});
  return tensor;
}

void write_npy(const std::string& path, const TensorView& tensor) {
  const std::string header = make_npy_header(tensor.dtype, tensor.shape);
  const std::span<const std::byte> chunks[] = {
      std::as_bytes(std::span(header)),
      {static_cast<const std::byte*>(tensor.data), tensor.bytes()}};
  write_atomically(path, chunks);
}

std::vector<int64_t> to_labels(const Tensor& tensor, const std::string& label) {
  const Shape& shape = tensor.shape();
  if (shape.rank() < 1 || shape.rank() > 2 || (shape.rank() == 2 && shape[1] != 1))
    throw Error(ErrorKind::kData, "labels have shape " + to_string(shape) + ", expected N", label);
  std::vector<int64_t> labels;
  labels.reserve(static_cast<size_t>(tensor.size()));
  visit_dtype(tensor.dtype(), [&]<class T>(std::type_identity<T>) {
    // f16 and bf16 come as uint16_t bits: told apart by the dtype.
    if (!std::is_integral_v<T> || tensor.dtype() == DType::kF16 || tensor.dtype() == DType::kBF16)
      throw Error(ErrorKind::kData,
                  "labels are " + std::string(name_of(tensor.dtype())) + ", expected integers",
                  label);
    for (T value : tensor.span<T>()) labels.push_back(static_cast<int64_t>(value));
  });
  return labels;
}

}  // namespace nibble::data
