TITLE Persistent potassium current: g = gbar m^2 h

NEURON {
    SUFFIX K_P
    USEION k READ ek WRITE ik
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
    ek (mV)
    ik (mA/cm2)
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
    ik = g * (v - ek)
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
    LOCAL q, x
    UNITSOFF
    q = 2.3 ^ ((celsius - 21) / 10)
    m_inf = 1 / (1 + exp(-(v + 14.3) / 14.6))
    : tau_m jumps at -50 mV
    if (v < -50) {
        tau_m = (1.25 + 175.03 * exp(0.026 * v)) / q
    } else {
        tau_m = (1.25 + 13 * exp(-0.026 * v)) / q
    }
    x = (v + 75) / 48
    h_inf = 1 / (1 + exp((v + 54) / 11))
    tau_h = (360 + (1010 + 24 * (v + 55)) * exp(-x * x)) / q
    UNITSON
}
