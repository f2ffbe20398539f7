TITLE Muscarinic potassium current, second form: g = gbar m

NEURON {
    SUFFIX Im_v2
    USEION k READ ek WRITE ik
    RANGE gbar, g, m_inf, tau_m
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
}

STATE {
    m
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    g = gbar * m
    ik = g * (v - ek)
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
    LOCAL a, b, q
    UNITSOFF
    q = 2.3 ^ ((celsius - 30) / 10)
    a = 0.007 * exp(6 * 0.4 * (v + 48) / 26.12)
    b = 0.007 * exp(-6 * 0.6 * (v + 48) / 26.12)
    m_inf = a / (a + b)
    tau_m = (15 + 1 / (a + b)) / q
    UNITSON
}
