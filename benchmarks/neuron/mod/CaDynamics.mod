TITLE Calcium in a thin shell below the membrane: inflow by the calcium current, exponential return to rest

NEURON {
    SUFFIX CaDynamics
    USEION ca READ ica WRITE cai
    RANGE gamma, decay, depth, minCai
}

UNITS {
    (mA) = (milliamp)
    (mM) = (milli/liter)
    (um) = (micron)
}

PARAMETER {
    gamma = 0.05
    decay = 80 (ms)
    depth = 0.1 (um)
    minCai = 1e-4 (mM)
}

ASSIGNED {
    ica (mA/cm2)
}

STATE {
    cai (mM)
}

BREAKPOINT {
    SOLVE shell METHOD cnexp
}

INITIAL {
    cai = minCai
}

UNITSOFF
DERIVATIVE shell {
    : 96485.33212331 C/mol is the Faraday constant
    cai' = -10000 * ica * gamma / (2 * 96485.33212331 * depth) - (cai - minCai) / decay
}
UNITSON
