TITLE Slow delayed rectifier: g = gbar m^2 (h1 + h2)/2; both h share h_inf

NEURON {
    SUFFIX Kv2like
    USEION k READ ek WRITE ik
    RANGE gbar, g, m_inf, tau_m, h1_inf, tau_h1, h2_inf, tau_h2
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
    h1_inf
    tau_h1 (ms)
    h2_inf
    tau_h2 (ms)
}

STATE {
    m
    h1
    h2
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    g = gbar * m * m * (0.5 * h1 + 0.5 * h2)
    ik = g * (v - ek)
}

INITIAL {
    rates(v)
    m = m_inf
    h1 = h1_inf
    h2 = h2_inf
}

DERIVATIVE gates {
    rates(v)
    m' = (m_inf - m) / tau_m
    h1' = (h1_inf - h1) / tau_h1
    h2' = (h2_inf - h2) / tau_h2
}

PROCEDURE rates(v (mV)) {
    LOCAL a, b, q, x
    UNITSOFF
    q = 2.3 ^ ((celsius - 21) / 10)
    a = 0.12 * 11 * xr(-(v - 43) / 11)
    b = 0.02 * exp(-(v + 1.27) / 120)
    m_inf = a / (a + b)
    tau_m = 2.5 / ((a + b) * q)
    x = (v + 75) / 48
    h1_inf = 1 / (1 + exp((v + 58) / 11))
    h2_inf = h1_inf
    tau_h1 = (360 + (1010 + 23.7 * (v + 54)) * exp(-x * x)) / q
    : negative below about -119 mV, and left so: the perisomatic cells come with no guard
    tau_h2 = (2350 + 1380 * exp(-0.011 * v) - 210 * exp(-0.03 * v)) / q
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
