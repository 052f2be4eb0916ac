/** Characters, in normal form: with all that stands beside it, a sign-in under way fits into a cookie. */
const LONGEST_PATH = 1536;
/** Stands for whatever host the application has: what leaves it is no path of the application. */
const HERE = 'http://here.invalid';

/**
 * Where a browser is sent after signing in: a path of this very origin, in its normal form; `undefined` for anything
 * else, so that nobody can have the sign-in page send its users elsewhere.
 *
 * Browsers drop tabs and line breaks and read `\` as `/`, so none of these may be in it; and `/.//evil.example` is
 * `//evil.example` once its dots are resolved, so the result is judged as well as what came.
 */
export function pathOfThisOrigin(input: unknown): string | undefined {
  if (typeof input !== 'string' || input.length > LONGEST_PATH) return undefined;
  if (!/^\/(?!\/)[^\p{Cc}\\]*$/u.test(input) || !URL.canParse(input, HERE)) return undefined;
  const { origin, pathname, search, hash } = new URL(input, HERE);
  const path = pathname + search + hash;
  // Its letters beyond ASCII have become longer.
  return origin === HERE && !pathname.startsWith('//') && path.length <= LONGEST_PATH ? path : undefined;
}
