/// Normalised integrate-and-fire cells beside multi-compartment ones (NEURON's IntFire1):
///   dm/dt = -m/tau_m, an event adds its weight to m; when m exceeds 1 the cell fires, and for t_ref it ignores events
///   and then starts from m = 0.
/// Events act at their exact times; spikes are not bound to the time grid.
#pragma once

#include <cstdint>
#include <vector>

#include "network/cell_models.hpp"
#include "network/release.hpp"

namespace triscale::detailed {

struct ArtificialSynapse {
  std::uint32_t source = 0;
  std::uint32_t cell = 0;
  double weight = 0;  ///< with sign
  double delay_ms = 0;
  const network::Release* release = nullptr;  ///< null: every event transmits the whole weight
  std::uint64_t entity = 0;                   ///< label for the random numbers of the release
};

struct ArtificialSpike {
  double t_ms;
  std::uint32_t cell;
};

class ArtificialCells {
 public:
  ArtificialCells(const network::IntFire1Model& model, std::size_t cells, std::vector<ArtificialSynapse> synapses,
                  std::uint64_t seed = 1);

  /// Queues the events of a presynaptic spike.
  void receive(std::uint32_t source, double t_ms);
  /// Processes all events before end_ms; appends the spikes, ascending by cell, then time.
  void advance_until(double end_ms, std::vector<ArtificialSpike>& spikes);

 private:
  struct Event {
    double t_ms;
    double weight;
  };
  struct State {
    double m = 0;
    double t_ms = 0;              // time of m
    double silent_until_ms = -1;  // end of the refractory period
    std::vector<Event> pending;
  };
  network::IntFire1Model model_;
  std::vector<State> cells_;
  std::vector<ArtificialSynapse> synapses_;      // by source
  std::vector<network::ReleaseState> releases_;  // one a synapse if any of them has a release rule
  std::uint64_t seed_;
};

}  // namespace triscale::detailed
