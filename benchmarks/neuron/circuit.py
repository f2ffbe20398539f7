"""Builds the cells and networks of a SONATA circuit (the Allen dialect) in NEURON, the way BMTK BioNet does."""
import csv
import json
import os
import re
import xml.etree.ElementTree as ElementTree

import h5py
import numpy as np
from neuron import h


# Configuration files

def _substitute(value, variables):
    if isinstance(value, str):
        for name in sorted(variables, key=len, reverse=True):
            value = value.replace("${" + name + "}", variables[name]).replace("$" + name, variables[name])
        return value
    if isinstance(value, dict):
        return {k: _substitute(v, variables) for k, v in value.items()}
    if isinstance(value, list):
        return [_substitute(v, variables) for v in value]
    return value


def _resolve(manifest, folder):
    """Manifest values may name each other; the ones that start with '.' are relative to the file's folder."""
    variables = {"configdir": folder}
    variables.update({k.strip("${}"): v for k, v in manifest.items()})
    for _ in range(len(variables) + 1):
        variables = {k: _substitute(v, {n: w for n, w in variables.items() if n != k}) for k, v in variables.items()}
    return {k: os.path.normpath(os.path.join(folder, v)) for k, v in variables.items()}


def load_config(path):
    """Returns one dictionary with run, conditions, inputs, components, networks, node_sets; paths are absolute."""
    path = os.path.abspath(path)
    folder = os.path.dirname(path)
    with open(path) as f:
        raw = json.load(f)
    config = _substitute({k: v for k, v in raw.items() if k != "manifest"},
                         _resolve(raw.get("manifest", {}), folder))

    def absolute(value):
        return os.path.normpath(os.path.join(folder, value))

    for network in config.get("networks", {}).get("nodes", []) + config.get("networks", {}).get("edges", []):
        for key in list(network):
            if network[key] not in (None, "NULL"):
                network[key] = absolute(network[key])
    for key in list(config.get("components", {})):
        config["components"][key] = absolute(config["components"][key])
    for item in config.get("inputs", {}).values():
        if "input_file" in item:
            item["input_file"] = absolute(item["input_file"])
    if isinstance(config.get("node_sets_file"), str):
        with open(absolute(config["node_sets_file"])) as f:
            config["node_sets"] = json.load(f)
    for key in ("network", "simulation"):
        if isinstance(config.get(key), str):
            part = load_config(absolute(config.pop(key)))
            config = {**part, **config}
    return config


def read_table(path):
    """A SONATA csv: separated by blanks, quoted with ", empty values NULL."""
    with open(path, newline="") as f:
        lines = [re.sub(r"[ \t]+", " ", line.strip()) for line in f if line.strip()]
    rows = csv.DictReader(lines, delimiter=" ")
    return [{k: v for k, v in row.items() if v not in ("NULL", "NONE", "")} for row in rows]


# Nodes

def load_nodes(config):
    """{population: list of attribute dictionaries, one per node, with its node type's attributes merged in}"""
    populations = {}
    for entry in config["networks"]["nodes"]:
        types = {int(row["node_type_id"]): row for row in read_table(entry["node_types_file"])}
        with h5py.File(entry["nodes_file"], "r") as f:
            for name, group in f["nodes"].items():
                count = len(group["node_type_id"])
                ids = group["node_id"][()] if "node_id" in group else np.arange(count)
                group_id = group["node_group_id"][()] if "node_group_id" in group else np.zeros(count, int)
                row = group["node_group_index"][()] if "node_group_index" in group else np.arange(count)
                columns = {g: {k: d[()] for k, d in group[str(g)].items() if isinstance(d, h5py.Dataset)}
                           for g in np.unique(group_id)}
                nodes = [None] * count
                for i in range(count):
                    node = dict(types[int(group["node_type_id"][i])])
                    for key, values in columns[group_id[i]].items():
                        node[key] = values[row[i]]
                    nodes[int(ids[i])] = node
                populations[name] = nodes
    return populations


