/// A parameter of a circuit and the values that it takes one after the other: KEY=from:to:number on the command line.
#pragma once

#include <string>
#include <vector>

namespace triscale::cli {

struct Axis {
  std::string key;  ///< as in --set
  std::vector<double> values;
};

/// "KEY=a:b:...": split at the last '=' and at every ':'; `count` numbers. Throws core::InputError naming the option.
struct KeyedNumbers {
  std::string key;
  std::vector<double> numbers;
};
KeyedNumbers keyed_numbers(const std::string& option, const std::string& text, std::size_t count, const char* form);

/// KEY=from:to:number, number >= 2, from < to.
Axis axis_of(const std::string& option, const std::string& text);

}  // namespace triscale::cli
