TITLE Transient sodium current, axonal: g = gbar m^3 h (Colbert and Pan 2002 form)

NEURON {
    SUFFIX NaTa
    USEION na READ ena WRITE ina
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
    celsius (degC)
    ena (mV)
    ina (mA/cm2)
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
    g = gbar * m * m * m * h
    ina = g * (v - ena)
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
    LOCAL a, b, q
    UNITSOFF
    q = 2.3 ^ ((celsius - 23) / 10)
    a = 0.182 * 6 * xr(-(v + 48) / 6)
    b = 0.124 * 6 * xr((v + 48) / 6)
    m_inf = a / (a + b)
    tau_m = 1 / ((a + b) * q)
    a = 0.015 * 6 * xr((v + 69) / 6)
    b = 0.015 * 6 * xr(-(v + 69) / 6)
    h_inf = a / (a + b)
    tau_h = 1 / ((a + b) * q)
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