def select_nodes(config, populations, node_set):
    """(population, node id) of every node in a node set: a name, a population's name, a dictionary or a list of ids."""
    if isinstance(node_set, str) and node_set in config.get("node_sets", {}):
        node_set = config["node_sets"][node_set]
    if isinstance(node_set, str):
        if node_set in populations:
            node_set = {"population": node_set}
        elif node_set == "all":
            node_set = {}
        else:
            raise SystemExit(f"unknown node set '{node_set}'")
    if isinstance(node_set, list):
        if node_set and isinstance(node_set[0], str):
            return sorted({x for name in node_set for x in select_nodes(config, populations, name)})
        node_set = {"node_id": node_set}

    def matches(population, node_id, node):
        for key, wanted in node_set.items():
            wanted = wanted if isinstance(wanted, list) else [wanted]
            value = population if key == "population" else node_id if key == "node_id" else node.get(key)
            if value is None or not any(str(value) == str(w) for w in wanted):
                return False
        return True

    return [(p, i) for p, nodes in populations.items() for i, node in enumerate(nodes) if matches(p, i, node)]


# Cell descriptions

UNITS = {"mV": 1.0, "ms": 1.0, "um": 1.0, "mM": 1.0, "S_per_cm2": 1.0, "uF_per_cm2": 1.0, "ohm_cm": 1.0}


def _number(text):
    value, unit = text.split()
    return float(value) * UNITS[unit]


def read_nml(path):
    """Cell description from an Allen NeuroML export; sections are soma, axon, dend, apic."""
    cell = {"cm": {}, "ra": None, "e_pas": {}, "erev": {}, "genome": []}
    for element in ElementTree.parse(path).getroot().iter():
        tag = element.tag.split("}")[-1]
        a = element.attrib
        section = a.get("segmentGroup")
        if tag == "specificCapacitance":
            cell["cm"][section] = _number(a["value"])
        elif tag == "resistivity":
            cell["ra"] = _number(a["value"])
        elif tag == "concentrationModel":
            for name in ("decay", "gamma", "depth", "minCai"):
                value = _number(a[name]) if " " in a[name] else float(a[name])
                cell["genome"].append((section, a["type"], name + "_" + a["type"], value))
        elif tag in ("channelDensity", "channelDensityNernst"):
            channel, density = a["ionChannel"], _number(a["condDensity"])
            if channel == "pas":
                cell["genome"].append((section, "", "g_pas", density))
                cell["e_pas"][section] = _number(a["erev"])
                continue
            cell["genome"].append((section, channel, "gbar_" + channel, density))
            if tag == "channelDensity" and a["ion"] in ("na", "k"):
                cell["erev"].setdefault(section, {})["e" + a["ion"]] = _number(a["erev"])
    return cell


def read_fit(path):
    """Cell description from an Allen fit file."""
    with open(path) as f:
        fit = json.load(f)
    passive = fit["passive"][0]
    cell = {"cm": {c["section"]: c["cm"] for c in passive.get("cm", [])}, "ra": passive["ra"], "e_pas": {},
            "erev": {}, "genome": []}
    for section in ("soma", "axon", "dend", "apic"):
        if "e_pas" in passive:
            cell["e_pas"][section] = passive["e_pas"]
    for gene in fit["genome"]:
        cell["genome"].append((gene["section"], gene["mechanism"], gene["name"], float(gene["value"])))
    for erev in fit["conditions"][0]["erev"]:
        cell["erev"][erev["section"]] = {k: erev[k] for k in ("ena", "ek") if k in erev}
    return cell


def read_cell(config, template):
    schema, name = template.split(":", 1)
    path = os.path.join(config["components"]["biophysical_neuron_models_dir"], name)
    if schema == "nml":
        return read_nml(path)
    if schema == "ctdb":
        return read_fit(path)
    raise SystemExit(f"cell template '{template}' is not supported")


# Cells

