/** Headers of what is read as it comes: a proxy in front hands on each piece, and changes none. */
export const AS_IT_COMES = { 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no' } as const
