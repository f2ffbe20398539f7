#include "network/spike_source.hpp"

#include <algorithm>
#include <limits>

namespace triscale::network {

namespace {
constexpr double kNever = std::numeric_limits<double>::infinity();

bool by_cell_then_time(const SourceSpike& a, const SourceSpike& b) {
  return a.cell != b.cell ? a.cell < b.cell : a.t_ms < b.t_ms;
}
}  // namespace

SpikeSourceReader::SpikeSourceReader(const Circuit& circuit, std::size_t population, std::size_t begin, std::size_t end)
    : begin_(static_cast<std::uint32_t>(begin)) {
  const SpikeSource& source = circuit.populations[population].source;
  if (const auto* trains = std::get_if<SpikeTrains>(&source)) {
    for (std::size_t i = 0; i < trains->cells.size(); ++i) {
      if (trains->cells[i] >= begin && trains->cells[i] < end)
        listed_.push_back({trains->times_ms[i], trains->cells[i]});
    }
    std::stable_sort(listed_.begin(), listed_.end(),
                     [](const SourceSpike& a, const SourceSpike& b) { return a.t_ms < b.t_ms; });
  } else if (const auto* poisson = std::get_if<PoissonTrains>(&source); poisson && !poisson->times_ms.empty()) {
    rates_ = poisson;
    if (poisson->bin_ms > 0) {
      counts_.emplace(circuit, population);
      numbers_.resize(end - begin + begin % 8);
      return;
    }
    if (poisson->correlation > 0) {
      rate_factor_ = 1 / poisson->correlation;
      poisson_.push_back({core::RandomStream(circuit.run.seed, core::Purpose::common_train, population),
                          poisson->times_ms.front(), 0});
      schedule_next(poisson_.back());
      for (std::size_t cell = begin; cell < end; ++cell) {
        choices_.emplace_back(circuit.run.seed, core::Purpose::common_train_choice,
                              (static_cast<std::uint64_t>(population) << 32) | cell);
      }
      return;
    }
    poisson_.reserve(end - begin);
    for (std::size_t cell = begin; cell < end; ++cell) {
      const std::uint64_t entity = (static_cast<std::uint64_t>(population) << 32) | cell;
      poisson_.push_back(
          {core::RandomStream(circuit.run.seed, core::Purpose::poisson_input, entity), poisson->times_ms.front(), 0});
      schedule_next(poisson_.back());
    }
  }
}

void SpikeSourceReader::schedule_next(PoissonCell& cell) const {
  double remaining = cell.stream.next_exponential();
  for (;;) {
    const double rate_per_ms = rate_factor_ * rates_->rates_hz[cell.piece] * 1e-3;
    const bool last = cell.piece + 1 == rates_->times_ms.size();
    const double end_ms = last ? kNever : rates_->times_ms[cell.piece + 1];
    const double wait_ms = rate_per_ms > 0 ? remaining / rate_per_ms : kNever;
    if (last || cell.next_ms + wait_ms < end_ms) {
      cell.next_ms += wait_ms;
      return;
    }
    remaining -= rate_per_ms * (end_ms - cell.next_ms);
    cell.next_ms = end_ms;
    ++cell.piece;
  }
}

void SpikeSourceReader::take_common(double end_ms, std::vector<SourceSpike>& spikes) {
  const auto first_new = static_cast<std::ptrdiff_t>(spikes.size());
  PoissonCell& common = poisson_.front();
  for (; common.next_ms < end_ms; schedule_next(common), ++common_spikes_) {
    for (std::size_t i = 0; i < choices_.size(); ++i) {
      if (choices_[i].uniform(common_spikes_) >= rates_->correlation) continue;
      spikes.push_back({common.next_ms, begin_ + static_cast<std::uint32_t>(i)});
    }
  }
  std::sort(spikes.begin() + first_new, spikes.end(), by_cell_then_time);
}

void SpikeSourceReader::take_bins(double end_ms, std::vector<SourceSpike>& spikes) {
  for (;; ++next_bin_) {
    const double t_ms = static_cast<double>(next_bin_) * rates_->bin_ms;
    if (!(t_ms < end_ms)) return;
    const std::size_t before = begin_ % 8;
    counts_->draw(next_bin_, begin_ - before, numbers_);
    for (std::size_t i = before; i < numbers_.size(); ++i)
      spikes.insert(spikes.end(), numbers_[i], {t_ms, begin_ + static_cast<std::uint32_t>(i - before)});
  }
}

void SpikeSourceReader::take_until(double end_ms, std::vector<SourceSpike>& spikes) {
  const auto first_new = static_cast<std::ptrdiff_t>(spikes.size());
  while (listed_next_ < listed_.size() && listed_[listed_next_].t_ms < end_ms)
    spikes.push_back(listed_[listed_next_++]);
  if (counts_) take_bins(end_ms, spikes);
  if (!choices_.empty()) return take_common(end_ms, spikes);
  std::sort(spikes.begin() + first_new, spikes.end(), by_cell_then_time);
  for (std::size_t i = 0; i < poisson_.size(); ++i) {
    while (poisson_[i].next_ms < end_ms) {
      spikes.push_back({poisson_[i].next_ms, begin_ + static_cast<std::uint32_t>(i)});
      schedule_next(poisson_[i]);
    }
  }
}

}  // namespace triscale::network
