#include "quant/importer/tensor_reader.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "quant/graph/error.h"
#include "quant/importer/float_bits.h"

namespace nibble::importer {
namespace {

using onnx::ElementType;

class Reader {
 public:
  Reader(const onnx::TensorProto& proto, const std::string& file, ExternalData& external)
      : proto_(proto), file_(file), external_(external) {}

  StoredTensor read() {
    check_type();
    check_shape();
    if (proto_.data_location() == onnx::TensorProto::EXTERNAL)
      return from_bytes(external_.find(proto_, stored_bytes()));
    if (proto_.has_raw_data()) {
      const std::string& raw = proto_.raw_data();
      check_count(raw.size(), stored_bytes(), "bytes");
      return from_bytes({reinterpret_cast<const std::byte*>(raw.data()), raw.size()});
    }
    return from_fields();
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kModel, "tensor '" + proto_.name() + "': " + what, file_);
  }

  void check_type() {
    info_ = onnx::info_of(proto_.data_type());
    if (!info_) fail("unknown element type " + std::to_string(proto_.data_type()));
    if (!info_->dtype) fail("element type " + std::string(info_->name) + " is not supported");
    if (proto_.has_segment()) fail("segmented tensors are not supported");
  }

  void check_shape() {
    if (proto_.dims_size() > kMaxRank)
      fail("rank " + std::to_string(proto_.dims_size()) + ", at most " + std::to_string(kMaxRank) +
           " is supported");
    // A byte holds at most four elements of a file and becomes at most four times its size in
    // memory, so this bound also keeps every later product far from overflow.
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 64;
    count_ = 1;
    bool empty = false;
    for (const int64_t dim : proto_.dims()) {
      if (dim < 0) fail("dimension " + std::to_string(dim) + " is negative");
      shape_.push_back(dim);
      empty |= dim == 0;
      if (dim != 0 && count_ > kMost / dim) fail("its shape has too many elements");
      if (dim != 0) count_ *= dim;
    }
    if (empty) count_ = 0;
  }

  size_t stored_bytes() const {
    return (static_cast<size_t>(count_) * static_cast<size_t>(info_->bits) + 7) / 8;
  }

  void check_count(size_t found, size_t expected, const char* unit) const {
    if (found != expected)
      fail("holds " + std::to_string(found) + " " + unit + ", shape " + to_string(shape_) + " of " +
           std::string(info_->name) + " needs " + std::to_string(expected));
  }

  Tensor allocate() const { return Tensor(*info_->dtype, shape_); }

  StoredTensor from_bytes(std::span<const std::byte> bytes) const {
    Tensor tensor = allocate();
    switch (info_->type) {
      case ElementType::kFloat16:
        convert<uint16_t>(bytes, tensor, half_to_float);
        break;
      case ElementType::kBfloat16:
        convert<uint16_t>(bytes, tensor, bfloat16_to_float);
        break;
      case ElementType::kDouble:
        convert<double>(bytes, tensor, [this](double x) { return narrow(x); });
        break;
      case ElementType::kInt4:
      case ElementType::kUint4:
      case ElementType::kInt2:
      case ElementType::kUint2:
        unpack(bytes, tensor);
        break;
      default:
        if (!bytes.empty()) std::memcpy(tensor.data(), bytes.data(), bytes.size());
    }
    return finish(std::move(tensor));
  }

