TITLE High-voltage-activated calcium current: g = gbar m^2 h, no temperature factor

NEURON {
    SUFFIX Ca_HVA
    USEION ca READ eca WRITE ica
    RANGE gbar, g, m_inf, tau_m, h_inf, tau_h
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gbar = 1e-5 (S/cm2)
}

ASSIGNED {
    v (mV)
    eca (mV)
    ica (mA/cm2)
    g (S/cm2)
    m_inf
    tau_m (ms)
    h_inf
    tau_h (ms)
}

STATE {
    m
    h
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    g = gbar * m * m * h
    ica = g * (v - eca)
}

INITIAL {
    rates(v)
    m = m_inf
    h = h_inf
}

DERIVATIVE gates {
    rates(v)
    m' = (m_inf - m) / tau_m
    h' = (h_inf - h) / tau_h
}

PROCEDURE rates(v (mV)) {
    LOCAL a, b
    UNITSOFF
    a = 0.055 * 3.8 * xr(-(v + 27) / 3.8)
    b = 0.94 * exp(-(v + 75) / 17)
    m_inf = a / (a + b)
    tau_m = 1 / (a + b)
    a = 4.57e-4 * exp(-(v + 13) / 50)
    b = 0.0065 / (1 + exp(-(v + 15) / 28))
    h_inf = a / (a + b)
    tau_h = 1 / (a + b)
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
