#include "detailed/field_sampler.hpp"

#include <algorithm>

#include "detailed/segments.hpp"

namespace triscale::detailed {

namespace {

// What fits the sixteen vector registers of the smallest instruction set with 256-bit vectors: 2 x 4 sums and what is
// multiplied into them.
constexpr std::size_t kTileComponents = 4;
constexpr std::size_t kTileSamples = 2;

constexpr std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

using FloatLanes = float __attribute__((vector_size(kLaneWidth * sizeof(float))));

/// products[sample][component] = sum over rows of weight times current, for one tile of components.
TRISCALE_KERNEL void multiply_tile(std::size_t rows, const FieldLanes* weights, const FieldLanes* currents,
                                   std::size_t samples, FieldLanes* products) {
  static_assert(kTileComponents == 4 && kTileSamples == 2);
  for (std::size_t t = 0; t < samples; t += kTileSamples) {
    FieldLanes a0{}, a1{}, b0{}, b1{}, c0{}, c1{}, d0{}, d1{};
    const FieldLanes* first = currents + t * rows;
    const FieldLanes* second = first + rows;
    for (std::size_t row = 0; row < rows; ++row) {
      const FieldLanes* w = weights + row * kTileComponents;
      const FieldLanes u0 = first[row], u1 = second[row];
      a0 += w[0] * u0;
      a1 += w[0] * u1;
      b0 += w[1] * u0;
      b1 += w[1] * u1;
      c0 += w[2] * u0;
      c1 += w[2] * u1;
      d0 += w[3] * u0;
      d1 += w[3] * u1;
    }
    FieldLanes* p = products + t * kTileComponents;
    p[0] = a0, p[1] = b0, p[2] = c0, p[3] = d0;
    p[4] = a1, p[5] = b1, p[6] = c1, p[7] = d1;
  }
}

/// V of the parent less V of the child, for every edge and every cell of the group; added to `currents`, or put there.
TRISCALE_KERNEL void add_differences(std::span<const std::uint32_t> children, std::span<const std::uint32_t> parents,
                                     const Lanes* V, FieldLanes* currents, bool fresh) {
  float* out = reinterpret_cast<float*>(currents);
  for (std::size_t edge = 0; edge < children.size(); ++edge) {
    const Lanes *child = V + children[edge] * kColumns, *parent = V + parents[edge] * kColumns;
    for (int c = 0; c < kColumns; ++c, out += kLaneWidth) {
      FloatLanes u = __builtin_convertvector(parent[c] - child[c], FloatLanes);
      if (!fresh) {
        FloatLanes before;
        std::memcpy(&before, out, sizeof before);
        u += before;
      }
      std::memcpy(out, &u, sizeof u);
    }
  }
}

/// Sum over the cells of a group: first the columns, then the lanes in pairs.
TRISCALE_INLINE float sum_of(const FieldLanes& values) {
  FloatLanes sum{};
  for (int c = 0; c < kColumns; ++c) {
    FloatLanes column;
    std::memcpy(&column, reinterpret_cast<const float*>(&values) + c * kLaneWidth, sizeof column);
    sum += column;
  }
  static_assert(kLaneWidth == 4);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

float& lane_of(FieldLanes& values, std::size_t lane) {
  return reinterpret_cast<float*>(&values)[lane];
}

}  // namespace

FieldSampler::FieldSampler(const core::ForwardModel& model, const network::Morphology& morphology,
                           const CompartmentTree& tree, std::span<const Member> members,
                           std::span<const std::size_t> injected_nodes, std::size_t capacity)
    : channels_(model.channels()),
      components_(model.components()),
      tiles_(round_up(components_, kTileComponents) / kTileComponents),
      capacity_(round_up(capacity + 1, kTileSamples)) {
  for (std::uint32_t node = 1; node < tree.size(); ++node) {
    if (!(tree.areas_um2[node] > 0)) continue;
    children_.push_back(node);
    parents_.push_back(static_cast<std::uint32_t>(tree.parents[node]));
  }
  injected_.assign(injected_nodes.begin(), injected_nodes.end());
  rows_ = children_.size() + injected_.size();
  weights_.assign(tiles_ * rows_ * kTileComponents, FieldLanes{});
  currents_.assign(rows_ * capacity_, FieldLanes{});
  for (const Member& member : members) {
    const std::vector<core::Segment> nodes = place_segments(morphology, tree, member.placement);
    const std::size_t soma_segments = tree.segments_per_section[0];
    fill(model, {nodes, soma_segments, {member.placement.x_um, member.placement.y_um, member.placement.z_um}}, tree,
         member.lane);
  }
}

void FieldSampler::fill(const core::ForwardModel& model, const core::PlacedCell& cell, const CompartmentTree& tree,
                        std::size_t lane) {
  std::vector<double> weights(tree.size() * components_);
  model.weights(cell, weights);
  for (std::size_t node = 1; node < tree.size(); ++node) {
    if (tree.areas_um2[node] > 0) continue;
    const auto parent = static_cast<std::size_t>(tree.parents[node]);
    std::copy_n(weights.begin() + static_cast<std::ptrdiff_t>(parent * components_), components_,
                weights.begin() + static_cast<std::ptrdiff_t>(node * components_));
  }
  for (std::size_t c = 0; c < components_; ++c) {
    FieldLanes* column = weights_.data() + c / kTileComponents * rows_ * kTileComponents + c % kTileComponents;
    auto set = [&](std::size_t row, double weight) {
      lane_of(column[row * kTileComponents], lane) = static_cast<float>(weight);
    };
    for (std::size_t edge = 0; edge < children_.size(); ++edge) {
      const double change = weights[children_[edge] * components_ + c] - weights[parents_[edge] * components_ + c];
      set(edge, tree.g_axial_uS[children_[edge]] * change);
    }
    for (std::size_t i = 0; i < injected_.size(); ++i) {
      set(children_.size() + i, weights[injected_[i] * components_ + c]);
    }
  }
  const std::vector<double> mixing = model.mixing(cell);
  if (mixing.empty()) return;
  mixing_.resize(kGroupCells * channels_ * components_);
  std::copy(mixing.begin(), mixing.end(),
            mixing_.begin() + static_cast<std::ptrdiff_t>(lane * channels_ * components_));
}

void FieldSampler::add(const CellGroup& group) {
  FieldLanes* sample = currents_.data() + samples_ * rows_;
  add_differences(children_, parents_, group.V_lanes(), sample, fresh_);
  for (std::size_t i = 0; i < injected_.size(); ++i) {
    FieldLanes& sum = sample[children_.size() + i];
    if (fresh_) sum = FieldLanes{};
    for (const CellGroup::Injection& injection : group.injected()) {
      if (injection.node == injected_[i]) lane_of(sum, injection.cell) += static_cast<float>(injection.I_nA);
    }
  }
  fresh_ = false;
}

void FieldSampler::finish_sample(float factor) {
  if (factor != 1.0f) {
    for (std::size_t row = 0; row < rows_; ++row) currents_[samples_ * rows_ + row] *= factor;
  }
  ++samples_;
  fresh_ = true;
}

void FieldSampler::take(std::vector<double>& sums) {
  sums.assign(samples_ * channels_, 0.0);
  FieldLaneArray products(kTileComponents * capacity_);
  for (std::size_t tile = 0; tile < tiles_; ++tile) {
    multiply_tile(rows_, weights_.data() + tile * rows_ * kTileComponents, currents_.data(),
                  round_up(samples_, kTileSamples), products.data());
    const std::size_t first = tile * kTileComponents, here = std::min(kTileComponents, components_ - first);
    for (std::size_t t = 0; t < samples_; ++t) {
      const FieldLanes* product = products.data() + t * kTileComponents;
      double* sample = sums.data() + t * channels_;
      if (mixing_.empty()) {
        for (std::size_t c = 0; c < here; ++c) sample[first + c] = sum_of(product[c]);
      } else {
        for (std::size_t c = 0; c < here; ++c) mix(product[c], first + c, sample);
      }
    }
  }
  if (!fresh_) {  // the sample in work becomes the first
    std::copy_n(currents_.begin() + static_cast<std::ptrdiff_t>(samples_ * rows_), rows_, currents_.begin());
  }
  samples_ = 0;
}

void FieldSampler::mix(const FieldLanes& product, std::size_t component, double* sums) const {
  for (std::size_t lane = 0; lane < kGroupCells; ++lane) {
    const double value = reinterpret_cast<const float*>(&product)[lane];
    const double* column = mixing_.data() + lane * channels_ * components_ + component;
    for (std::size_t channel = 0; channel < channels_; ++channel)
      sums[channel] += column[channel * components_] * value;
  }
}

}  // namespace triscale::detailed
