#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "nibble_onnx/onnx.pb.h"
#include "quant/graph/error.h"
#include "quant/importer/importer.h"
#include "quant/onnx/element_type.h"

namespace nibble::importer::testing {

/// A folder for the files of one test, removed with everything in it.
class Folder {
 public:
  Folder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "nibble_import_XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;

  std::string write(const std::string& name, const std::string& bytes) const {
    const auto file = path / name;
    std::ofstream(file, std::ios::binary) << bytes;
    return file.string();
  }

  std::filesystem::path path;
};

inline graph::Graph import_string(const std::string& bytes, bool fold_qdq = true) {
  return import_onnx_bytes(std::as_bytes(std::span(bytes)), "m.onnx", fold_qdq);
}

/// Small ONNX models, written out field by field.
class ModelBuilder {
 public:
  explicit ModelBuilder(int opset = 13) {
    model.set_ir_version(7);
    model.add_opset_import()->set_version(opset);
  }

  onnx::ModelProto model;
  onnx::GraphProto& graph() { return *model.mutable_graph(); }

  /// dims: -1 becomes a symbolic dimension.
  ModelBuilder& input(const std::string& name, const std::vector<int64_t>& dims,
                      onnx::ElementType type = onnx::ElementType::kFloat) {
    describe(*graph().add_input(), name, dims, type);
    return *this;
  }
  ModelBuilder& output(const std::string& name) {
    graph().add_output()->set_name(name);
    return *this;
  }
  /// Raw bytes as they stand in the file.
  onnx::TensorProto& raw(const std::string& name, const std::vector<int64_t>& dims,
                         onnx::ElementType type, const std::string& bytes) {
    onnx::TensorProto& tensor = *graph().add_initializer();
    fill(tensor, name, dims, type);
    tensor.set_raw_data(bytes);
    return tensor;
  }
  template <class T>
  onnx::TensorProto& constant(const std::string& name, const std::vector<int64_t>& dims,
                              onnx::ElementType type, const std::vector<T>& values) {
    return raw(
        name, dims, type,
        std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
  }
  onnx::TensorProto& floats(const std::string& name, const std::vector<int64_t>& dims,
                            const std::vector<float>& values) {
    return constant(name, dims, onnx::ElementType::kFloat, values);
  }
  onnx::TensorProto& ints(const std::string& name, const std::vector<int64_t>& values) {
    return constant(name, {static_cast<int64_t>(values.size())}, onnx::ElementType::kInt64, values);
  }
  onnx::NodeProto& node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs, const std::string& name = {}) {
    onnx::NodeProto& node = *graph().add_node();
    node.set_op_type(op);
    if (!name.empty()) node.set_name(name);
    for (const auto& i : inputs) node.add_input(i);
    for (const auto& o : outputs) node.add_output(o);
    return node;
  }

  graph::Graph import(bool fold_qdq = true) const {
    return import_string(model.SerializeAsString(), fold_qdq);
  }
  /// The message of the error that importing gives, without the file; "" when there is none.
  std::string error() const {
    return message([&] { import(); });
  }
  static std::string error_of(const std::string& file) {
    return message([&] { import_onnx(file); }, file);
  }

  static void fill(onnx::TensorProto& tensor, const std::string& name,
                   const std::vector<int64_t>& dims, onnx::ElementType type) {
    tensor.set_name(name);
    tensor.set_data_type(static_cast<int32_t>(type));
    for (const int64_t dim : dims) tensor.add_dims(dim);
  }
  static onnx::AttributeProto& attribute(onnx::NodeProto& node, const std::string& key,
                                         onnx::AttributeProto::AttributeType type) {
    onnx::AttributeProto& a = *node.add_attribute();
    a.set_name(key);
    a.set_type(type);
    return a;
  }
  static void set(onnx::NodeProto& node, const std::string& key, int64_t value) {
    attribute(node, key, onnx::AttributeProto::INT).set_i(value);
  }
  static void set(onnx::NodeProto& node, const std::string& key, float value) {
    attribute(node, key, onnx::AttributeProto::FLOAT).set_f(value);
  }
  static void set_list(onnx::NodeProto& node, const std::string& key,
                       const std::vector<int64_t>& list) {
    auto& a = attribute(node, key, onnx::AttributeProto::INTS);
    for (const int64_t value : list) a.add_ints(value);
  }

 private:
  template <class F>
  static std::string message(F&& run, const std::string& file = "m.onnx") {
    try {
      run();
    } catch (const Error& error) {
      if (error.kind != ErrorKind::kModel)
        return "kind " + std::to_string(static_cast<int>(error.kind));
      const std::string text = error.what();
      if (text.rfind(file + ": ", 0) != 0) return "does not start with the file: " + text;
      return text.substr(file.size() + 2);
    }
    return "";
  }

  static void describe(onnx::ValueInfoProto& info, const std::string& name,
                       const std::vector<int64_t>& dims, onnx::ElementType type) {
    info.set_name(name);
    auto& tensor = *info.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(static_cast<int32_t>(type));
    tensor.mutable_shape();
    for (const int64_t dim : dims) {
      auto& d = *tensor.mutable_shape()->add_dim();
      if (dim < 0)
        d.set_dim_param("batch");
      else
        d.set_dim_value(dim);
    }
  }
};

}  // namespace nibble::importer::testing