class Cell:
    """Sections by kind; `sections` is in the order of the Allen files: soma, basal, apical, axon stubs."""

    def __init__(self, morphology, description, dL_um):
        self.soma, self.dend, self.apic, self.axon = [], [], [], []
        self.all = h.SectionList()      # the next four are what Import3d asks of a cell
        self.somatic, self.basal = h.SectionList(), h.SectionList()
        self.apical, self.axonal = h.SectionList(), h.SectionList()
        reader = h.Import3d_SWC_read()
        reader.quiet = 1
        reader.input(morphology)
        h.Import3d_GUI(reader, 0).instantiate(self)
        for kind in ("soma", "dend", "apic"):
            for section in getattr(self, kind):
                section.nseg = 1 + 2 * int(section.L / (2 * dL_um))
        self._replace_axon()
        self.sections = list(self.soma) + list(self.dend) + list(self.apic) + list(self.axon)
        self._insert(description)
        self.synapses, self.connections, self.clamps = [], [], []

    def __str__(self):
        return "cell"

    def _replace_axon(self):
        """aibs_perisomatic: two stubs of 30 um by 1 um in place of the reconstructed axon."""
        # Where the axon went: record_field.py lets the stubs point there.
        self.axon_tip = [f(self.axon[0].n3d() - 1, sec=self.axon[0]) for f in (h.x3d, h.y3d, h.z3d)] if self.axon else None
        for section in self.axon:
            h.delete_section(sec=section)
        self.axon = [h.Section(name="axon[0]", cell=self), h.Section(name="axon[1]", cell=self)]
        for section in self.axon:
            section.L, section.diam, section.nseg = 30, 1, 1
        self.axon[0].connect(self.soma[0](0.5), 0)
        self.axon[1].connect(self.axon[0](1), 0)

    def _insert(self, description):
        for kind in ("soma", "dend", "apic", "axon"):
            for section in getattr(self, kind):
                section.Ra = description["ra"]
                if kind in description["cm"]:
                    section.cm = description["cm"][kind]
                section.insert("pas")
                if kind in description["e_pas"]:
                    section.e_pas = description["e_pas"][kind]
                for where, mechanism, name, value in description["genome"]:
                    if where == kind:
                        if mechanism:
                            section.insert(mechanism)
                        setattr(section, name, value)
                for name, value in description["erev"].get(kind, {}).items():
                    if h.ismembrane(name[1:] + "_ion", sec=section):
                        setattr(section, name, value)


def build_cell(config, node, dL_um, descriptions):
    processing = node.get("model_processing", "fullaxon")
    if processing != "aibs_perisomatic":
        raise SystemExit(f"model_processing '{processing}' is not supported")
    template = node["model_template"]
    if template not in descriptions:
        descriptions[template] = read_cell(config, template)
    morphology = os.path.join(config["components"]["morphologies_dir"], node["morphology"])
    if not os.path.exists(morphology):
        morphology += ".swc"
    return Cell(morphology, descriptions[template], dL_um)


# Network

