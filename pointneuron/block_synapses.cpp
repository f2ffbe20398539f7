#include "pointneuron/block_synapses.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <memory>

#include "network/edges.hpp"
#include "pointneuron/weight_unit.hpp"

namespace triscale::pointneuron {

namespace {

constexpr std::int64_t kLongestNarrowDelay = 255;
/// Synapses of one place in 32-bit words: their sum is below 2^31 even if all fire in one step.
constexpr std::uint32_t kMostNarrowPerPlace = INT32_MAX / static_cast<std::uint32_t>(kLargestNarrow);

/// A projection with what is needed to make its edges.
struct Maker {
  const CellProjection* cell_projection = nullptr;
  std::unique_ptr<network::EdgeMaker> edges;
  std::size_t source = 0, target = 0;
  bool narrow = false;
};

/// Whether every synapse acts on one receptor with the weight that the projection says.
bool is_plain(const network::Circuit& circuit, const network::Projection& projection) {
  return network::site_table(circuit.synapse_types[projection.synapse_type]) == nullptr;
}

/// The synapses of one block before they are packed.
class BlockBuilder {
 public:
  BlockBuilder(const network::Circuit& circuit, const std::vector<Maker>& makers, const BlockLayout& layout,
               std::size_t block, const std::vector<std::vector<double>>& units)
      : circuit_(circuit), makers_(makers), layout_(layout), block_(block), units_(units) {}

  void build() {
    count();
    places_used_.assign(kPlaces, 0);
    for (const Maker& maker : makers_) add_projection(maker);
    narrow.finish();
  }

  NarrowRows narrow;
  std::vector<LooseSynapse> wide;
  double largest_wide = 0;
  std::uint32_t most_wide_per_place = 0;
  std::uint64_t synapses = 0, edge_hash = 0;
  std::int64_t shortest = INT64_MAX, longest = 0;

 private:
  const CellRange& range(const Maker& maker) const { return layout_.ranges[block_][maker.target]; }

  /// Room for the rows: as if everything went into narrow words.
  void count() {
    std::vector<std::uint32_t> row_sizes(layout_.sources, 0);
    std::vector<std::uint32_t> sources;
    for (const Maker& maker : makers_) {
      if (!maker.narrow) continue;
      std::uint32_t* sizes = row_sizes.data() + layout_.first_source[maker.source];
      for (std::size_t target = range(maker).begin; target < range(maker).end; ++target) {
        maker.edges->sources_of(target, sources);
        for (const std::uint32_t source : sources) ++sizes[source];
      }
    }
    narrow = NarrowRows(row_sizes);
  }

  void add_projection(const Maker& maker) {
    for (std::size_t target = range(maker).begin; target < range(maker).end; ++target) {
      maker.edges->edges_of(target, edges_);
      edge_hash = network::hash_edges(edge_hash, maker.cell_projection->projection, target, edges_);
      network::carry_to_soma(circuit_, maker.cell_projection->projection, edges_, receptors_);
      add_target(maker, target);
    }
  }

  void add_target(const Maker& maker, std::size_t target) {
    const CellProjection& p = *maker.cell_projection;
    const CellRange& cells = range(maker);
    const std::size_t base = layout_.base[block_][maker.target] + (target - cells.begin);
    const std::uint32_t first_source = layout_.first_source[maker.source];
    const double dt_ms = circuit_.run.dt_ms;
    const std::int64_t extra = p.at_end_of_step ? 0 : 1;
    synapses += edges_.sources.size();
    for (std::size_t k = 0; k < edges_.sources.size(); ++k) {
      // To the nearest step, halves upwards, and at least one: delays are positive, so cutting off is rounding down.
      const std::int64_t delay =
          std::max<std::int64_t>(1, static_cast<std::int64_t>(edges_.delays_ms[k] / dt_ms + 0.5)) + extra;
      const std::size_t row = p.rows[receptors_[k]];
      const auto place = static_cast<std::uint32_t>(base + row * cells.size());
      const double weight = p.sign * edges_.weights[k];
      const std::uint32_t source = first_source + edges_.sources[k];
      shortest = std::min(shortest, delay);
      longest = std::max(longest, delay);
      const double units = weight / units_[maker.target][row];
      const bool fits = maker.narrow && delay <= kLongestNarrowDelay && places_used_[place] < kMostNarrowPerPlace &&
                        std::abs(units) < static_cast<double>(kLargestNarrow) + 0.5;
      if (fits) {
        ++places_used_[place];
        narrow.add(source, static_cast<std::uint32_t>(delay), place, nearest(units));
      } else {
        add_wide({source, static_cast<std::uint32_t>(delay), place, weight});
      }
    }
  }

  /// The nearest integer; exact for |x| < 2^51, where the sum has no fractional bits left.
  static std::int64_t nearest(double x) {
    constexpr double kShift = 0x1.8p52;
    return static_cast<std::int64_t>((x + kShift) - kShift);
  }

  void add_wide(const LooseSynapse& synapse) {
    largest_wide = std::max(largest_wide, std::abs(synapse.weight));
    wide.push_back(synapse);
    if (wide_per_place_.empty()) wide_per_place_.assign(kPlaces, 0);
    most_wide_per_place = std::max(most_wide_per_place, ++wide_per_place_[synapse.place]);
  }

