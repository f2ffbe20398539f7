TITLE Hyperpolarisation-activated cation current: g = gbar m, reversal -45 mV, no temperature factor

NEURON {
    SUFFIX Ih
    NONSPECIFIC_CURRENT ihcn
    RANGE gbar, g, ehcn, m_inf, tau_m
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gbar = 1e-5 (S/cm2)
    ehcn = -45 (mV)
}

ASSIGNED {
    v (mV)
    ihcn (mA/cm2)
    g (S/cm2)
    m_inf
    tau_m (ms)
}

STATE {
    m
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    g = gbar * m
    ihcn = g * (v - ehcn)
}

INITIAL {
    rates(v)
    m = m_inf
}

DERIVATIVE gates {
    rates(v)
    m' = (m_inf - m) / tau_m
}

PROCEDURE rates(v (mV)) {
    LOCAL a, b
    UNITSOFF
    a = 0.001 * 6.43 * 11.9 * xr((v + 154.9) / 11.9)
    b = 0.001 * 193 * exp(v / 33.1)
    m_inf = a / (a + b)
    tau_m = 1 / (a + b)
    UNITSON
}

UNITSOFF
FUNCTION xr(x) {
    : x / (exp(x) - 1), with its limit at x = 0
    if (fabs(x) < 1e-6) {
        xr = 1 - x / 2
    } else {
        xr = x / (exp(x) - 1)
    }
}
UNITSON
