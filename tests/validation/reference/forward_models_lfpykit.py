"""Values of LFPykit (https://lfpykit.readthedocs.io) for tests/validation/forward_models_lfpykit.cpp.

    python3 forward_models_lfpykit.py > forward_models_lfpykit.json      needs lfpykit (made with 0.6.2)

A random cell of a soma and seven segments, electrodes some ten um away, heads and sensors in um.
"""
import json

import lfpykit
import numpy as np
from lfpykit import eegmegcalc

random = np.random.default_rng(11)
start = random.uniform(-60, 60, (8, 3))
end = start + random.uniform(-25, 25, (8, 3))
diameter = random.uniform(0.5, 3, 8)
start[0], end[0], diameter[0] = [-8, 0, 0], [8, 0, 0], 15
electrodes = random.uniform(-120, 120, (6, 3))
cell = lfpykit.CellGeometry(*(np.stack([start[:, k], end[:, k]], axis=1) for k in range(3)), d=diameter)


def potential(method, sigma):
    probe = lfpykit.RecExtElectrode(cell, sigma=sigma, method=method, **dict(zip("xyz", electrodes.T)))
    return probe.get_transformation_matrix().T.tolist()


anisotropic = [0.2, 0.3, 0.45]
result = {
    "lfpykit": lfpykit.__version__, "start_um": start.tolist(), "end_um": end.tolist(), "diameter_um": diameter.tolist(),
    "electrodes_um": electrodes.tolist(), "anisotropic_S_m": anisotropic,
    "point": potential("pointsource", 0.3), "line": potential("linesource", 0.3),
    "root_as_point": potential("root_as_point", 0.3),
    "anisotropic_point": potential("pointsource", anisotropic), "anisotropic_line": potential("linesource", anisotropic),
    "dipole": lfpykit.CurrentDipoleMoment(cell).get_transformation_matrix().T.tolist(),
}

boxes = np.array([-80.0, -20, 30, 90])
csd = lfpykit.VolumetricCurrentSourceDensity(cell, x=boxes, y=boxes, z=boxes).get_transformation_matrix()
result["box_edges_um"] = boxes.tolist()
result["csd"] = csd.reshape(-1, 8).tolist()     # of box (i, j, k), x slowest

radii, sigmas = [79000.0, 80000.0, 85000.0, 90000.0], [0.3, 1.5, 0.015, 0.3]
direction = random.normal(size=(5, 3))
direction /= np.linalg.norm(direction, axis=1)[:, None]
distance = np.array([90000.0, 89000, 82000, 79500, 78900])
sites, dipoles = direction * distance[:, None], [[0, 0, 78000.0], [30000.0, -20000, 50000]]
head = eegmegcalc.FourSphereVolumeConductor(sites, radii, sigmas)
result["head"] = {"electrodes_um": sites.tolist(), "dipoles_um": dipoles,
                  "lead_field_mV": [head.get_transformation_matrix(np.array(d)).tolist() for d in dipoles]}

sensors = direction * 110000
sphere, infinite = eegmegcalc.SphericallySymmetricVolCondMEG(sensors), eegmegcalc.InfiniteHomogeneousVolCondMEG(sensors)
result["meg"] = {"sensors_um": sensors.tolist(), "dipole_um": dipoles[1],
                 "sphere_nA_um": sphere.get_transformation_matrix(np.array(dipoles[1])).tolist(),
                 "infinite_nA_um": infinite.get_transformation_matrix(np.array(dipoles[1])).tolist()}
print(json.dumps(result).replace("]], ", "]],\n"))
