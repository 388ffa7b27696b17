/** How many decimals a currency of ISO 4217 has, where it is not two; with ICU, which browsers and Node format with, some have others. */
export const DECIMALS: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
}

/** Of a currency that there is. */
export const decimalsOf = (currency: string): number =>
  Number(Object.entries(DECIMALS).find(([, codes]) => codes.includes(currency))?.[0] ?? 2)
