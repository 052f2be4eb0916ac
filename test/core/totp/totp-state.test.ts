import { deriveSecrets } from '../../../src/core/secrets.js';
import { drawRecoveryCodes, hashRecoveryCode } from '../../../src/core/totp/recovery-codes.js';
import { isSealedUnderOldSecret, openTotpState, sealTotpState } from '../../../src/core/totp/totp-state.js';

const [OLD, YOUNG] = ['an old secret of more than thirty-two bytes', 'a young secret of more than thirty-two bytes'];
const state = { secret: 'GEZDGNBVGY3TQOJQ', isConfirmed: true, recoveryHashes: ['a', 'b'] };

describe("a user's sealed second factor", () => {
  const secrets = deriveSecrets([OLD]);

  it('opens for its user, and shows nothing', () => {
    const sealed = sealTotpState(secrets, 'user', state);
    expect(sealed).not.toMatch(/GEZD|secret/);
    expect(sealTotpState(secrets, 'user', state)).not.toBe(sealed);
    expect(openTotpState(secrets, 'user', sealed)).toEqual(state);
  });

  it("does not open in another user's row, cut, changed, or under another secret", () => {
    const sealed = sealTotpState(secrets, 'user', state);
    const [id = '', text = ''] = sealed.split('.');
    const flipped = Buffer.from(text, 'base64url');
    flipped[40] = (flipped[40] ?? 0) ^ 1;
    expect(() => openTotpState(secrets, 'another', sealed)).toThrow();
    expect(() => openTotpState(secrets, 'user', sealed.slice(0, -4))).toThrow();
    expect(() => openTotpState(secrets, 'user', `${id}.${flipped.toString('base64url')}`)).toThrow();
    expect(() => openTotpState(deriveSecrets([YOUNG]), 'user', sealed)).toThrow('no longer listed');
  });

  it('opens while the old secret is listed, and is known to be under it', () => {
    const sealed = sealTotpState(secrets, 'user', state);
    const both = deriveSecrets([YOUNG, OLD]);
    expect(openTotpState(both, 'user', sealed)).toEqual(state);
    expect(isSealedUnderOldSecret(both, sealed)).toBe(true);
    expect(isSealedUnderOldSecret(both, sealTotpState(both, 'user', state))).toBe(false);
  });

  it('is absent where there is none', () => {
    for (const none of [undefined, null, '']) expect(openTotpState(secrets, 'user', none)).toBeUndefined();
  });

  it('fits into two kilobytes', () => {
    const full = { ...state, secret: 'A'.repeat(32), recoveryHashes: Array.from({ length: 10 }, () => 'h'.repeat(22)) };
    expect(sealTotpState(secrets, 'user', full).length).toBeLessThan(2048);
  });
});

describe('recovery codes', () => {
  it('are ten, all different, of more than 64 bits each', () => {
    const codes = drawRecoveryCodes();
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^[2-9a-hjkmnp-z]{5}-[2-9a-hjkmnp-z]{5}-[2-9a-hjkmnp-z]{5}$/);
    expect(Math.log2(31 ** 15)).toBeGreaterThan(64);
  });

  it('are hashed for one app, however they are written', () => {
    const hash = hashRecoveryCode('GEZDGNBVGY3TQOJQ', 'abcde-fghjk-mnpqr');
    expect(hashRecoveryCode('GEZDGNBVGY3TQOJQ', ' ABCDE FGHJK MNPQR ')).toBe(hash);
    expect(hashRecoveryCode('MZXW6YTBOI======', 'abcde-fghjk-mnpqr')).not.toBe(hash);
    expect(hashRecoveryCode('GEZDGNBVGY3TQOJQ', 'abcde-fghjk-mnpqs')).not.toBe(hash);
  });
});
