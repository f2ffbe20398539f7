TITLE Calcium-activated potassium current: g = gbar z, z following cai with 1 ms

NEURON {
    SUFFIX SK
    USEION k READ ek WRITE ik
    USEION ca READ cai
    RANGE gbar, g, z_inf, tau_z
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (mM) = (milli/liter)
    (S) = (siemens)
}

PARAMETER {
    gbar = 1e-6 (S/cm2)
    tau_z = 1 (ms)
}

ASSIGNED {
    v (mV)
    ek (mV)
    ik (mA/cm2)
    cai (mM)
    g (S/cm2)
    z_inf
}

STATE {
    z
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    g = gbar * z
    ik = g * (v - ek)
}

INITIAL {
    rates(cai)
    z = z_inf
}

DERIVATIVE gates {
    rates(cai)
    z' = (z_inf - z) / tau_z
}

PROCEDURE rates(ca (mM)) {
    LOCAL c
    UNITSOFF
    c = ca
    if (c < 1e-7) {
        c = c + 1e-7
    }
    z_inf = 1 / (1 + (4.3e-4 / c) ^ 4.8)
    UNITSON
}
