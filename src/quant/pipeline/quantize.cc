#include "quant/pipeline/quantize.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "deploy/model/nbl.h"
#include "quant/data/dataset.h"
#include "quant/exporter/exporter.h"
#include "quant/graph/error.h"
#include "quant/importer/importer.h"
#include "quant/pack/pack.h"
#include "quant/pipeline/benchmark.h"
#include "quant/pipeline/calibration.h"
#include "quant/pipeline/evaluate.h"
#include "quant/pipeline/metrics.h"
#include "quant/pipeline/network.h"
#include "quant/pipeline/output_files.h"
#include "quant/pipeline/place_quantizers.h"
#include "quant/pipeline/verify_export.h"
#include "quant/transform/transform.h"

namespace nibble::pipeline {
namespace {

constexpr int64_t kSqnrSamples = 256;
constexpr int64_t kVerifiedSamples = 8;

size_t peak_resident_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<size_t>(usage.ru_maxrss) * 1024;
}

graph::Graph load_float_graph(const recipe::Recipe& recipe) {
  graph::Graph graph = importer::import_onnx(recipe.model);
  if (graph.phase != graph::Phase::kFloat)
    throw Error(
        ErrorKind::kModel,
        "is quantised already (it holds QuantizeLinear nodes); quantize takes a float model",
        recipe.model);
  apply_default_transforms(graph);
  for (const recipe::MethodCall& call : recipe.methods) {
    if (!call.parameters.empty())
      throw Error(ErrorKind::kUsage, "transform '" + call.name + "' takes no parameters, found '" +
                                         call.parameters.begin()->first + "'");
    transform::transform_by_name(call.name).apply(graph);
    graph::verify(graph, graph.phase);
  }
  return graph;
}

/// What verification runs on: the first calibration samples, or seeded random inputs where there
/// are none.
std::vector<Sample> verification_inputs(const model::Model& model, data::Dataset* calibration,
                                        int64_t limit, uint64_t seed) {
  std::vector<Sample> samples;
  if (!calibration) {
    samples.emplace_back().inputs = random_inputs(model, 1, seed);
    return samples;
  }
  const int64_t fixed = model.inputs.empty() || model.tensors[model.inputs[0]].shape.rank() == 0
                            ? kUnknownDim
                            : model.tensors[model.inputs[0]].shape[0];
  const int64_t batch = fixed == kUnknownDim ? 1 : fixed;
  const int64_t count = std::min({kVerifiedSamples, limit, calibration->size()});
  for (int64_t first = 0; first + batch <= std::max(count, batch); first += batch) {
    if (first + batch > calibration->size()) break;
    samples.emplace_back().inputs = calibration->read(first, batch).inputs;
  }
  if (samples.empty()) samples.emplace_back().inputs = random_inputs(model, 1, seed);
  return samples;
}

bool has_row_quantisers(const graph::Graph& annotated) {
  return std::any_of(annotated.nodes.begin(), annotated.nodes.end(), [](const graph::Node& node) {
    return node.attributes.has(graph::Attr::dynamic);
  });
}

/// What the exported file computes: ONNX has no quantiser of rows, reals enter weight-only
/// products.
std::shared_ptr<const model::Model> as_exported(const graph::Graph& annotated) {
  graph::Graph exact = annotated.clone();
  for (graph::Node& node : exact.nodes) node.attributes.erase(graph::Attr::dynamic);
  return pack::pack(lower::lower_to_integer(exact).graph);
}

/// SQNR of the integer model against the float one over the first calibration samples; empty where
/// the first output is not real (an ArgMax, say).
std::optional<double> measure_sqnr(const Network& quantized, const Network& original,
                                   data::Dataset& calibration, int64_t limit,
                                   const RunOptions& options, const Progress& progress) {
  const model::Model& model = *quantized.model;
  if (model.tensors[model.outputs[0]].dtype != DType::kF32) return std::nullopt;
  auto a = make_session(original.model, options);
  auto b = make_session(quantized.model, options);
  Sqnr sqnr;
  for_each_batch(*b, calibration, std::min(limit, kSqnrSamples), options.batch, "sqnr", progress,
                 [&](const data::Batch& batch, const std::vector<TensorView>& outputs) {
                   std::vector<TensorView> inputs;
                   for (const Tensor& t : batch.inputs) inputs.push_back(t.view());
                   throw_if_error(a->run(inputs), ErrorKind::kModel, original.path);
                   sqnr.add(a->output(0).span<const float>(), outputs[0].span<const float>());
                 });
  return sqnr.db();
}

/// Accuracy may fall by `max_drop`; perplexity may grow by that share.
void require_drop(const QuantizeResult& r, double max_drop, const std::string& model) {
  if (!r.metric_float || !r.metric_quantized)
    throw Error(ErrorKind::kUsage, "--max-drop needs --eval data with labels", model);
  const double drop = r.metric == "perplexity" ? *r.metric_quantized / *r.metric_float - 1
                                               : *r.metric_float - *r.metric_quantized;
  if (drop <= max_drop) return;
  char text[128];
  std::snprintf(text, sizeof text,
                "%s goes from %.4f to %.4f, a drop of %.4f; at most %.4f is allowed",
                r.metric.c_str(), *r.metric_float, *r.metric_quantized, drop, max_drop);
  throw Error(ErrorKind::kBudget, text, model, {},
              "more bits, --layer for the worst layers, or another range method");
}

/// What a user must hear of before shipping: a network that got slower, or whose output drowns in
/// noise.
void warn(QuantizeResult& result, const Network& original, const Network& quantized,
          const RunOptions& options) {
  constexpr double kCollapseDb = 10;  // noise a tenth of the signal's power
  char text[160];
  if (result.sqnr_db && *result.sqnr_db < kCollapseDb) {
    std::snprintf(
        text, sizeof text,
        "warning: the output's SQNR is %.1f dB; at these widths the network needs a better "
        "range method, wider layers or training",
        *result.sqnr_db);
    result.notes.push_back(text);
  }
  const RunOptions one{.threads = options.threads, .isa = options.isa, .batch = 1};
  const double before = benchmark(original, one, 0.05, 0).median_us;
  const double after = benchmark(quantized, one, 0.05, 0).median_us;
  if (after <= before) return;
  std::snprintf(
      text, sizeof text,
      "warning: %.0f us a sample, slower than float (%.0f us); nibble bench shows the layers",
      after, before);
  result.notes.push_back(text);
}

/// Runs a check of a file that has only its temporary name yet: a fault names `target`, and is one
/// of verification whatever it was that failed.
template <class Check>
void as_verification(const std::string& target, Check check) {
  try {
    check();
  } catch (const Error& e) {
    throw Error(ErrorKind::kVerification, e.message, target, e.node, e.fix);
  }
}

std::string beside(const std::string& output, const char* extension) {
  return std::filesystem::path(output).replace_extension(extension).string();
}

}  // namespace