class Network:
    """The biophysical cells of a circuit with their synapses, inputs and clamps.

    NEURON's gids number all nodes of all populations one after the other, in the order of the configuration.
    """

    def __init__(self, config):
        self.config = config
        self.pc = h.ParallelContext()
        self.populations = load_nodes(config)
        self.first_gid, count = {}, 0
        for name, nodes in self.populations.items():
            self.first_gid[name] = count
            count += len(nodes)
        self.cells = {}
        self.synapses = 0
        self._keep = []     # NEURON objects that must live as long as the network
        self._build_cells()
        for entry in config["networks"].get("edges", []):
            self._connect(entry)
        self._add_inputs()

    def _build_cells(self):
        run = self.config["run"]
        descriptions = {}
        for population, nodes in self.populations.items():
            for node_id, node in enumerate(nodes):
                if node["model_type"] == "virtual":
                    continue
                if node["model_type"] != "biophysical":
                    raise SystemExit(f"model_type '{node['model_type']}' is not supported")
                cell = build_cell(self.config, node, run.get("dL", 20.0), descriptions)
                gid = self.first_gid[population] + node_id
                soma = cell.soma[0]
                detector = h.NetCon(soma(0.5)._ref_v, None, sec=soma)
                detector.threshold = run.get("spike_threshold", -15.0)
                self.pc.set_gid2node(gid, self.pc.id())
                self.pc.cell(gid, detector)
                self.cells[gid] = cell

    def _connect(self, entry):
        types = {int(row["edge_type_id"]): row for row in read_table(entry["edge_types_file"])}
        parameters = {}
        for type_id, row in types.items():
            if row["model_template"].lower() != "exp2syn":
                raise SystemExit(f"synapse template '{row['model_template']}' is not supported")
            with open(os.path.join(self.config["components"]["synaptic_models_dir"], row["dynamics_params"])) as f:
                values = json.load(f)
            parameters[type_id] = (values["tau1"], values["tau2"], values["erev"])
        with h5py.File(entry["edges_file"], "r") as f:
            for group in f["edges"].values():
                self._connect_population(group, types, parameters)

    def _connect_population(self, group, types, parameters):
        def population_of(end):
            name = group[end].attrs["node_population"]
            return name.decode() if isinstance(name, bytes) else name

        source_gid = group["source_node_id"][()] + self.first_gid[population_of("source_node_id")]
        target_gid = group["target_node_id"][()] + self.first_gid[population_of("target_node_id")]
        type_id = group["edge_type_id"][()]
        group_id = group["edge_group_id"][()]
        row = group["edge_group_index"][()]
        for g in np.unique(group_id):
            values = group[str(int(g))]
            prefix = "afferent_section_id" in values
            section = values["afferent_section_id" if prefix else "sec_id"][()]
            position = values["afferent_section_pos" if prefix else "sec_x"][()]
            weight = values["syn_weight"][()] if "syn_weight" in values else None
            delay = values["delay"][()] if "delay" in values else None
            for edge in np.flatnonzero(group_id == g):
                r, t = int(row[edge]), int(type_id[edge])
                cell = self.cells[int(target_gid[edge])]
                synapse = h.Exp2Syn(cell.sections[int(section[r])](float(position[r])))
                synapse.tau1, synapse.tau2, synapse.e = parameters[t]
                connection = self.pc.gid_connect(int(source_gid[edge]), synapse)
                connection.weight[0] = float(types[t]["syn_weight"] if weight is None else weight[r])
                connection.delay = float(types[t]["delay"] if delay is None else delay[r])
                cell.synapses.append(synapse)
                cell.connections.append(connection)
                self.synapses += 1

    def _add_inputs(self):
        times, gids = [], []
        for name, item in self.config.get("inputs", {}).items():
            kind = item.get("input_type")
            nodes = select_nodes(self.config, self.populations, item.get("node_set", "all"))
            if kind == "spikes" and item.get("module") in ("sonata", "h5"):
                wanted = {}
                for population, node_id in nodes:
                    wanted.setdefault(population, set()).add(node_id)
                with h5py.File(item["input_file"], "r") as f:
                    for population, group in f["spikes"].items():
                        if population not in wanted:
                            continue
                        for t, i in zip(group["timestamps"][()], group["node_ids"][()]):
                            if int(i) in wanted[population]:
                                times.append(float(t))
                                gids.append(self.first_gid[population] + int(i))
            elif kind == "current_clamp":
                for population, node_id in nodes:
                    cell = self.cells.get(self.first_gid[population] + node_id)
                    if cell is not None:
                        self._clamp(cell, item)
            else:
                raise SystemExit(f"input '{name}' ({kind}, {item.get('module')}) is not supported")
        # NEURON's PatternStim fires the connections of a gid at given times; it wants them sorted.
        order = np.argsort(times, kind="stable")
        self.input_times = h.Vector(np.asarray(times, float)[order])
        self.input_gids = h.Vector(np.asarray(gids, float)[order])
        stimulus = h.PatternStim()
        stimulus.fake_output = 1
        stimulus.play(self.input_times, self.input_gids)
        self._keep.append(stimulus)

    @staticmethod
    def _clamp(cell, item):
        def as_list(x):
            return x if isinstance(x, list) else [x]

        for amp, delay, duration in zip(as_list(item["amp"]), as_list(item["delay"]), as_list(item["duration"])):
            clamp = h.IClamp(cell.soma[0](0.5))
            clamp.amp, clamp.delay, clamp.dur = float(amp), float(delay), float(duration)
            cell.clamps.append(clamp)

    def population_of(self, gid):
        for name, first in self.first_gid.items():
            if first <= gid < first + len(self.populations[name]):
                return name, gid - first
        raise KeyError(gid)

    def compartments(self):
        return sum(section.nseg for cell in self.cells.values() for section in cell.sections)
