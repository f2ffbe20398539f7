#include "cli/axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "core/error.hpp"

namespace triscale::cli {

namespace {

[[noreturn]] void refuse(const std::string& option, const std::string& value, const std::string& rule,
                         const std::string& hint) {
  throw core::InputError({"", option, value, rule, hint});
}

double number_in(const std::string& option, const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    refuse(option, text, "must be a number", "");
  }
  return value;
}

}  // namespace

KeyedNumbers keyed_numbers(const std::string& option, const std::string& text, std::size_t count, const char* form) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) refuse(option, text, fmt::format("must have the form {}", form), "");
  KeyedNumbers result{text.substr(0, equals), {}};
  for (std::size_t begin = equals + 1; begin <= text.size();) {
    const std::size_t end = std::min(text.find(':', begin), text.size());
    result.numbers.push_back(number_in(option, text.substr(begin, end - begin)));
    begin = end + 1;
  }
  if (result.numbers.size() != count) refuse(option, text, fmt::format("must have the form {}", form), "");
  return result;
}

Axis axis_of(const std::string& option, const std::string& text) {
  const KeyedNumbers parsed = keyed_numbers(option, text, 3, "KEY=from:to:number");
  const double from = parsed.numbers[0], to = parsed.numbers[1], count = parsed.numbers[2];
  if (!(count >= 2) || count > 10000 || count != std::floor(count) || !(to > from)) {
    refuse(option, text, "must go upwards in at least 2 whole steps", "e.g. scale.recurrent=0.5:2:31");
  }
  Axis axis{parsed.key, {}};
  for (int k = 0; k < static_cast<int>(count); ++k) axis.values.push_back(from + (to - from) * k / (count - 1));
  return axis;
}

}  // namespace triscale::cli
