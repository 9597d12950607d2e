#include "deploy/model/nbl.h"

#include "deploy/model/check.h"
#include "deploy/model/checksum.h"
#include "deploy/model/container.h"
#include "deploy/model/graph_section.h"
#include "deploy/model/map_file.h"

namespace nibble::model {
namespace {

// Gives the constants, in tensor order, the sections after the graph.
Status attach_constants(std::span<const Section> sections, bool verify, Model& model) {
  size_t next = 0;
  for (TensorInfo& tensor : model.tensors) {
    if (!tensor.is_constant) continue;
    const std::string name = quoted("tensor", tensor.name);
    if (next == sections.size())
      return corrupt(name + " has no section; the file holds " + std::to_string(next) +
                     " constants");
    const Section& section = sections[next++];
    if (section.bytes.size() != stored_bytes(tensor))
      return corrupt(name + " holds " + std::to_string(section.bytes.size()) + " bytes; expected " +
                     std::to_string(stored_bytes(tensor)));
    if (verify && checksum(section.bytes) != section.checksum)
      return corrupt(name + ": checksum differs, the file is damaged");
    if (verify)
      if (Status s = format::check_codes(tensor.packed, section.bytes); !s.ok())
        return corrupt(name + ": " + s.message());
    tensor.data = section.bytes;
  }
  if (next != sections.size())
    return corrupt(std::to_string(sections.size()) + " constant sections; the graph has " +
                   std::to_string(next) + " constants");
  return {};
}

Status read_model(std::span<const std::byte> bytes, bool verify, Model& model) {
  auto sections = read_container(bytes, verify);
  if (!sections.ok()) return sections.status();
  const Section& graph = sections.value().front();
  if (verify && checksum(graph.bytes) != graph.checksum)
    return corrupt("the checksum of the graph section differs, the file is damaged");
  NIBBLE_RETURN_IF_ERROR(read_graph(graph.bytes, model));
  NIBBLE_RETURN_IF_ERROR(attach_constants(std::span(sections.value()).subspan(1), verify, model));
  return check_graph(model);
}

Result<std::shared_ptr<const Model>> parse(std::span<const std::byte> bytes,
                                           std::shared_ptr<const void> memory,
                                           const std::string& name, const LoadOptions& options) {
  auto model = std::make_shared<Model>();
  model->source = name;
  model->memory = std::move(memory);
  const Status status = read_model(bytes, options.verify_checksums, *model);
  if (!status.ok()) return Status(status.code(), name + ": " + status.message());
  return std::shared_ptr<const Model>(std::move(model));
}

}  // namespace

Buffer write_nbl(const Model& model) {
  const std::vector<std::byte> graph = write_graph(model);
  std::vector<std::span<const std::byte>> sections = {graph};
  for (const TensorInfo& tensor : model.tensors)
    if (tensor.is_constant) sections.push_back(tensor.data);
  return write_container(sections);
}

Result<std::shared_ptr<const Model>> load_nbl(const std::string& path, const LoadOptions& options) {
  auto file = MappedFile::open(path);
  if (!file.ok()) return file.status();
  return parse(file.value()->bytes(), file.value(), path, options);
}

Result<std::shared_ptr<const Model>> parse_nbl(std::shared_ptr<const Buffer> bytes,
                                               const std::string& name,
                                               const LoadOptions& options) {
  return parse({bytes->data(), bytes->size()}, bytes, name, options);
}

}  // namespace nibble::model
