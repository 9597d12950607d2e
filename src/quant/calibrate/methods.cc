#include "quant/calibrate/estimator.h"
#include "quant/graph/error.h"

namespace nibble::calibrate {

namespace method {
#define NIBBLE_METHOD(record, kind, summary, source) extern const RangeMethod record;
#include "quant/calibrate/methods.inc"
#undef NIBBLE_METHOD
}  // namespace method

namespace {

RangeMethod described(RangeMethod record, std::string_view name, std::string_view summary,
                      std::string_view source) {
  record.name = name;
  record.summary = summary;
  record.source = source;
  return record;
}

std::string number(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string parameters_of(const RangeMethod& method) {
  if (method.parameters.empty()) return "it takes no parameters";
  std::string text = "its parameters are";
  for (const Parameter& p : method.parameters)
    text += (&p == &method.parameters.front() ? " " : ", ") + std::string(p.name) + " (" +
            number(p.least) + " to " + number(p.most) + ", default " + number(p.otherwise) + ")";
  return text;
}

}  // namespace

std::span<const RangeMethod* const> range_methods() {
#define NIBBLE_METHOD(record, kind, summary, source) \
  static const RangeMethod record = described(method::record, #record, summary, source);
#include "quant/calibrate/methods.inc"
#undef NIBBLE_METHOD
  static constexpr const RangeMethod* kMethods[] = {
#define NIBBLE_METHOD(record, kind, summary, source) &record,
#include "quant/calibrate/methods.inc"
#undef NIBBLE_METHOD
  };
  return kMethods;
}

const RangeMethod& range_method(std::string_view name) {
  std::string valid;
  for (const RangeMethod* method : range_methods()) {
    if (method->name == name) return *method;
    valid += (valid.empty() ? "" : ", ") + std::string(method->name);
  }
  throw Error(ErrorKind::kUsage,
              "no range method '" + std::string(name) + "', expected one of: " + valid);
}

Parameters complete(const RangeMethod& method, const Parameters& given) {
  Parameters all;
  for (const Parameter& p : method.parameters) all[std::string(p.name)] = p.otherwise;
  for (const auto& [name, value] : given) {
    const Parameter* known = nullptr;
    for (const Parameter& p : method.parameters)
      if (p.name == name) known = &p;
    const std::string where = "range method '" + std::string(method.name) + "': ";
    if (!known)
      throw Error(ErrorKind::kUsage,
                  where + "no parameter '" + name + "', " + parameters_of(method));
    if (!(value >= known->least && value <= known->most))
      throw Error(ErrorKind::kUsage, where + name + " = " + number(value) + " is out of range, " +
                                         parameters_of(method));
    all[name] = value;
  }
  return all;
}

std::unique_ptr<Estimator> make_estimator(std::string_view name, const Parameters& parameters) {
  const RangeMethod& method = range_method(name);
  return method.make(complete(method, parameters));
}

}  // namespace nibble::calibrate
