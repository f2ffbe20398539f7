/// Accumulates a field (extracellular potential, dipole moment, ...) from the membrane currents of one group of cells
/// while it runs; no current is stored longer than a few samples.
///
/// A forward model gives each channel as sum_i w_i I_i over the nodes of a cell. What leaves a node through the
/// membrane (ions, capacitance, synapses) is what flows in along the dendrite or is injected there,
///   I_i = sum_neighbours g_ij (V_j - V_i) + J_i,
/// so that, ordering the sum by the edges of the tree,
///   sum_i w_i I_i = sum_edges (w_child - w_parent) g (V_parent - V_child) + sum_i w_i J_i.
/// The potential at the end of a step is all that is needed, whatever mechanisms and synapses the membrane has. The
/// currents of a cell sum up to the injected one exactly, because they enter as differences. Nodes without membrane
/// have no weight of their own: they take their parent's, which makes their edge drop out.
///
/// Axial currents of a few samples are collected and multiplied with the weights together, because the weights (one a
/// cell, compartment and channel, in single precision) are too many for the cache. Sums over the compartments of a cell
/// are made in single precision, relative rounding about 1e-6; sums over cells in double precision and in a fixed
/// order.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/forward_model.hpp"
#include "detailed/cell_group.hpp"
#include "detailed/kernels.hpp"
#include "detailed/lanes.hpp"
#include "network/circuit.hpp"

namespace triscale::detailed {

using FieldLaneArray = std::vector<FieldLanes, LaneAllocator<FieldLanes>>;

class FieldSampler {
 public:
  /// A cell of the group that counts: its lane and where it stands.
  struct Member {
    std::size_t lane;
    network::Placement placement;
  };
  /// `injected_nodes`: where currents may be injected, each node once. At most `capacity` samples are collected; if
  /// they are taken at the end of every window (`lent`), in memory that a thread lends for the window: it stays in the
  /// cache while group after group is worked on.
  FieldSampler(const core::ForwardModel& model, const network::Morphology& morphology, const CompartmentTree& tree,
               std::span<const Member> members, std::span<const std::size_t> injected_nodes, std::size_t capacity,
               bool lent);

  bool lent() const { return own_.empty(); }

  /// Adds the currents of the step just made to the sample in work. `memory`: lent, of one thread; grows as needed. It
  /// is the same one until take().
  void add(const CellGroup& group, FieldLaneArray& memory);
  /// The sample in work is complete: it is the sum of what was added, times `factor`.
  void finish_sample(float factor, FieldLaneArray& memory);
  std::size_t samples() const { return samples_; }
  /// Appends [sample * channels + channel], the sums over the cells of the group, of all complete samples; makes room
  /// for new ones. `cells` (or null): likewise [(sample * members + member) * channels + channel], each for itself.
  void take(std::vector<double>& sums, std::vector<float>* cells, FieldLaneArray& memory);
  std::size_t members() const { return lanes_.size(); }

 private:
  void fill(const core::ForwardModel& model, const core::PlacedCell& cell, const CompartmentTree& tree,
            std::size_t lane);
  FieldLanes* currents(FieldLaneArray& memory);
  void mix(const FieldLanes& product, std::size_t component, double* sums) const;
  void split(const FieldLaneArray& products, std::vector<float>& cells) const;

  std::size_t channels_, components_, tiles_, capacity_;
  std::vector<std::uint32_t> children_, parents_;  // nodes of the edges
  std::vector<std::uint32_t> injected_;            // nodes; their rows come after those of the edges
  std::size_t rows_;
  std::vector<std::size_t> lanes_;  // of the members
  FieldLaneArray weights_;          // [tile of components][row][component in tile]
  FieldLaneArray own_;  // as `memory`, for samples that outlast a window: [sample][row], potential differences
                        // or injected currents
  std::size_t samples_ = 0;
  bool fresh_ = true;           // the sample in work has nothing in it
  std::vector<double> mixing_;  // [lane][channel][component]; empty: components are channels
};

}  // namespace triscale::detailed
