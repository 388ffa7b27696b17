/**
 * Ranks of the signals, strongest first. The last two are no word of the visitor: where a law asks for no consent, that is
 * said by GPP's US sections and by TCF's `gdprApplies`, and whoever refuses anywhere else is heard nevertheless.
 */
export const OPT_OUT = 0
export const API = 1
export const TCF = 2
export const GCM = 3
export const CMP = 4
export const GPP = 5
export const NOT_NEEDED = 6
