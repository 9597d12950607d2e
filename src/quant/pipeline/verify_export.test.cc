#include "quant/pipeline/verify_export.h"

#include <gtest/gtest.h>

#include <limits>

#include "quant/graph/error.h"

namespace nibble::pipeline {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

void accepts(double db, double quantization_db) {
  EXPECT_NO_THROW(require_sqnr(db, quantization_db, "m.onnx", "it")) << db;
}

void refuses(double db, double quantization_db) {
  try {
    require_sqnr(db, quantization_db, "m.onnx", "it");
    FAIL() << db;
  } catch (const Error& e) {
    EXPECT_EQ(e.kind, ErrorKind::kVerification);
    EXPECT_NE(std::string(e.what()).find("m.onnx"), std::string::npos) << e.what();
  }
}

TEST(RequireSqnr, ARuntimeMayDifferByLessThanQuantisationCosts) {
  accepts(40.1, 40);
  refuses(40, 40);
  refuses(-kInf, 40);
  refuses(std::numeric_limits<double>::quiet_NaN(), 40);
}

TEST(RequireSqnr, WithoutQuantisationNoiseByRoundingAlone) {
  accepts(kInf, kInf);
  accepts(120, kInf);
  refuses(60, kInf);
}

TEST(SqnrOf, OtherShapesAreAnErrorAlsoOfIntegers) {
  std::vector<Sample> samples(1);
  samples[0].outputs.push_back(Tensor(DType::kI64, {4}));
  std::vector<std::vector<Tensor>> outputs(1);
  outputs[0].push_back(Tensor(DType::kI64, {3}));
  EXPECT_THROW(sqnr_of(samples, outputs), Error);
}

}  // namespace
}  // namespace nibble::pipeline
