import { guardedBy } from './common.mjs';

/** The route alone. It gets the same requests as the others, tokens and all. */
export const start = async () => guardedBy([]);
