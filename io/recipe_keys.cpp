// The vocabulary of recipes (io/recipe.hpp).
#include "io/model_json.hpp"
#include "io/recipe.hpp"

namespace triscale::io {

const std::map<std::string, std::vector<std::string>>& recipe_keys() {
  static const std::map<std::string, std::vector<std::string>> kKeys = [] {
    std::map<std::string, std::vector<std::string>> keys = model_keys();
    keys["recipe"] = {"$schema",     "triscale_recipe", "description", "run",    "cell_types",  "synapse_types",
                      "populations", "projections",     "inputs",      "probes", "field_probes"};
    keys["run"] = {"duration_ms",        "dt_ms",  "seed",        "celsius", "V_init_mV",
                   "spike_threshold_mV", "scheme", "compartments"};
    keys["compartments"] = {"max_length_um", "d_lambda", "frequency_Hz"};
    keys["cell_type"] = {"name", "sign", "detailed", "point", "meanfield"};
    keys["glif_file"] = {"model", "allen_file"};
    keys["detailed_cell"] = {"swc_file", "sections", "regions", "mechanisms", "Ca_out_mM"};
    keys["section"] = {"name",      "kind",        "parent",          "parent_position",
                       "length_um", "diameter_um", "end_diameter_um", "direction"};
    keys["regions"] = {"all", "soma", "axon", "basal", "apical"};
    keys["region"] = {"Ra_Ohm_cm", "C_m_uF_cm2", "g_pas_S_cm2", "e_pas_mV", "E_Na_mV", "E_K_mV"};
    keys["mechanism"] = {"mechanism", "regions", "parameters", "density"};
    keys["density"] = {"shape",  "origin", "relative", "offset", "slope",  "amplitude",
                       "center", "width",  "begin",    "end",    "inside", "outside"};
    keys["parameters"] = {"gbar_S_cm2", "gnabar_S_cm2", "gkbar_S_cm2", "gl_S_cm2",  "el_mV",
                          "gamma",      "decay_ms",     "depth_um",    "minCai_mM", "published_start"};
    keys["synapse_type"] = {"name", "detailed", "point", "meanfield", "release", "plasticity"};
    keys["population"] = {"name",    "size",   "cell_type", "virtual",  "sign",
                          "poisson", "spikes", "V_init_mV", "positions"};
    keys["positions"] = {"file", "low_um", "high_um", "cylinder_axis", "random_rotation_about"};
    keys["poisson"] = {"rate_hz", "times_ms", "rates_hz", "bin_ms", "correlation"};
    keys["spikes"] = {"times_ms", "cells", "file", "population"};
    keys["projection"] = {"name",      "source",         "target",          "synapse_type", "rule",
                          "weight",    "weight_uS",      "weight_nA",       "weight_mV",    "delay_ms",
                          "placement", "source_section", "source_position", "edges_file"};
    keys["rule"] = {"kind", "probability", "number", "multapses", "autapses"};
    keys["distribution"] = {"kind", "mean", "sd", "low", "high"};
    keys["placement"] = {"kinds", "min_distance_um", "max_distance_um"};
    keys["poisson_input"] = {
        "name",   "kind",      "target",    "synapse_type", "rate_hz",          "times_ms", "rates_hz",  "bin_ms",
        "weight", "weight_uS", "weight_nA", "weight_mV",    "sources_per_cell", "delay_ms", "placement", "correlation"};
    keys["current_step"] = {"name",     "kind",     "target", "cells",       "section",
                            "position", "begin_ms", "end_ms", "amplitude_nA"};
    keys["current_ramp"] = {"name",     "kind",     "target", "cells",    "section",
                            "position", "begin_ms", "end_ms", "begin_nA", "end_nA"};
    keys["current_noise"] = {"name",     "kind",   "target",  "cells", "section", "position",
                             "begin_ms", "end_ms", "mean_nA", "sd_nA", "tau_ms"};
    keys["probe"] = {"name", "population", "variable", "cells", "where", "begin_ms", "end_ms", "dt_ms"};
    keys["weight_probe"] = {"name", "projection", "begin_ms", "end_ms", "dt_ms"};
    keys["electrode"] = {"id", "position_um", "radius_um", "normal"};
    const std::vector<std::string> field = {"name",   "kind",  "populations", "begin_ms",
                                            "end_ms", "dt_ms", "average",     "contributions_dir"};
    const auto field_keys = [&](std::vector<std::string> own) {
      own.insert(own.begin(), field.begin(), field.end());
      return own;
    };
    keys["field_potential"] =
        field_keys({"electrodes", "electrodes_file", "source", "conductivity_S_m", "disc_points"});
    keys["field_csd"] = field_keys({"volumes"});
    keys["field_dipole"] = field_keys({});
    keys["field_eeg"] = field_keys({"electrodes", "electrodes_file", "conductivity_S_m", "head", "dipole_position_um"});
    keys["field_meg"] = field_keys({"sensors", "sphere_centre_um", "dipole_position_um"});
    keys["volume"] = {"id", "low_um", "high_um", "cylinder_axis"};
    keys["head"] = {"centre_um", "radii_um", "conductivities_S_m"};
    keys["sensor"] = {"id", "position_um", "direction"};
    return keys;
  }();
  return kKeys;
}

}  // namespace triscale::io
