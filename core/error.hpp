/// Errors of triscale. Three kinds exist:
///   InputError      the user's input breaks a rule: file, place, value, rule and hint, all problems at once;
///   NumericalError  a computation stopped being meaningful: where and when;
///   assert          our own bugs.
/// The library neither prints nor exits; the program decides what to do with an error.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace triscale::core {

/// One thing that is wrong (or, in a list of warnings, noteworthy) about an input.
struct Problem {
  std::string file;   ///< file that holds the value; empty if the value came from code or the command line
  std::string place;  ///< where in the file, e.g. "populations.E.size", "row 17, column delay"
  std::string value;  ///< the offending value as text
  std::string rule;   ///< the rule it breaks, as a full clause: "must be > 0"
  std::string hint;   ///< what to do about it
};

/// "file: place: value 'v' must be > 0 (hint: ...)" with the empty parts left out.
std::string to_string(const Problem& problem);

/// Thrown once for all problems of an input.
class InputError : public std::runtime_error {
 public:
  explicit InputError(std::vector<Problem> problems);
  explicit InputError(Problem problem) : InputError(std::vector<Problem>{std::move(problem)}) {}
  const std::vector<Problem>& problems() const { return problems_; }

 private:
  std::vector<Problem> problems_;
};

/// A state stopped being finite, an iteration did not converge. The message names tier, population, cell, variable,
/// time.
class NumericalError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The user asked to stop (Ctrl-C or a termination signal).
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

/// Collects problems and warnings while an input is read, so that all are reported together. Notes say how something
/// that the input leaves open was understood; `triscale check` prints them.
class Diagnostics {
 public:
  void error(Problem problem) { errors_.push_back(std::move(problem)); }
  void warning(Problem problem) { warnings_.push_back(std::move(problem)); }
  void note(Problem problem) { notes_.push_back(std::move(problem)); }
  const std::vector<Problem>& errors() const { return errors_; }
  const std::vector<Problem>& warnings() const { return warnings_; }
  const std::vector<Problem>& notes() const { return notes_; }
  bool ok() const { return errors_.empty(); }
  /// Throws InputError if there is any error.
  void throw_if_errors() const;

 private:
  std::vector<Problem> errors_;
  std::vector<Problem> warnings_;
  std::vector<Problem> notes_;
};

}  // namespace triscale::core
