#include "apps/cli/method_option.h"

#include <sstream>

#include "quant/calibrate/estimator.h"
#include "quant/graph/error.h"
#include "quant/transform/transform.h"

namespace nibble::cli {
namespace {

recipe::MethodCall parse(const std::string& text) {
  recipe::MethodCall call;
  const size_t colon = text.find(':');
  call.name = text.substr(0, colon);
  if (colon == std::string::npos) return call;
  std::istringstream list(text.substr(colon + 1));
  for (std::string item; std::getline(list, item, ',');) {
    const size_t at = item.find('=');
    try {
      if (at == std::string::npos) throw std::invalid_argument(item);
      size_t used = 0;
      const double value = std::stod(item.substr(at + 1), &used);
      if (used != item.size() - at - 1) throw std::invalid_argument(item);
      call.parameters[item.substr(0, at)] = value;
    } catch (const std::exception&) {
      throw Error(ErrorKind::kUsage, "--method '" + text + "': '" + item + "' is not key=number");
    }
  }
  return call;
}

}  // namespace

void apply_method_option(const std::string& text, recipe::Recipe& recipe) {
  const recipe::MethodCall call = parse(text);
  std::string known;
  for (const calibrate::RangeMethod* method : calibrate::range_methods()) {
    if (method->name == call.name) {
      calibrate::make_estimator(call.name, call.parameters);  // checks the parameters now
      recipe.activation_range = call;
      return;
    }
    (known += known.empty() ? "" : ", ") += method->name;
  }
  for (const transform::Transform* transform : transform::transforms()) {
    if (transform->name == call.name) {
      if (!call.parameters.empty())
        throw Error(ErrorKind::kUsage,
                    "--method '" + text + "': transform '" + call.name + "' takes no parameters");
      recipe.methods.push_back(call);
      return;
    }
    (known += ", ") += transform->name;
  }
  throw Error(ErrorKind::kUsage, "--method '" + call.name + "' is not one of " + known);
}

}  // namespace nibble::cli
