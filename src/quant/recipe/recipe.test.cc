#include "quant/recipe/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <sstream>

#include "quant/graph/error.h"

namespace nibble::recipe {
namespace {

using testing::HasSubstr;

std::string error_of(const std::string& text) {
  try {
    parse_recipe(text, "r.yaml");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind, ErrorKind::kUsage);
    EXPECT_EQ(error.file, "r.yaml");
    EXPECT_EQ(error.message.find('\n'), std::string::npos);
    return error.message;
  }
  return "accepted";
}

TEST(Recipe, DefaultsRoundTripAndEveryKeyIsWritten) {
  const std::string yaml = to_yaml(Recipe{});
  EXPECT_EQ(parse_recipe(yaml, "x"), Recipe{});
  for (const char* key : {"version", "model", "scheme", "layers", "exclude", "granularity",
                          "weight_range", "activation_range", "methods", "calib", "samples",
                          "batch", "eval", "seed", "requantise", "exact", "opset"})
    EXPECT_THAT(yaml, HasSubstr(std::string(key) + ":"));
}

TEST(Recipe, YamlByHand) {
  const Recipe r = parse_recipe(R"(version: 1
model: nets/resnet8.onnx
scheme: W4A8
layers:
  - nodes: ^conv1$
    scheme: W8A8
exclude: [fc, "head.*"]
granularity: block
weight_range: mse
activation_range: {name: percentile, parameters: {q: 99.99}}
methods: [equalize]
calib: cifar10@preprocess=unit
samples: 100
seed: 18446744073709551615
requantise: fixed
opset: 25
)",
                                "r.yaml");
  EXPECT_EQ(r.model, "nets/resnet8.onnx");
  EXPECT_EQ(r.layers[0], (std::pair<std::string, std::string>("^conv1$", "W8A8")));
  EXPECT_THAT(r.exclude, testing::ElementsAre("fc", "head.*"));
  EXPECT_EQ(r.granularity, numeric::Granularity::kBlock);
  EXPECT_EQ(r.weight_range, (MethodCall{"mse", {}}));
  EXPECT_EQ(r.activation_range, (MethodCall{"percentile", {{"q", 99.99}}}));
  EXPECT_EQ(r.methods[0].name, "equalize");
  EXPECT_EQ(r.samples, 100);
  EXPECT_EQ(r.batch, Recipe{}.batch);
  EXPECT_EQ(r.seed, UINT64_MAX);
  EXPECT_EQ(r.requantise, numeric::RequantiseVariant::kFixed);
  EXPECT_EQ(r.max_opset, 25);
}

TEST(Recipe, JsonIsYaml) {
  const Recipe r = parse_recipe(
      "{\"version\": 1, \"scheme\": \"W2A2\", \"exclude\": [\"a\\\\.b\"], \"granularity\": null}",
      "r.json");
  EXPECT_EQ(r.scheme, "W2A2");
  EXPECT_EQ(r.exclude[0], "a\\.b");
}

