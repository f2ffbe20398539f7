/// Where the instances of a mechanism are and what they hold.
#pragma once

#include <cstdint>
#include <vector>

#include "detailed/kernels.hpp"
#include "detailed/lanes.hpp"
#include "detailed/mechanisms.hpp"

namespace triscale::detailed {

/// Conductances in uS and state vectors of a mechanism at the nodes of a group.
class Placed {
 public:
  void place(const MechanismSite& site, double gbar_S_cm2, std::size_t n_states) {
    nodes_ = site.nodes;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const double density = site.factors.empty() ? gbar_S_cm2 : gbar_S_cm2 * site.factors[i];
      densities_S_cm2_.push_back(density);
      g_max_uS_.push_back(density * site.areas_um2[i] * kMicrosiemensPerUm2);
    }
    states.assign(nodes_.size() * n_states * kColumns, Lanes{});
    // Where the instances of each block begin.
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      while (begins_.size() <= nodes_[i] / kBlockNodes) begins_.push_back(i);
    }
    begins_.push_back(nodes_.size());
  }
  bool any_in(std::size_t block) const { return block + 1 < begins_.size() && begins_[block] < begins_[block + 1]; }
  Instances in(std::size_t block) const {
    const bool any = block + 1 < begins_.size();
    // States are not the placement's own: what a mechanism may do with them is its matter.
    return {any ? begins_[block] : 0, any ? begins_[block + 1] : 0, nodes_.data(),
            g_max_uS_.data(),         densities_S_cm2_.data(),      const_cast<Lanes*>(states.data())};
  }

  LaneArray states;  // [instance][state][column]

 private:
  static constexpr double kMicrosiemensPerUm2 = 1e-2;  // of 1 S/cm2

  std::vector<std::uint32_t> nodes_;
  std::vector<double> g_max_uS_, densities_S_cm2_;
  std::vector<std::size_t> begins_;
};

}  // namespace triscale::detailed
