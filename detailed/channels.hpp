/// Kinetics of the channels: one struct a channel, each readable as its row in the published tables.
///
/// A channel carries the current density i = gbar open(x, V) (V - E), E the reversal potential of its ion. Gates obey
///   dx/dt = (x_inf(V) - x) / tau_x(V);   where rates are given, x_inf = alpha/(alpha+beta), tau = 1/((alpha+beta) q).
/// xr(x) = x/(e^x - 1), 1 at 0. T is the temperature in degC; q10 factors are stated beside each family.
///
/// Sources: Hodgkin & Huxley 1952 (hh); Colbert & Pan 2002 (NaTs, NaTa); Magistretti & Alonso 1999 (Nap, persistent
/// sodium); Korngreen & Sakmann 2000 (K_T, K_P); Keren et al. 2005 (Kv2like); Rettig et al. 1992 (Kv3_1); Kole et al.
/// 2006 (Ih); Adams et al. 1982 (Im); Vervaeke et al. 2006 (Im_v2); Foust et al. 2011 (Kd); Reuveni et al. 1993
/// (Ca_HVA); Avery & Johnston 1996, Randall & Tsien 1997 (Ca_LVA); Koehler et al. 1996 (SK). Parameter sets as in the
/// Allen Cell Types Database; hay_channels.hpp has those of Hay et al. 2011 (PLoS Comput Biol 7: e1002107), which the
/// Blue Brain Project's cells use too. Its files take the factor 2.3^((34-21)/10) whatever the temperature of the run;
/// so do we.
#pragma once

#include "detailed/calcium_channels.hpp"
#include "detailed/hay_channels.hpp"
#include "detailed/potassium_channels.hpp"
#include "detailed/sodium_channels.hpp"
#include "detailed/squid_channels.hpp"