TEST(Recipe, FaultsNameLineAndKey) {
  const std::string v = "version: 1\n";
  EXPECT_THAT(error_of(v + "model: m\nshceme: W8A8\n"),
              HasSubstr("line 3: unknown key 'shceme', expected one of version, model, scheme"));
  EXPECT_THAT(error_of("version: 2\n"), HasSubstr("line 1: key 'version': found '2', expected 1"));
  EXPECT_THAT(error_of("model: m\n"), HasSubstr("key 'version' is missing"));
  EXPECT_THAT(error_of(v + "samples: 0\n"), HasSubstr("line 2: key 'samples': found '0'"));
  EXPECT_THAT(error_of(v + "samples: many\n"), HasSubstr("found 'many'"));
  EXPECT_THAT(error_of(v + "samples: 1.5\n"), HasSubstr("found '1.5'"));
  EXPECT_THAT(error_of(v + "samples: [1]\n"), HasSubstr("found a list"));
  EXPECT_THAT(error_of(v + "seed: -1\n"), HasSubstr("key 'seed': found '-1'"));
  EXPECT_THAT(error_of(v + "seed: 18446744073709551616\n"), HasSubstr("key 'seed'"));
  EXPECT_THAT(error_of(v + "scheme: W9A8\n"), HasSubstr("line 2: key 'scheme'"));
  EXPECT_THAT(error_of(v + "scheme: {}\n"), HasSubstr("found a map, expected a text"));
  EXPECT_THAT(error_of(v + "layers:\n  - nodes: a\n    scheme: W4A8\n  - nodes: b\n"),
              HasSubstr("line 5: key 'layers[1]': found a map, expected both nodes and scheme"));
  EXPECT_THAT(
      error_of(v + "layers:\n  - node: a\n"),
      HasSubstr("line 3: unknown key 'node' in 'layers[0]', expected one of nodes, scheme"));
  EXPECT_THAT(error_of(v + "exclude: ['(']\n"),
              HasSubstr("key 'exclude[0]': found '(', expected a regular expression"));
  EXPECT_THAT(error_of(v + "exclude: fc\n"), HasSubstr("found 'fc', expected a list"));
  EXPECT_THAT(error_of(v + "granularity: row\n"), HasSubstr("tensor, channel, group, block"));
  EXPECT_THAT(error_of(v + "weight_range: {name: mse, parameters: {q: x}}\n"),
              HasSubstr("key 'weight_range.parameters.q': found 'x', expected a number"));
  EXPECT_THAT(error_of(v + "weight_range: {parameters: {}}\n"), HasSubstr("expected a method"));
  EXPECT_THAT(error_of(v + "requantise: double\n"), HasSubstr("float or fixed"));
  EXPECT_THAT(error_of(v + "opset: 14\n"), HasSubstr("13, 21 or 25"));
  EXPECT_THAT(error_of(v + "seed: 1\nseed: 2\n"), HasSubstr("line 3: key 'seed' is given twice"));
  EXPECT_THAT(error_of(v + "model: [\n"), HasSubstr("not YAML"));
  EXPECT_THAT(error_of("- 1\n"), HasSubstr("found a list, expected a map"));
  EXPECT_THAT(error_of(""), HasSubstr("expected a map"));
}

TEST(Recipe, MissingFileIsOneLine) {
  EXPECT_THROW(load_recipe("/nonexistent/recipe.yaml"), Error);
  EXPECT_THROW(load_recipe("/tmp"), Error);
}

RC_GTEST_PROP(Recipe, RoundTrips, ()) {
  Recipe r;
  // ASCII with quotes, backslashes, colons and control characters.
  const auto text = [] { return *rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127)); };
  r.model = text();
  r.scheme = *rc::gen::element<std::string>("W8A8", "WTA8", "W4A16G128", "W4A8_ASYM");
  r.exclude = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("a\\.b", "^\"x\"$", "#", "null", "~", "'", "", "é"));
  if (*rc::gen::arbitrary<bool>()) r.layers.emplace_back("a: b", "W2A2");
  r.granularity = *rc::gen::element<std::optional<numeric::Granularity>>(
      std::nullopt, numeric::Granularity::kTensor, numeric::Granularity::kGroup);
  if (*rc::gen::arbitrary<bool>()) {
    MethodCall call{text(), {}};
    if (call.name.empty()) call.name = "x";
    for (double v : *rc::gen::arbitrary<std::vector<double>>())
      call.parameters["p" + std::to_string(call.parameters.size())] = v;
    r.activation_range = call;
    r.methods = {call, call};
  }
  r.calib = text();
  r.eval = text();
  r.samples = *rc::gen::inRange<int64_t>(1, 1000000);
  r.seed = *rc::gen::arbitrary<uint64_t>();
  r.requantise =
      *rc::gen::element(numeric::RequantiseVariant::kFloat, numeric::RequantiseVariant::kFixed);
  r.max_opset = *rc::gen::element(13, 21, 25);
  RC_ASSERT(parse_recipe(to_yaml(r), "r.yaml") == r);
}

TEST(Recipe, PublishedSchemaIsInStep) {
  std::ifstream in(NIBBLE_SOURCE_DIR "/docs/recipe.schema.json");
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), recipe_schema()) << "docs/recipe.schema.json must be recipe_schema()";
}

}  // namespace
}  // namespace nibble::recipe
