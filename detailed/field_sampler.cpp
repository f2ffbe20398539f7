#include "detailed/field_sampler.hpp"

#include <algorithm>

#include "detailed/segments.hpp"

namespace triscale::detailed {

namespace {

constexpr std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

using FloatLanes = float __attribute__((vector_size(kLaneWidth * sizeof(float))));

/// Sum over the cells of a group: first the columns, then the lanes in pairs.
float sum_of(const FieldLanes& values) {
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
float lane_of(const FieldLanes& values, std::size_t lane) {
  return reinterpret_cast<const float*>(&values)[lane];
}

}  // namespace

FieldSampler::FieldSampler(const core::ForwardModel& model, const network::Morphology& morphology,
                           const CompartmentTree& tree, std::span<const Member> members,
                           std::span<const std::size_t> injected_nodes, std::size_t capacity, bool lent)
    : channels_(model.channels()),
      components_(model.components()),
      tiles_(round_up(components_, kFieldTile) / kFieldTile),
      capacity_(capacity + 1) {
  for (std::uint32_t node = 1; node < tree.size(); ++node) {
    if (!(tree.areas_um2[node] > 0)) continue;
    children_.push_back(node);
    parents_.push_back(static_cast<std::uint32_t>(tree.parents[node]));
  }
  injected_.assign(injected_nodes.begin(), injected_nodes.end());
  rows_ = children_.size() + injected_.size();
  weights_.assign(tiles_ * rows_ * kFieldTile, FieldLanes{});
  if (!lent) own_.assign(rows_ * capacity_, FieldLanes{});
  for (const Member& member : members) {
    const std::vector<core::Segment> nodes = place_segments(morphology, tree, member.placement);
    const std::size_t soma_segments = tree.segments_per_section[0];
    fill(model, {nodes, soma_segments, {member.placement.x_um, member.placement.y_um, member.placement.z_um}}, tree,
         member.lane);
    lanes_.push_back(member.lane);
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
    FieldLanes* column = weights_.data() + c / kFieldTile * rows_ * kFieldTile + c % kFieldTile;
    auto set = [&](std::size_t row, double weight) {
      lane_of(column[row * kFieldTile], lane) = static_cast<float>(weight);
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

FieldLanes* FieldSampler::currents(FieldLaneArray& memory) {
  if (!own_.empty()) return own_.data();
  if (memory.size() < rows_ * capacity_) memory.resize(rows_ * capacity_);
  return memory.data();
}

void FieldSampler::add(const CellGroup& group, FieldLaneArray& memory) {
  FieldLanes* sample = currents(memory) + samples_ * rows_;
  kernels().add_differences(children_.size(), children_.data(), parents_.data(), group.V_lanes(), sample, fresh_);
  for (std::size_t i = 0; i < injected_.size(); ++i) {
    FieldLanes& sum = sample[children_.size() + i];
    if (fresh_) sum = FieldLanes{};
    for (const CellGroup::Injection& injection : group.injected()) {
      if (injection.node == injected_[i]) lane_of(sum, injection.cell) += static_cast<float>(injection.I_nA);
    }
  }
  fresh_ = false;
}

void FieldSampler::finish_sample(float factor, FieldLaneArray& memory) {
  if (factor != 1.0f) {
    FieldLanes* sample = currents(memory) + samples_ * rows_;
    for (std::size_t row = 0; row < rows_; ++row) sample[row] *= factor;
  }
  ++samples_;
  fresh_ = true;
}

void FieldSampler::take(std::vector<double>& sums, std::vector<float>* cells, FieldLaneArray& memory) {
  FieldLanes* from = currents(memory);
  const std::size_t before = sums.size();
  sums.resize(before + samples_ * channels_, 0.0);
  FieldLaneArray products(tiles_ * samples_ * kFieldTile, FieldLanes{});
  kernels().multiply_field(rows_, tiles_, weights_.data(), from, samples_, products.data());
  for (std::size_t tile = 0; tile < tiles_; ++tile) {
    const std::size_t first = tile * kFieldTile, here = std::min(kFieldTile, components_ - first);
    for (std::size_t t = 0; t < samples_; ++t) {
      const FieldLanes* product = products.data() + (tile * samples_ + t) * kFieldTile;
      double* sample = sums.data() + before + t * channels_;
      if (mixing_.empty()) {
        for (std::size_t c = 0; c < here; ++c) sample[first + c] = sum_of(product[c]);
      } else {
        for (std::size_t c = 0; c < here; ++c) mix(product[c], first + c, sample);
      }
    }
  }
  if (cells != nullptr) split(products, *cells);
  if (!fresh_) {  // the sample in work becomes the first
    std::copy_n(from + samples_ * rows_, rows_, from);
  }
  samples_ = 0;
}

void FieldSampler::mix(const FieldLanes& product, std::size_t component, double* sums) const {
  for (std::size_t lane = 0; lane < kGroupCells; ++lane) {
    const double value = lane_of(product, lane);
    const double* column = mixing_.data() + lane * channels_ * components_ + component;
    for (std::size_t channel = 0; channel < channels_; ++channel)
      sums[channel] += column[channel * components_] * value;
  }
}

void FieldSampler::split(const FieldLaneArray& products, std::vector<float>& cells) const {
  const std::size_t before = cells.size();
  cells.resize(before + samples_ * members() * channels_, 0.0f);
  for (std::size_t t = 0; t < samples_; ++t) {
    for (std::size_t m = 0; m < members(); ++m) {
      float* cell = cells.data() + before + (t * members() + m) * channels_;
      for (std::size_t k = 0; k < components_; ++k) {
        const FieldLanes& product = products[(k / kFieldTile * samples_ + t) * kFieldTile + k % kFieldTile];
        const float value = lane_of(product, lanes_[m]);
        if (mixing_.empty()) {
          cell[k] = value;
          continue;
        }
        const double* column = mixing_.data() + lanes_[m] * channels_ * components_ + k;
        for (std::size_t c = 0; c < channels_; ++c) cell[c] += static_cast<float>(column[c * components_] * value);
      }
    }
  }
}

}  // namespace triscale::detailed