  const network::Circuit& circuit_;
  const std::vector<Maker>& makers_;
  const BlockLayout& layout_;
  std::size_t block_;
  const std::vector<std::vector<double>>& units_;
  network::TargetEdges edges_;
  std::vector<std::uint32_t> receptors_;
  std::vector<std::uint32_t> places_used_, wide_per_place_;
};

std::vector<std::vector<double>> choose_units(const network::Circuit& circuit, std::vector<Maker>& makers,
                                              const BlockLayout& layout) {
  std::vector<std::vector<double>> units(circuit.populations.size());
  for (std::size_t population = 0; population < units.size(); ++population) {
    units[population].assign(layout.rows[population], 1.0);
    for (std::size_t row = 0; row < layout.rows[population]; ++row) {
      std::vector<Maker*> onto;
      std::vector<WeightRange> ranges;
      for (Maker& maker : makers) {
        const network::Projection& projection = circuit.projections[maker.cell_projection->projection];
        if (maker.target != population || maker.cell_projection->rows.front() != row) continue;
        if (!is_plain(circuit, projection)) continue;
        onto.push_back(&maker);
        ranges.push_back(weight_range(projection));
      }
      if (onto.empty()) continue;
      const WeightUnit chosen = weight_unit(ranges);
      if (chosen.unit > 0) units[population][row] = chosen.unit;
      for (std::size_t i = 0; i < onto.size(); ++i) onto[i]->narrow = chosen.fits[i];
    }
  }
  return units;
}

}  // namespace

BlockLayout block_layout(const network::Circuit& circuit, const std::vector<std::size_t>& rows, std::size_t threads,
                         std::size_t blocks) {
  BlockLayout layout;
  layout.rows = rows;
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    layout.first_source.push_back(layout.sources);
    if (!circuit.populations[p].is_virtual) layout.sources += static_cast<std::uint32_t>(circuit.populations[p].size);
  }
  for (std::size_t number = (std::max<std::size_t>(blocks, 1) + threads - 1) / threads * threads;; number += threads) {
    layout.ranges.assign(number, {});
    layout.base.assign(number, {});
    std::size_t most = 0;
    for (std::size_t b = 0; b < number; ++b) {
      std::size_t places = 0;
      for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
        const std::size_t cells = circuit.populations[p].size;
        layout.ranges[b].push_back({cells * b / number, cells * (b + 1) / number});
        layout.base[b].push_back(places);
        if (!circuit.populations[p].is_virtual) places += rows[p] * layout.ranges[b][p].size();
      }
      most = std::max(most, places);
    }
    if (most <= kPlaces) return layout;
  }
}

std::size_t CellSynapses::bytes() const {
  std::size_t sum = 0;
  for (const BlockSynapses& block : blocks) sum += block.narrow.bytes() + block.wide.bytes();
  return sum;
}

CellSynapses make_cell_synapses(const network::Circuit& circuit, const std::vector<CellProjection>& projections,
                                const BlockLayout& layout, core::ThreadPool& pool) {
  std::vector<Maker> makers(projections.size());
  std::atomic<std::size_t> next{0};
  pool.run([&](std::size_t) {
    for (std::size_t i = next++; i < projections.size(); i = next++) {
      const network::Projection& projection = circuit.projections[projections[i].projection];
      makers[i].cell_projection = &projections[i];
      makers[i].source = projection.source;
      makers[i].target = projection.target;
      makers[i].edges = std::make_unique<network::EdgeMaker>(circuit, projections[i].projection);
    }
  });
  CellSynapses made;
  made.narrow_unit = choose_units(circuit, makers, layout);

  std::vector<std::unique_ptr<BlockBuilder>> builders(layout.blocks());
  const auto blocks_of = [&](std::size_t part, const auto& work) {
    for (std::size_t b = layout.blocks() * part / pool.size(); b < layout.blocks() * (part + 1) / pool.size(); ++b)
      work(b);
  };
  pool.run([&](std::size_t part) {
    blocks_of(part, [&](std::size_t b) {
      builders[b] = std::make_unique<BlockBuilder>(circuit, makers, layout, b, made.narrow_unit);
      builders[b]->build();
    });
  });

  double largest = 0;
  std::uint32_t most = 1;
  made.shortest_delay = INT64_MAX;
  for (const auto& builder : builders) {
    largest = std::max(largest, builder->largest_wide);
    most = std::max(most, builder->most_wide_per_place);
    made.synapses += builder->synapses;
    made.edge_hash += builder->edge_hash;
    made.shortest_delay = std::min(made.shortest_delay, builder->shortest);
    made.longest_delay = std::max(made.longest_delay, builder->longest);
  }
  if (made.synapses == 0) made.shortest_delay = 0;
  // A power of two keeps constant weights exact. All synapses of a place together stay below 2^62.
  if (largest > 0) {
    const int bits = std::min(kWideBits, 61 - static_cast<int>(std::bit_width(most)));
    made.wide_unit = std::ldexp(1.0, std::ilogb(largest) + 1 - bits);
  }
  made.blocks.resize(layout.blocks());
  pool.run([&](std::size_t part) {
    blocks_of(part, [&](std::size_t b) {
      made.blocks[b].narrow = std::move(builders[b]->narrow);
      made.blocks[b].wide = WideRows(layout.sources, std::move(builders[b]->wide), made.wide_unit);
    });
  });
  return made;
}

}  // namespace triscale::pointneuron
