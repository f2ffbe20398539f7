TITLE Low-voltage-activated calcium current: g = gbar m^2 h

NEURON {
    SUFFIX Ca_LVA
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
    celsius (degC)
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
    LOCAL q
    UNITSOFF
    q = 2.3 ^ ((celsius - 21) / 10)
    m_inf = 1 / (1 + exp(-(v + 40) / 6))
    tau_m = (5 + 20 / (1 + exp((v + 35) / 5))) / q
    h_inf = 1 / (1 + exp((v + 90) / 6.4))
    tau_h = (20 + 50 / (1 + exp((v + 50) / 7))) / q
    UNITSON
}
