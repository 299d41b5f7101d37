/** Warnings of a load that begin with this mean that data of the trace is missing: the catalog calls it partial. */
export const INCOMPLETE = 'incomplete: ';
