/** Header and payload of a token, unverified. */
export function readToken(token: string | undefined): {
  header: Record<string, unknown>;
  payload: Record<string, unknown>;
} {
  const [header, payload] = (token ?? '')
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>);
  if (header === undefined || payload === undefined) throw new Error('not a token');
  return { header, payload };
}
