TITLE Transient potassium current: g = gbar m^4 h

NEURON {
    SUFFIX K_T
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
    g = gbar * m * m * m * m * h
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
    x = (v + 71) / 59
    m_inf = 1 / (1 + exp(-(v + 47) / 29))
    tau_m = (0.34 + 0.92 * exp(-x * x)) / q
    x = (v + 73) / 23
    h_inf = 1 / (1 + exp((v + 66) / 10))
    tau_h = (8 + 49 * exp(-x * x)) / q
    UNITSON
}
