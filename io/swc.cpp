#include "io/swc.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace triscale::io {
namespace {

constexpr int kSomaType = 1;

/// NEURON's Import3d hands numbers on as text of eight significant digits and keeps them in single precision. Doing the
/// same makes lengths and areas equal to rounding.
float as_neuron_keeps(double value) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.8g", value);
  return static_cast<float>(std::strtod(text.data(), nullptr));
}

struct Sample {
  int id = 0;
  int type = 0;
  float x = 0, y = 0, z = 0;  ///< single precision, as NEURON keeps them
  float diameter = 0;
  double read_x = 0, read_diameter = 0;  ///< before they went through text
  int parent_id = -1;
  int line = 0;
  int parent = -1;  ///< index of the parent sample
};

/// A section while it is being put together.
struct Draft {
  int begin = 0, end = 0;  ///< own samples
  int type = 0;
  int parent = -1;  ///< index into the drafts
  double parent_position = 1.0;
  bool own_start = false;  ///< starts at its own first sample; a wire leads there
  std::vector<network::MorphologyPoint> points;
  std::vector<std::int32_t> swc_ids;
};

class Reader {
 public:
  Reader(std::filesystem::path path, core::Diagnostics& diagnostics)
      : path_(std::move(path)), diagnostics_(diagnostics), errors_before_(diagnostics.errors().size()) {}

  network::Morphology read() {
    read_samples();
    if (!failed()) link_samples();
    if (failed()) return {};
    if (soma_is_an_outline()) replace_outline();
    find_section_ends();
    make_drafts();
    drop_sections_without_length();
    report();
    return in_sonata_order();
  }

 private:
  bool failed() const { return diagnostics_.errors().size() > errors_before_; }

  void error(const std::string& place, const std::string& value, const std::string& rule,
             const std::string& hint = "") {
    diagnostics_.error({path_.string(), place, value, rule, hint});
  }
  static std::string at_line(int line) { return "line " + std::to_string(line); }

  void read_samples() {
    std::ifstream stream(path_);
    if (!stream)
      return error("", "", "must be a readable SWC file", "check morphologies_dir and the morphology's name");
    std::string line;
    for (int number = 1; std::getline(stream, line); ++number) {
      const std::size_t first = line.find_first_not_of(" \t\r");
      if (first == std::string::npos || line[first] == '#') continue;
      parse_line(line, number);
    }
    if (samples_.empty() && !failed()) error("", "", "must hold at least one sample");
  }

  void parse_line(const std::string& line, int number) {
    std::istringstream stream(line);
    std::array<double, 7> column{};
    for (double& value : column) {
      if (!(stream >> value) || !std::isfinite(value)) {
        return error(at_line(number), line, "must hold seven numbers: sample, type, x, y, z, radius, parent");
      }
    }
    const auto is_integer = [](double value) { return value == std::floor(value) && std::abs(value) < 2e9; };
    if (!is_integer(column[0]) || !is_integer(column[1]) || !is_integer(column[6])) {
      return error(at_line(number), line, "must have integers as sample number, type and parent");
    }
    if (!(column[5] > 0)) return error(at_line(number), std::to_string(column[5]), "must have a radius > 0");
    Sample sample;
    sample.id = static_cast<int>(column[0]);
    sample.type = static_cast<int>(column[1]);
    sample.read_x = static_cast<float>(column[2]);
    sample.read_diameter = 2 * static_cast<float>(column[5]);
    sample.x = as_neuron_keeps(static_cast<float>(column[2]));
    sample.y = as_neuron_keeps(static_cast<float>(column[3]));
    sample.z = as_neuron_keeps(static_cast<float>(column[4]));
    sample.diameter = as_neuron_keeps(2 * static_cast<float>(column[5]));
    sample.parent_id = static_cast<int>(column[6]);
    sample.line = number;
    if (sample.type < 1 || sample.type > 4) {
      return error(at_line(number), std::to_string(sample.type),
                   "must be of type 1 soma, 2 axon, 3 basal or 4 apical dendrite",
                   "other SWC types have no section list in SONATA");
    }
    samples_.push_back(sample);
  }

