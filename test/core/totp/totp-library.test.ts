import { loadTotpLibrary } from '../../../src/core/totp/totp-library.js';

const logger = { debug() {}, info() {}, warn() {}, error() {} };
const library = loadTotpLibrary(logger);
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'; // '12345678901234567890', of RFC 6238 appendix B

describe('time-based one-time passwords', () => {
  beforeAll(() => library.ready);

  // The appendix has eight digits; six are their last.
  it.each([
    [59, '94287082', 1],
    [1_111_111_109, '07081804', 37_037_036],
    [1_111_111_111, '14050471', 37_037_037],
    [1_234_567_890, '89005924', 41_152_263],
    [2_000_000_000, '69279037', 66_666_666],
    [20_000_000_000, '65353130', 666_666_666],
  ])('are those of RFC 6238 appendix B at %d', (seconds, code, step) => {
    expect(library.matchingStep(SECRET, code.slice(2), seconds * 1000)).toBe(step);
  });

  it('are good one step before and after, and no further', () => {
    const code = '287082'; // of step 1, from 30 s to 60 s
    const stepAt = (seconds: number) => library.matchingStep(SECRET, code, seconds * 1000);
    expect([0, 29.999, 30, 59.999, 89.999].map(stepAt)).toEqual([1, 1, 1, 1, 1]);
    expect(stepAt(90)).toBeUndefined();
    expect(stepAt(120)).toBeUndefined();
  });

  it.each(['', '28708', '2870820', ' 287082', '28708a', '２８７０８２', '287 082'])(
    'are six digits, not %j',
    (code) => {
      expect(library.matchingStep(SECRET, code, 59_000)).toBeUndefined();
    },
  );

  it('have secrets of 160 bits, as RFC 4226 recommends', () => {
    const secrets = new Set(Array.from({ length: 100 }, () => library.drawSecret()));
    expect(secrets.size).toBe(100);
    for (const secret of secrets) expect(secret).toMatch(/^[A-Z2-7]{32}$/);
  });

  it('are set up by a URI that no issuer can break out of', () => {
    const uri = new URL(library.uri(SECRET, 'Shop: evil?secret=x', 'jo@example.com'));
    expect([uri.protocol, uri.host, decodeURIComponent(uri.pathname)]).toEqual([
      'otpauth:',
      'totp',
      '/Shop  evil?secret=x:jo@example.com',
    ]);
    expect(uri.searchParams.getAll('secret')).toEqual([SECRET]);
    expect(uri.searchParams.get('issuer')).toBe('Shop  evil?secret=x');
  });
});
