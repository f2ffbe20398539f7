TITLE Sodium current with a 12-state Markov gate (Carter et al. 2012): g = gbar O

COMMENT
Closed states C1..C5 lead to the open state O; beside them stand the inactivated states I1..I6:

    C1 - C2 - C3 - C4 - C5 - O
    |    |    |    |    |    |
    I1 - I2 - I3 - I4 - I5 - I6

With k = 2.3^((T - 37)/10), a = 400 k exp(v/24), b = 12 k exp(-v/24), A = 2.51, B = 5.32:
C_n to C_n+1 at (5-n) a, back at n b; I_n to I_n+1 at (5-n) a A, back at n b / B; C5 to O and I5 to I6
at 250 k, back at 60 k; O to I6 at 8 k, back at 0.05 k; C_n to I_n at 0.01 k A^(n-1), back at 40 k / B^(n-1).

The start. The steady state is the solution of eleven balances and "the sum is 1". Published copies of this
mechanism have a slip in the balance of I3: the flow that comes in from I4 is taken at the rate of I3 to C3
(40 k / B^2) where the rate of I4 to I3 (3 b / B) is meant, so they start away from the steady state, by up to
0.18 in an occupancy at -65 mV, and relax during the first milliseconds. published_start_NaV = 1 starts there
too; 0, the default, starts in the steady state.
ENDCOMMENT

NEURON {
    SUFFIX NaV
    USEION na READ ena WRITE ina
    RANGE gbar, g
    GLOBAL published_start
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gbar = 0.015 (S/cm2)
    published_start = 0
}

ASSIGNED {
    v (mV)
    celsius (degC)
    ena (mV)
    ina (mA/cm2)
    g (S/cm2)
    c12 (/ms) c23 (/ms) c34 (/ms) c45 (/ms) co (/ms)
    c21 (/ms) c32 (/ms) c43 (/ms) c54 (/ms) oc (/ms)
    i12 (/ms) i23 (/ms) i34 (/ms) i45 (/ms) i56 (/ms)
    i21 (/ms) i32 (/ms) i43 (/ms) i54 (/ms) i65 (/ms)
    d1 (/ms) d2 (/ms) d3 (/ms) d4 (/ms) d5 (/ms) d6 (/ms)
    u1 (/ms) u2 (/ms) u3 (/ms) u4 (/ms) u5 (/ms) u6 (/ms)
    start_i43 (/ms)
}

STATE {
    C1 C2 C3 C4 C5 O I1 I2 I3 I4 I5 I6
}

BREAKPOINT {
    SOLVE gate METHOD sparse
    g = gbar * O
    ina = g * (v - ena)
}

INITIAL {
    rates(v)
    if (published_start) {
        start_i43 = u3
    } else {
        start_i43 = i43
    }
    SOLVE steady
}

LINEAR steady {
    ~ c21*C2 + u1*I1 - (c12 + d1)*C1 = 0
    ~ c12*C1 + c32*C3 + u2*I2 - (c21 + c23 + d2)*C2 = 0
    ~ c23*C2 + c43*C4 + u3*I3 - (c32 + c34 + d3)*C3 = 0
    ~ c34*C3 + c54*C5 + u4*I4 - (c43 + c45 + d4)*C4 = 0
    ~ c45*C4 + oc*O + u5*I5 - (c54 + co + d5)*C5 = 0
    ~ co*C5 + u6*I6 - (oc + d6)*O = 0
    ~ i21*I2 + d1*C1 - (i12 + u1)*I1 = 0
    ~ i12*I1 + i32*I3 + d2*C2 - (i21 + i23 + u2)*I2 = 0
    ~ i23*I2 + start_i43*I4 + d3*C3 - (i32 + i34 + u3)*I3 = 0
    ~ i34*I3 + i54*I5 + d4*C4 - (i43 + i45 + u4)*I4 = 0
    ~ i45*I4 + i65*I6 + d5*C5 - (i54 + i56 + u5)*I5 = 0
    ~ C1 + C2 + C3 + C4 + C5 + O + I1 + I2 + I3 + I4 + I5 + I6 = 1
}

KINETIC gate {
    rates(v)
    ~ C1 <-> C2 (c12, c21)
    ~ C2 <-> C3 (c23, c32)
    ~ C3 <-> C4 (c34, c43)
    ~ C4 <-> C5 (c45, c54)
    ~ C5 <-> O (co, oc)
    ~ I1 <-> I2 (i12, i21)
    ~ I2 <-> I3 (i23, i32)
    ~ I3 <-> I4 (i34, i43)
    ~ I4 <-> I5 (i45, i54)
    ~ I5 <-> I6 (i56, i65)
    ~ C1 <-> I1 (d1, u1)
    ~ C2 <-> I2 (d2, u2)
    ~ C3 <-> I3 (d3, u3)
    ~ C4 <-> I4 (d4, u4)
    ~ C5 <-> I5 (d5, u5)
    ~ O <-> I6 (d6, u6)
    CONSERVE C1 + C2 + C3 + C4 + C5 + O + I1 + I2 + I3 + I4 + I5 + I6 = 1
}

PROCEDURE rates(v (mV)) {
    LOCAL k, a, b, A, B
    UNITSOFF
    k = 2.3 ^ ((celsius - 37) / 10)
    a = k * 400 * exp(v / 24)
    b = k * 12 * exp(-v / 24)
    A = 2.51
    B = 5.32

    c12 = 4 * a
    c23 = 3 * a
    c34 = 2 * a
    c45 = a
    c21 = b
    c32 = 2 * b
    c43 = 3 * b
    c54 = 4 * b
    co = 250 * k
    oc = 60 * k

    i12 = 4 * a * A
    i23 = 3 * a * A
    i34 = 2 * a * A
    i45 = a * A
    i21 = b / B
    i32 = 2 * b / B
    i43 = 3 * b / B
    i54 = 4 * b / B
    i56 = 250 * k
    i65 = 60 * k

    d1 = 0.01 * k
    d2 = d1 * A
    d3 = d2 * A
    d4 = d3 * A
    d5 = d4 * A
    d6 = 8 * k
    u1 = 40 * k
    u2 = u1 / B
    u3 = u2 / B
    u4 = u3 / B
    u5 = u4 / B
    u6 = 0.05 * k
    UNITSON
}