QuantizeResult quantize(const recipe::Recipe& recipe, const std::string& output,
                        const QuantizeOptions& what, const RunOptions& options,
                        const Progress& progress) {
  const auto start = std::chrono::steady_clock::now();
  QuantizeResult result;
  const graph::Graph float_graph = load_float_graph(recipe);
  Network original;
  original.path = recipe.model;
  original.model = runnable(float_graph);
  result.bytes_float = std::filesystem::file_size(recipe.model);

  Placement placement = place_quantizers(float_graph, recipe);
  result.notes = placement.notes;
  std::unique_ptr<data::Dataset> calibration;
  if (!recipe.calib.empty())
    calibration =
        data::open_dataset(recipe.calib, input_specs(*original.model), data::Part::kTrain);
  choose_grids(placement, float_graph, recipe, calibration.get(), options, progress);

  const graph::Graph& annotated = placement.graph;
  lower::Lowered lowered = lower::lower_to_integer(annotated);
  result.islands = std::move(lowered.islands);
  const Buffer nbl = pack::pack_nbl(lowered.graph);
  result.bytes_quantized = nbl.size();
  result.bytes_limit = pack::size_rule(lowered.graph).limit_bytes;
  exporter::OnnxExport onnx = exporter::export_onnx(annotated, recipe.max_opset);
  result.notes.insert(result.notes.end(), onnx.notes.begin(), onnx.notes.end());

  Network quantized;
  quantized.path = output;
  quantized.model = pack::pack(lowered.graph);
  std::vector<Sample> samples =
      verification_inputs(*quantized.model, calibration.get(), recipe.samples, recipe.seed);
  std::vector<std::vector<Tensor>> integers = run_samples(quantized.model, samples, options);
  for (size_t s = 0; s < samples.size(); ++s) samples[s].outputs = std::move(integers[s]);
  const double quantization_db = sqnr_of(samples, run_samples(original.model, samples, options));

  result.sqnr_db = calibration ? measure_sqnr(quantized, original, *calibration, recipe.samples,
                                              options, progress)
                               : quantization_db;
  if (!recipe.eval.empty()) {
    auto dataset = data::open_dataset(recipe.eval, input_specs(*original.model), data::Part::kTest);
    const Evaluation before = evaluate(original, *dataset, nullptr, {}, options, progress);
    const Evaluation after = evaluate(quantized, *dataset, nullptr, {}, options, progress);
    result.metric = after.metric;
    result.metric_float = before.value;
    result.metric_quantized = after.value;
  }
  warn(result, original, quantized, options);
  if (what.max_drop) require_drop(result, *what.max_drop, recipe.model);

  if (!what.dry_run) {
    OutputFiles files;
    const std::string onnx_path = files.add(output, onnx.bytes);
    const std::string nbl_path =
        files.add(beside(output, ".nbl"), std::span(nbl.data(), nbl.size()));
    files.add(beside(output, ".recipe.yaml"), recipe::to_yaml(recipe));
    as_verification(beside(output, ".nbl"), [&] { verify_nbl(nbl_path, samples, options); });
    as_verification(output, [&] {
      double db = quantization_db;
      if (has_row_quantisers(annotated)) {
        auto exported = run_samples(as_exported(annotated), samples, options);
        for (size_t s = 0; s < samples.size(); ++s) samples[s].outputs = std::move(exported[s]);
        db = sqnr_of(samples, run_samples(original.model, samples, options));
      }
      verify_onnx(onnx_path, samples, db, options);
      result.verified_in_onnxruntime = verify_in_onnxruntime(onnx_path, samples, db);
    });
    files.commit();
    result.outputs = {output, beside(output, ".nbl"), beside(output, ".recipe.yaml")};
  }

  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.peak_bytes = peak_resident_bytes();
  return result;
}

}  // namespace nibble::pipeline
