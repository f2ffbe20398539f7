#include "cli/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <utility>

#include "core/error.hpp"

namespace triscale::cli {

namespace {

// The one global of the program: a signal handler can reach nothing else.
volatile std::sig_atomic_t g_signal = 0;

void note_signal(int signal) {
  g_signal = signal;
}

constexpr int kBarWidth = 30;
constexpr auto kRedrawInterval = std::chrono::milliseconds(100);

}  // namespace

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = note_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

int caught_signal() {
  return static_cast<int>(g_signal);
}

void throw_if_interrupted() {
  if (caught_signal() != 0) throw core::Interrupted();
}

std::string readable_duration(double seconds) {
  if (!(seconds >= 0) || !std::isfinite(seconds)) return "?";
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long>(std::lround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

ConsoleProgress::Style ConsoleProgress::style_of_stderr(bool quiet) {
  if (quiet) return Style::silent;
  return isatty(STDERR_FILENO) != 0 ? Style::bar : Style::lines;
}

ConsoleProgress::ConsoleProgress(std::string label, bool simulates, Style style)
    : label_(std::move(label)), simulates_(simulates), style_(style) {
  if (style_ == Style::lines) fmt::print(stderr, "{}: started\n", label_);
}

ConsoleProgress::~ConsoleProgress() {
  if (bar_is_open_) std::fputs("\n", stderr);
}

std::string ConsoleProgress::text(double done_ms, double total_ms) const {
  const double elapsed_s = std::chrono::duration<double>(Clock::now() - start_).count();
  std::string text = fmt::format("{:3.0f} %", 100 * done_ms / total_ms);
  if (done_ms < total_ms) {
    text += done_ms > 0 ? fmt::format(", {} left", readable_duration(elapsed_s * (total_ms - done_ms) / done_ms)) : "";
  } else {
    text += fmt::format(", took {}", readable_duration(elapsed_s));
  }
  if (simulates_ && done_ms > 0) text += fmt::format(", real-time factor {:.3g}", elapsed_s / (done_ms * 1e-3));
  return text;
}

void ConsoleProgress::advance(double done_ms, double total_ms) {
  throw_if_interrupted();
  if (style_ == Style::silent || !(total_ms > 0)) return;
  done_ms = std::clamp(done_ms, 0.0, total_ms);
  if (style_ == Style::lines) {
    const int tenths = static_cast<int>(10 * done_ms / total_ms);
    if (tenths <= tenths_shown_) return;
    tenths_shown_ = tenths;
    fmt::print(stderr, "{}: {}\n", label_, text(done_ms, total_ms));
    return;
  }
  const Clock::time_point now = Clock::now();
  if (done_ms < total_ms && now - last_drawn_ < kRedrawInterval) return;
  last_drawn_ = now;
  const int filled = static_cast<int>(kBarWidth * done_ms / total_ms);
  // Return to the line's start and clear what is left of the old text.
  fmt::print(stderr, "\r{:<16} [{}{}] {}\x1b[K", label_, std::string(static_cast<std::size_t>(filled), '#'),
             std::string(static_cast<std::size_t>(kBarWidth - filled), '.'), text(done_ms, total_ms));
  std::fflush(stderr);
  bar_is_open_ = true;
}

}  // namespace triscale::cli
