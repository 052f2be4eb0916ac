import type { z } from 'zod';
import type { Problem } from '../errors.js';

/** What a body, query or form holds, as the schema has it, or what is wrong with it. */
export function readInput<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
): { data: z.output<Schema> } | { problems: Problem[] } {
  try {
    const parsed = schema.safeParse(input);
    if (parsed.success) return { data: parsed.data };
    return { problems: parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })) };
  } catch {
    // zod compares the `length` of whatever has one, text or not, and `{ "length": { "toString": 0 } }` makes that throw.
    return { problems: [{ path: '', message: 'is not valid' }] };
  }
}
