import { seal, unseal } from '../../src/core/seal.js';
import { deriveSecrets } from '../../src/core/secrets.js';

const [OLD, YOUNG] = ['an old secret of more than thirty-two bytes', 'a young secret of more than thirty-two bytes'];
const content = { email: 'jo@example.com' };

describe('what a browser carries for the application', () => {
  const secrets = deriveSecrets([OLD]);

  it('opens for what it was sealed for, and shows nothing', () => {
    const sealed = seal(secrets, 'sign-in-cookie', content);
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('jo@');
    expect(unseal(secrets, 'sign-in-cookie', sealed)).toEqual(content);
  });

  it('is sealed differently each time: no nonce is used twice', () => {
    const nonces = Array.from({ length: 1000 }, () => seal(secrets, 'sign-in-cookie', content).slice(0, 16));
    expect(new Set(nonces).size).toBe(1000);
  });

  it('is nothing for another purpose, under another secret, cut, or with any bit changed', () => {
    const sealed = seal(secrets, 'sign-in-cookie', content);
    expect(unseal(secrets, 'sign-in-link', sealed)).toBeUndefined();
    expect(unseal(deriveSecrets([YOUNG]), 'sign-in-cookie', sealed)).toBeUndefined();
    for (const length of [0, 1, 16, 37, 38, sealed.length - 2])
      expect(unseal(secrets, 'sign-in-cookie', sealed.slice(0, length))).toBeUndefined();
    for (const [place, byte] of Buffer.from(sealed, 'base64url').entries()) {
      const changed = Buffer.from(sealed, 'base64url');
      changed[place] = byte ^ 1;
      expect(unseal(secrets, 'sign-in-cookie', changed.toString('base64url'))).toBeUndefined();
    }
  });

  it('opens while the secret that sealed it is listed', () => {
    const sealed = seal(secrets, 'sign-in-cookie', content);
    expect(unseal(deriveSecrets([YOUNG, OLD]), 'sign-in-cookie', sealed)).toEqual(content);
  });
});
