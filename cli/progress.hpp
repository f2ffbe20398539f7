/// Progress on stderr, and a way out for Ctrl-C: a bar with the time left and the real-time factor on a terminal, one
/// line per 10 % otherwise.
#pragma once

#include <chrono>
#include <string>

#include "core/recorder.hpp"

namespace triscale::cli {

/// Makes SIGINT and SIGTERM leave a note instead of ending the program, so that a run can end cleanly at the next
/// progress report. A second signal of the same kind ends the program at once.
void catch_signals();
/// Number of the signal that was caught; 0 if none was.
int caught_signal();
/// Throws core::Interrupted if a signal was caught.
void throw_if_interrupted();

class ConsoleProgress : public core::Progress {
 public:
  enum class Style { silent, lines, bar };
  /// bar if stderr is a terminal, else lines.
  static Style style_of_stderr(bool quiet);

  /// `label` says what is going on. `simulates`: the milliseconds are simulated time, so a real-time factor makes
  /// sense.
  ConsoleProgress(std::string label, bool simulates, Style style);
  ~ConsoleProgress() override;
  ConsoleProgress(const ConsoleProgress&) = delete;
  ConsoleProgress& operator=(const ConsoleProgress&) = delete;

  /// Throws core::Interrupted after a signal.
  void advance(double done_ms, double total_ms) override;

 private:
  std::string text(double done_ms, double total_ms) const;

  using Clock = std::chrono::steady_clock;
  std::string label_;
  bool simulates_;
  Style style_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_drawn_{};
  int tenths_shown_ = 0;
  bool bar_is_open_ = false;
};

/// "3 s", "2 min 05 s", "1 h 10 min".
std::string readable_duration(double seconds);

}  // namespace triscale::cli