  /// Elements in the typed field that ONNX assigns to the element type.
  StoredTensor from_fields() const {
    Tensor tensor = allocate();
    const bool packed = info_->bits < 8;
    switch (info_->type) {
      case ElementType::kFloat:
        copy<float>(proto_.float_data(), tensor);
        break;
      case ElementType::kDouble:
        check_count(static_cast<size_t>(proto_.double_data_size()), static_cast<size_t>(count_),
                    "elements");
        for (int64_t i = 0; i < count_; ++i)
          tensor.span<float>()[static_cast<size_t>(i)] =
              narrow(proto_.double_data(static_cast<int>(i)));
        break;
      case ElementType::kInt64:
        copy<int64_t>(proto_.int64_data(), tensor);
        break;
      case ElementType::kUint64:
        copy<uint64_t>(proto_.uint64_data(), tensor);
        break;
      case ElementType::kUint32:
        copy<uint32_t>(proto_.uint64_data(), tensor);
        break;
      case ElementType::kInt32:
        copy<int32_t>(proto_.int32_data(), tensor);
        break;
      case ElementType::kInt16:
        copy<int16_t>(proto_.int32_data(), tensor);
        break;
      case ElementType::kUint16:
        copy<uint16_t>(proto_.int32_data(), tensor);
        break;
      case ElementType::kInt8:
        copy<int8_t>(proto_.int32_data(), tensor);
        break;
      case ElementType::kUint8:
      case ElementType::kBool:
        copy<uint8_t>(proto_.int32_data(), tensor);
        break;
      default: {  // 16-bit floats as their bits, sub-byte integers as packed bytes
        const auto& data = proto_.int32_data();
        const size_t expected = packed ? stored_bytes() : static_cast<size_t>(count_);
        check_count(static_cast<size_t>(data.size()), expected, "elements");
        std::string bytes;
        for (const int32_t word : data) {
          const int32_t most = packed ? 0xff : 0xffff;
          // Some writers sign-extend packed bytes.
          if (word > most || word < -(most / 2 + 1))
            fail("element " + std::to_string(word) + " is out of range");
          bytes.push_back(static_cast<char>(word & 0xff));
          if (!packed) bytes.push_back(static_cast<char>(word >> 8 & 0xff));
        }
        return from_bytes({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()});
      }
    }
    return finish(std::move(tensor));
  }

  template <class T, class Field>
  void copy(const Field& field, Tensor& tensor) const {
    check_count(static_cast<size_t>(field.size()), static_cast<size_t>(count_), "elements");
    T* out = reinterpret_cast<T*>(tensor.data());
    for (const auto element : field) {
      const T value = static_cast<T>(element);
      if constexpr (!std::is_floating_point_v<T>)
        if (static_cast<std::decay_t<decltype(element)>>(value) != element)
          fail("element " + std::to_string(element) + " is out of range of " +
               std::string(info_->name));
      *out++ = value;
    }
  }

  template <class T, class F>
  void convert(std::span<const std::byte> bytes, Tensor& tensor, F to_float) const {
    for (float* out = reinterpret_cast<float*>(tensor.data()); !bytes.empty();
         bytes = bytes.subspan(sizeof(T))) {
      T element;
      std::memcpy(&element, bytes.data(), sizeof(T));
      *out++ = to_float(element);
    }
  }

  float narrow(double x) const {
    const float y = static_cast<float>(x);
    if (std::isfinite(x) && !std::isfinite(y))
      fail("element " + std::to_string(x) + " does not fit binary32, in which nibble computes");
    return y;
  }

  void unpack(std::span<const std::byte> bytes, Tensor& tensor) const {
    const int bits = info_->bits, each = 8 / bits, high = 1 << bits;
    const bool negative = onnx::is_signed(info_->type);
    auto* out = reinterpret_cast<int8_t*>(tensor.data());
    for (int64_t i = 0; i < count_; ++i) {
      const int byte = std::to_integer<int>(bytes[static_cast<size_t>(i / each)]);
      const int code = byte >> (i % each * bits) & (high - 1);
      out[i] = static_cast<int8_t>(negative && code >= high / 2 ? code - high : code);
    }
  }

  StoredTensor finish(Tensor tensor) const {
    // Any non-zero byte is true; in memory it is exactly 1.
    if (info_->type == ElementType::kBool)
      for (int64_t i = 0; i < count_; ++i)
        tensor.data()[i] = tensor.data()[i] == std::byte{0} ? std::byte{0} : std::byte{1};
    return {std::move(tensor), info_->type};
  }

  const onnx::TensorProto& proto_;
  const std::string& file_;
  ExternalData& external_;
  const onnx::ElementInfo* info_ = nullptr;
  Shape shape_;
  int64_t count_ = 0;
};

}  // namespace

StoredTensor read_tensor(const onnx::TensorProto& proto, const std::string& file,
                         ExternalData& external) {
  return Reader(proto, file, external).read();
}

}  // namespace nibble::importer
