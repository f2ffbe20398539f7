/// Progress of work that is made of parts: several threads, or stages one after the other, each of which reports as if
/// it were alone. Interrupting reaches every part through its own advance().
#pragma once

#include <mutex>

#include "core/recorder.hpp"

namespace triscale::core {

/// Adds up the work of parts and hands it on, one call at a time.
class SharedProgress {
 public:
  SharedProgress(Progress& whole, double total) : whole_(whole), total_(total) {}

  /// Any thread. Throws what the whole's advance() throws.
  void add(double work);

 private:
  std::mutex mutex_;
  Progress& whole_;
  double total_;
  double done_ = 0;
};

/// One part, `weight` of the total; used by one thread at a time. What it runs may go through stages: after stage(s),
/// advance(0 .. total) moves from where the part is to the share s of it.
class PartProgress : public Progress {
 public:
  PartProgress(SharedProgress& shared, double weight) : shared_(shared), weight_(weight) {}

  void stage(double end_share);
  void advance(double done, double total) override;
  /// The part is complete, whatever was reported.
  void finish() { move_to(1); }

 private:
  void move_to(double share);

  SharedProgress& shared_;
  double weight_;
  double begin_ = 0, end_ = 1, share_ = 0;
};

}  // namespace triscale::core
