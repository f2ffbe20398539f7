// A small circuit that breaks no rule; tests change one thing of it.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "network/circuit.hpp"

namespace triscale::network::sample {

inline Section section(SectionKind kind, std::int32_t parent, std::vector<MorphologyPoint> points) {
  Section s;
  s.kind = kind;
  s.parent = parent;
  s.points = std::move(points);
  return s;
}

/// A soma of 20 um, a tapered basal dendrite on its end, another one on that, and an apical one on the middle of the
/// soma.
inline std::shared_ptr<const Morphology> morphology() {
  auto m = std::make_shared<Morphology>();
  m->sections.push_back(section(SectionKind::soma, -1, {{0, 0, 0, 20}, {20, 0, 0, 20}}));
  m->sections.push_back(section(SectionKind::basal, 0, {{20, 0, 0, 4}, {120, 0, 0, 2}}));
  m->sections.push_back(section(SectionKind::basal, 1, {{120, 0, 0, 2}, {120, 30, 40, 2}, {120, 30, 90, 1}}));
  m->sections.push_back(section(SectionKind::apical, 0, {{10, 0, 0, 3}, {10, 200, 0, 1}}));
  m->sections.back().parent_position = 0.5;
  return m;
}

inline ConnectionRule rule(ConnectionRule::Kind kind, double probability, std::uint64_t number) {
  ConnectionRule r;
  r.kind = kind;
  r.probability = probability;
  r.number = number;
  r.weight.mean = 0.001;
  r.delay_ms.mean = 1.5;
  return r;
}

/// Populations: 0 E (100 cells), 1 I (40 cells), 2 external (100, virtual). Projections: 0 E->I, 1 I->E, 2 E->E, 3
/// external->E.
inline Circuit circuit() {
  Circuit c;
  DetailedCell detailed;
  detailed.morphology = morphology();
  c.cell_types = {{"Exc", Dale::excitatory, detailed, PointCell{GifModel{}}, MeanfieldCell{}},
                  {"Inh", Dale::inhibitory, detailed, PointCell{AdExModel{}}, MeanfieldCell{}}};
  c.synapse_types.resize(2);
  c.synapse_types[0].name = "ampa";
  c.synapse_types[0].detailed = BiexponentialSynapse{0.5, 2, 0};
  c.synapse_types[0].point = PointSynapse{{BiexponentialSynapse{0.5, 2, 0}}, {}};
  c.synapse_types[1].name = "gaba";
  c.synapse_types[1].detailed = BiexponentialSynapse{1, 8, -75};
  c.populations.resize(3);
  c.populations[0].name = "E";
  c.populations[0].size = 100;
  c.populations[1].name = "I";
  c.populations[1].size = 40;
  c.populations[1].cell_type = 1;
  c.populations[2].name = "external";
  c.populations[2].size = 100;
  c.populations[2].is_virtual = true;
  c.populations[2].source = PoissonTrains{{0, 500}, {10, 20}};
  const auto connect = [&](const char* name, std::size_t source, std::size_t target, std::size_t synapse,
                           ConnectionRule r) {
    Projection p;
    p.name = name;
    p.source = source;
    p.target = target;
    p.synapse_type = synapse;
    p.connectivity = std::move(r);
    p.placement.kinds = {SectionKind::basal, SectionKind::apical};
    c.projections.push_back(p);
  };
  using Kind = ConnectionRule::Kind;
  connect("E->I", 0, 1, 0, rule(Kind::pairwise_bernoulli, 0.2, 0));
  connect("I->E", 1, 0, 1, rule(Kind::fixed_in_degree, 0, 10));
  connect("E->E", 0, 0, 0, rule(Kind::fixed_total_number, 0, 900));
  connect("external->E", 2, 0, 0, rule(Kind::one_to_one, 0, 0));
  c.current_clamps.push_back({"step", 0, {1, 2}, {0, 0.5}, CurrentSegment{10, 20, 0.1, 0.1}});
  Probe probe;
  probe.name = "v";
  probe.cells = {0};
  c.probes.push_back(probe);
  return c;
}

}  // namespace triscale::network::sample
