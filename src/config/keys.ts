import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { JwtAlgorithm } from '../core/tokens.js';
import type { Problem } from '../errors.js';

/** The asymmetric algorithms' keys, as objects, and what is wrong with them. */
export function readKeys(jwt: { algorithm: JwtAlgorithm; privateKey?: string | undefined; publicKeys: string[] }): {
  problems: Problem[];
  signingKey?: KeyObject;
  verificationKeys?: KeyObject[];
} {
  const problems: Problem[] = [];
  if (jwt.algorithm.startsWith('HS')) {
    const message = `does not fit jwt.algorithm ${jwt.algorithm}, which goes by jwt.secret`;
    if (jwt.privateKey !== undefined) problems.push({ path: 'jwt.privateKey', message });
    if (jwt.publicKeys.length > 0) problems.push({ path: 'jwt.publicKeys', message });
    return { problems };
  }
  const read = (path: string, pem: string, make: (pem: string) => KeyObject) => {
    try {
      const key = make(pem);
      if (keyFits(jwt.algorithm, key)) return [key];
      problems.push({ path, message: `does not fit jwt.algorithm ${jwt.algorithm}` });
    } catch {
      problems.push({ path, message: 'must be a key in PEM form' });
    }
    return [];
  };
  if (jwt.privateKey === undefined)
    problems.push({ path: 'jwt.privateKey', message: `is required with jwt.algorithm ${jwt.algorithm}` });
  const [signingKey] = jwt.privateKey === undefined ? [] : read('jwt.privateKey', jwt.privateKey, createPrivateKey);
  const further = jwt.publicKeys
    .flatMap((text) => text.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? [text])
    .flatMap((pem) => read('jwt.publicKeys', pem, createPublicKey));
  if (signingKey === undefined) return { problems };
  const all = [createPublicKey(signingKey), ...further];
  // One key shown twice is two keys of one name, which clients of a JWKS refuse to choose between.
  const verificationKeys = all.filter((key, place) => all.findIndex((other) => other.equals(key)) === place);
  return { problems, signingKey, verificationKeys };
}

/** RFC 7518 §3.3 to §3.5: RSA of 2048 bits at least; each ES algorithm has its curve. */
function keyFits(algorithm: JwtAlgorithm, key: KeyObject): boolean {
  const curves: Partial<Record<JwtAlgorithm, string>> = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' };
  const curve = curves[algorithm];
  if (curve !== undefined) return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === curve;
  return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
}
