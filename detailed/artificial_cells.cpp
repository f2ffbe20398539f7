#include "detailed/artificial_cells.hpp"

#include <algorithm>
#include <cmath>

namespace triscale::detailed {

ArtificialCells::ArtificialCells(const network::IntFire1Model& model, std::size_t cells,
                                 std::vector<ArtificialSynapse> synapses, std::uint64_t seed)
    : model_(model), cells_(cells), synapses_(std::move(synapses)), seed_(seed) {
  std::stable_sort(synapses_.begin(), synapses_.end(),
                   [](const ArtificialSynapse& a, const ArtificialSynapse& b) { return a.source < b.source; });
  if (std::any_of(synapses_.begin(), synapses_.end(), [](const ArtificialSynapse& s) { return s.release; })) {
    for (const ArtificialSynapse& s : synapses_) releases_.emplace_back(s.release ? *s.release : network::Release{});
  }
}

void ArtificialCells::receive(std::uint32_t source, double t_ms) {
  auto synapse = std::lower_bound(synapses_.begin(), synapses_.end(), source,
                                  [](const ArtificialSynapse& a, std::uint32_t s) { return a.source < s; });
  for (; synapse != synapses_.end() && synapse->source == source; ++synapse) {
    const double due_ms = t_ms + synapse->delay_ms;
    double weight = synapse->weight;
    if (synapse->release) {
      network::ReleaseState& state = releases_[static_cast<std::size_t>(synapse - synapses_.begin())];
      weight *= network::transmit(*synapse->release, state, due_ms, seed_, synapse->entity);
    }
    cells_[synapse->cell].pending.push_back({due_ms, weight});
  }
}

void ArtificialCells::advance_until(double end_ms, std::vector<ArtificialSpike>& spikes) {
  for (std::uint32_t k = 0; k < cells_.size(); ++k) {
    State& cell = cells_[k];
    if (cell.pending.empty()) continue;
    std::stable_sort(cell.pending.begin(), cell.pending.end(),
                     [](const Event& a, const Event& b) { return a.t_ms < b.t_ms; });
    std::size_t done = 0;
    for (; done < cell.pending.size() && cell.pending[done].t_ms < end_ms; ++done) {
      const Event event = cell.pending[done];
      if (event.t_ms < cell.silent_until_ms) continue;
      if (cell.silent_until_ms > cell.t_ms) {  // refractory period has ended since
        cell.m = 0;
        cell.t_ms = cell.silent_until_ms;
      }
      cell.m = cell.m * std::exp(-(event.t_ms - cell.t_ms) / model_.tau_m_ms) + event.weight;
      cell.t_ms = event.t_ms;
      if (cell.m > 1) {
        spikes.push_back({event.t_ms, k});
        cell.m = 0;
        cell.silent_until_ms = event.t_ms + model_.t_ref_ms;
      }
    }
    cell.pending.erase(cell.pending.begin(), cell.pending.begin() + static_cast<std::ptrdiff_t>(done));
  }
}

}  // namespace triscale::detailed
