TITLE Persistent sodium current: g = gbar m_inf(v) h, with instantaneous m

NEURON {
    SUFFIX Nap
    USEION na READ ena WRITE ina
    RANGE gbar, g, h_inf, tau_h, m_inf
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
    h_inf
    tau_h (ms)
}

STATE {
    h
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    : m_inf is taken at each v for which the current is asked, so NEURON's difference quotient di/dv holds
    : dm/dv too. Setting it with the gate step instead moves spikes by 0.1 ms at usual time steps.
    m_inf = 1 / (1 + exp(-(v + 52.6) / 4.6))
    g = gbar * m_inf * h
    ina = g * (v - ena)
}

INITIAL {
    rates(v)
    h = h_inf
}

DERIVATIVE gates {
    rates(v)
    h' = (h_inf - h) / tau_h
}

PROCEDURE rates(v (mV)) {
    LOCAL a, b, q
    UNITSOFF
    q = 2.3 ^ ((celsius - 21) / 10)
    h_inf = 1 / (1 + exp((v + 48.8) / 10))
    a = 2.88e-6 * 4.63 * xr((v + 17) / 4.63)
    b = 6.94e-6 * 2.63 * xr(-(v + 64.4) / 2.63)
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
