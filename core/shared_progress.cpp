#include "core/shared_progress.hpp"

#include <algorithm>

namespace triscale::core {

void SharedProgress::add(double work) {
  const std::lock_guard lock(mutex_);
  done_ += work;
  whole_.advance(std::min(done_, total_), total_);
}

void PartProgress::stage(double end_share) {
  begin_ = share_;
  end_ = end_share;
}

void PartProgress::advance(double done, double total) {
  move_to(total > 0 ? begin_ + (end_ - begin_) * std::clamp(done / total, 0.0, 1.0) : share_);
}

void PartProgress::move_to(double share) {
  const double step = std::max(0.0, share - share_);
  share_ += step;
  shared_.add(step * weight_);
}

}  // namespace triscale::core