  void link_samples() {
    std::stable_sort(samples_.begin(), samples_.end(), [](const Sample& a, const Sample& b) { return a.id < b.id; });
    std::unordered_map<int, int> index;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      if (!index.emplace(samples_[i].id, static_cast<int>(i)).second) {
        error(at_line(samples_[i].line), std::to_string(samples_[i].id), "must not repeat a sample number");
      }
    }
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      Sample& sample = samples_[i];
      if (sample.parent_id < 0) {
        if (i > 0) error(at_line(sample.line), std::to_string(sample.id), "must have a parent: a cell is one tree");
        continue;
      }
      const auto found = index.find(sample.parent_id);
      if (found == index.end()) {
        error(at_line(sample.line), std::to_string(sample.parent_id), "must be the number of a sample of this file");
      } else if (sample.parent_id >= sample.id) {
        error(at_line(sample.line), std::to_string(sample.parent_id), "must be smaller than the sample's own number",
              "parents come before children in SWC");
      } else {
        sample.parent = found->second;
      }
    }
    if (samples_.front().parent_id >= 0)
      error(at_line(samples_.front().line), "", "must be the root: its parent must be -1");
    if (samples_.front().type != kSomaType) error(at_line(samples_.front().line), "", "must be a soma sample (type 1)");
  }

  /// Indices of the soma samples.
  std::vector<int> soma_samples() const {
    std::vector<int> soma;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      if (samples_[i].type == kSomaType) soma.push_back(static_cast<int>(i));
    }
    return soma;
  }

  struct Outline {
    double x = 0, y = 0, z = 0;  ///< centroid
    double radius = 0;           ///< mean distance from it
  };
  Outline outline_of(const std::vector<int>& soma) const {
    Outline outline;
    const auto n = static_cast<double>(soma.size());
    for (const int i : soma) {
      outline.x += samples_[i].x / n;
      outline.y += samples_[i].y / n;
      outline.z += samples_[i].z / n;
    }
    for (const int i : soma) {
      const Sample& s = samples_[i];
      outline.radius += std::hypot(s.x - outline.x, s.y - outline.y, s.z - outline.z) / n;
    }
    return outline;
  }

  /// A closed line of thin samples: it ends near where it began, as seen from its length, and no sample is as wide as
  /// half the mean distance from the middle.
  bool soma_is_an_outline() const {
    constexpr std::size_t kFewest = 4;
    constexpr double kTurns = 2.5;  // a square of four samples has 3, a straight line 1
    const std::vector<int> soma = soma_samples();
    if (soma.size() < kFewest) return false;
    double length = 0;
    for (std::size_t k = 1; k < soma.size(); ++k) {
      const Sample &a = samples_[soma[k - 1]], &b = samples_[soma[k]];
      if (b.parent != soma[k - 1]) return false;
      length += std::hypot(double{b.x} - a.x, double{b.y} - a.y, double{b.z} - a.z);
    }
    const Sample &first = samples_[soma.front()], &last = samples_[soma.back()];
    const double gap = std::hypot(double{last.x} - first.x, double{last.y} - first.y, double{last.z} - first.z);
    const double radius = outline_of(soma).radius;
    const bool thin = std::all_of(soma.begin(), soma.end(), [&](int i) { return samples_[i].diameter < radius; });
    return thin && length > kTurns * gap;
  }

  /// The samples of the outline become one, the middle of the sphere; what left them leaves it.
  void replace_outline() {
    const std::vector<int> soma = soma_samples();
    const Outline outline = outline_of(soma);
    Sample& middle = samples_.front();
    middle.read_x = static_cast<float>(outline.x);
    middle.read_diameter = static_cast<float>(2 * outline.radius);
    middle.x = as_neuron_keeps(middle.read_x);
    middle.y = as_neuron_keeps(static_cast<float>(outline.y));
    middle.z = as_neuron_keeps(static_cast<float>(outline.z));
    middle.diameter = as_neuron_keeps(middle.read_diameter);
    std::vector<Sample> kept;
    std::vector<int> new_index(samples_.size(), 0);
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      if (i > 0 && samples_[i].type == kSomaType) continue;
      new_index[i] = static_cast<int>(kept.size());
      kept.push_back(samples_[i]);
      if (i > 0) kept.back().parent = new_index[samples_[i].parent];
    }
    samples_ = std::move(kept);
    diagnostics_.warning({path_.string(), "soma", "",
                          fmt::format("is an outline of {} samples; it stands for a sphere of diameter {:.4g} um",
                                      soma.size(), 2 * outline.radius),
                          "NEURON's Import3d would make a thin cable along the outline"});
  }

  /// Says what of the rules was applied.
  void report() {
    const auto note = [&](const std::string& place, const std::string& what) {
      diagnostics_.note({path_.string(), place, "", what, ""});
    };
    const double diameter = drafts_[0].points.front().diameter_um;
    if (points_in(drafts_[0], true) == 1) {
      note("soma", fmt::format("{} read as a cylinder of length and diameter {:.4g} um (the area of the sphere)",
                               three_sample_soma_ ? "three samples of a sphere," : "one sample,", diameter));
    } else {
      network::Section soma;
      soma.points = drafts_[0].points;
      note("soma", fmt::format("{} samples read as a chain of truncated cones of {:.4g} um in all", soma.points.size(),
                               soma.length_um()));
    }
    std::size_t wires = 0, begin_at_soma = 0, to_beginning = 0;
    double wire_um = 0;
    for (std::size_t s = 1; s < drafts_.size(); ++s) {
      const Draft& draft = drafts_[s];
      if (to_beginning_[draft.begin]) ++to_beginning;
      if (drafts_[draft.parent].type != kSomaType || draft.type == kSomaType) continue;
      if (!draft.own_start) {
        ++begin_at_soma;
        continue;
      }
      ++wires;
      const Sample &first = samples_[draft.begin], &from = samples_[first.parent];
      wire_um += std::hypot(double{first.x} - from.x, double{first.y} - from.y, double{first.z} - from.z);
    }
    if (wires > 0) {
      note("neurites", fmt::format("{} start at their own first sample; the way there from the soma ({:.4g} um in the "
                                   "mean) has neither membrane nor resistance",
                                   wires, wire_um / static_cast<double>(wires)));
    }
    if (begin_at_soma > 0) {
      note("neurites",
           fmt::format("{} start at a soma sample, with the diameter of their own first sample", begin_at_soma));
    }
    if (to_beginning > 0) {
      note("branches", fmt::format("{} leave from the first own sample of a neurite and are connected to its beginning",
                                   to_beginning));
    }
    note("coordinates", "are held in single precision, as NEURON's Import3d does");
  }

  /// Finds the last sample of every section. `children` counts 100 for a child and 1 more for a child that is not the
  /// next sample or is of another type, so that only a plain continuation gives exactly 100.
  void find_section_ends() {
    const int n = static_cast<int>(samples_.size());
    std::vector<int> children(samples_.size(), 0);
    to_beginning_.assign(samples_.size(), false);
    soma_children_.assign(samples_.size(), 0);
    for (int i = 1; i < n; ++i) {
      const int p = samples_[i].parent;
      children[p] += 100;
      if (p != i - 1) {
        children[p] += 1;
        const bool leaves_from_first_own_point =
            p > 1 && samples_[p].type != kSomaType && samples_[samples_[p].parent].type == kSomaType;
        if (leaves_from_first_own_point) {
          to_beginning_[i] = true;
          children[p] = 100;
        }
      }
      if (samples_[p].type != samples_[i].type) children[p] += 1;
      if (samples_[i].type == kSomaType && samples_[p].type == kSomaType) soma_children_[p] += 1;
    }
    three_sample_soma_ = is_three_sample_soma(children);
    if (three_sample_soma_) samples_[2].parent = 1;
    for (int i = 0; i + 1 < n; ++i) {
      const bool soma_goes_on =
          samples_[i].type == kSomaType && samples_[i + 1].type == kSomaType && samples_[i + 1].parent == i;
      if (soma_goes_on && (i == 0 || soma_children_[i] <= 1)) children[i] = 100;
    }
    int begin = 0;
    section_of_.assign(samples_.size(), 0);
    for (int i = 0; i < n; ++i) {
      section_of_[i] = static_cast<int>(drafts_.size());
      if (children[i] != 100 || i + 1 == n) {
        Draft draft;
        draft.begin = begin;
        draft.end = i + 1;
        draft.type = samples_[begin].type;
        drafts_.push_back(std::move(draft));
        begin = i + 1;
      }
    }
  }

  /// neuromorpho.org writes a spherical soma as three samples: the middle and two ends one radius away.
  bool is_three_sample_soma(const std::vector<int>& children) const {
    const auto soma_samples =
        std::count_if(samples_.begin(), samples_.end(), [](const Sample& s) { return s.type == kSomaType; });
    if (soma_samples != 3) return false;
    const Sample &a = samples_[0], &b = samples_[1], &c = samples_[2];
    if (b.parent != 0 || c.parent != 0 || children[1] != 0 || children[2] != 0) return false;
    if (b.diameter != a.diameter || c.diameter != a.diameter) return false;
    const auto distance = [&](const Sample& s) {
      return std::hypot(double{s.x} - a.x, double{s.y} - a.y, double{s.z} - a.z);
    };
    return std::abs((distance(b) + distance(c)) / a.read_diameter - 1) < 0.01;
  }

  static network::MorphologyPoint point_of(const Sample& sample) {
    return {sample.x, sample.y, sample.z, sample.diameter};
  }

  std::size_t points_in(const Draft& draft, bool root) const {
    if (root && three_sample_soma_) return 1;
    return static_cast<std::size_t>(draft.end - draft.begin) + (root ? 0 : 1);
  }

  void make_drafts() {
    fill_points(drafts_[0], true);
    for (std::size_t s = 1; s < drafts_.size(); ++s) {
      Draft& draft = drafts_[s];
      draft.parent = section_of_[samples_[draft.begin].parent];
      connect(draft);
      fill_points(draft, false);
    }
  }

  /// Where on its parent a section is connected, and whether it starts at its own first sample.
  void connect(Draft& draft) {
    const Draft& parent = drafts_[draft.parent];
    const int p = samples_[draft.begin].parent;
    const bool parent_is_root = draft.parent == 0;
    const bool leaves_soma = parent.type == kSomaType && draft.type != kSomaType;
    const bool several_samples = draft.end - draft.begin > 1;
    const int parent_points = static_cast<int>(points_in(parent, parent_is_root));
    const int last_inside = parent.begin + parent_points - (parent.begin == 0 ? 1 : 2);
    if (parent_is_root && leaves_soma && parent_points == 1) {
      draft.parent_position = 0.5;
      draft.own_start = several_samples;
    } else if (parent_is_root && p == parent.begin) {
      draft.parent_position = 0.0;
      draft.own_start = leaves_soma && soma_children_[p] > 1;
    } else if (parent.type == kSomaType && p < last_inside) {
      draft.parent_position = 0.5;
      draft.own_start = leaves_soma && several_samples;
    } else if (parent.type == kSomaType) {
      draft.own_start = leaves_soma && several_samples && soma_children_[p] > 1;
    }
    if (to_beginning_[draft.begin]) draft.parent_position = 0.0;
  }

  void fill_points(Draft& draft, bool root) {
    const auto add = [&](network::MorphologyPoint point, int id) {
      draft.points.push_back(point);
      draft.swc_ids.push_back(id);
    };
    if (root && points_in(draft, true) == 1) {
      const Sample& soma = samples_[0];
      for (int side = -1; side <= 1; ++side) {
        Sample moved = soma;
        moved.x = as_neuron_keeps(soma.read_x + side * soma.read_diameter / 2);
        add(point_of(moved), side == 0 ? soma.id : -1);
      }
      return;
    }
    if (!root && !draft.own_start) {
      const Sample& parent = samples_[samples_[draft.begin].parent];
      network::MorphologyPoint start = point_of(parent);
      const bool leaves_soma = drafts_[draft.parent].type == kSomaType && draft.type != kSomaType;
      if (leaves_soma) start.diameter_um = point_of(samples_[draft.begin]).diameter_um;
      add(start, parent.id);
    }
    for (int i = draft.begin; i < draft.end; ++i) add(point_of(samples_[i]), samples_[i].id);
  }

  /// Two samples at one place make no section: it is dropped and its children move up to its parent.
  void drop_sections_without_length() {
    std::vector<Draft> kept;
    std::vector<int> new_index(drafts_.size(), -1);
    for (std::size_t s = 0; s < drafts_.size(); ++s) {
      Draft draft = drafts_[s];
      while (draft.parent > 0 && new_index[draft.parent] < 0) {
        draft.parent_position = drafts_[draft.parent].parent_position;
        draft.parent = drafts_[draft.parent].parent;
      }
      const auto same_place = [](const network::MorphologyPoint& a, const network::MorphologyPoint& b) {
        return a.x_um == b.x_um && a.y_um == b.y_um && a.z_um == b.z_um;
      };
      if (s > 0 && draft.points.size() <= 2 && same_place(draft.points.front(), draft.points.back())) {
        diagnostics_.warning({path_.string(), at_line(samples_[draft.begin].line), "",
                              "is a section without length and was left out", "as NEURON does"});
        continue;
      }
      new_index[s] = static_cast<int>(kept.size());
      if (draft.parent >= 0) draft.parent = new_index[draft.parent];
      kept.push_back(std::move(draft));
    }
    drafts_ = std::move(kept);
  }

  network::Morphology in_sonata_order() {
    network::Morphology morphology;
    std::vector<int> new_index(drafts_.size(), -1);
    constexpr std::array<std::pair<int, network::SectionKind>, 4> order{{{1, network::SectionKind::soma},
                                                                         {3, network::SectionKind::basal},
                                                                         {4, network::SectionKind::apical},
                                                                         {2, network::SectionKind::axon}}};
    for (const auto& [type, kind] : order) {
      for (std::size_t s = 0; s < drafts_.size(); ++s) {
        Draft& draft = drafts_[s];
        if (draft.type != type) continue;
        if (draft.parent >= 0 && new_index[draft.parent] < 0) {
          error(at_line(samples_[draft.begin].line), std::string(network::to_string(kind)),
                "must not hang from a section of a kind that SONATA numbers after it (soma, basal, apical, axon)",
                "correct the type of the samples");
          return {};
        }
        new_index[s] = static_cast<int>(morphology.sections.size());
        network::Section section;
        section.kind = kind;
        section.parent = draft.parent < 0 ? -1 : new_index[draft.parent];
        section.parent_position = draft.parent_position;
        section.points = std::move(draft.points);
        section.swc_ids = std::move(draft.swc_ids);
        morphology.sections.push_back(std::move(section));
      }
    }
    return morphology;
  }

  std::filesystem::path path_;
  core::Diagnostics& diagnostics_;
  std::size_t errors_before_;
  std::vector<Sample> samples_;
  std::vector<bool> to_beginning_;  ///< the section that starts here is connected to the beginning of its parent
  std::vector<int> soma_children_;  ///< soma samples whose parent is this soma sample
  std::vector<int> section_of_;     ///< draft that a sample belongs to
  bool three_sample_soma_ = false;
  std::vector<Draft> drafts_;
};

}  // namespace

network::Morphology read_swc(const std::filesystem::path& path, core::Diagnostics& diagnostics) {
  return Reader(path, diagnostics).read();
}

}  // namespace triscale::io
