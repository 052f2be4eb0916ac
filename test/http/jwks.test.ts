import { createPublicKey, generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';
import jsonwebtoken from 'jsonwebtoken';
import request from 'supertest';
import type { JwtAlgorithm } from '../../src/index.js';
import { startAuthApp } from '../support/auth-app.js';

const pem = ({ privateKey }: KeyPairKeyObjectResult) => privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicPem = ({ publicKey }: KeyPairKeyObjectResult) =>
  publicKey.export({ type: 'spki', format: 'pem' }).toString();
const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });

describe('GET /.well-known/jwks.json', () => {
  it('is 404 where tokens are signed with a shared secret', async () => {
    const { url } = await startAuthApp();
    const answer = await request(url).get('/auth/.well-known/jwks.json');
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
  });

  it.each<[JwtAlgorithm, () => KeyPairKeyObjectResult]>([
    ['RS256', rsa],
    ['PS384', rsa],
    ['ES256', () => ec('P-256')],
    ['ES384', () => ec('P-384')],
    ['ES512', () => ec('P-521')],
  ])('shows the %s key that another service verifies access tokens with', async (algorithm, generate) => {
    const keys = generate();
    const { url, signIn } = await startAuthApp({ jwt: { algorithm, privateKey: pem(keys) } });
    const { accessToken, authorization } = await signIn('jo@example.com');
    expect((await request(url).get('/me').set({ authorization })).status).toBe(200);

    const { body } = await request(url).get('/auth/.well-known/jwks.json');
    const kid = jsonwebtoken.decode(accessToken, { complete: true })?.header.kid;
    const shown = body.keys.find((key: { kid: string }) => key.kid === kid);
    expect(shown).toMatchObject({ alg: algorithm, use: 'sig' });
    expect(shown.d).toBeUndefined();
    const key = createPublicKey({ key: shown, format: 'jwk' });
    expect(() =>
      jsonwebtoken.verify(accessToken, key, { algorithms: [algorithm], clockTimestamp: 1_768_478_400 }),
    ).not.toThrow();
  });

  it('shows a key once, however often it is listed', async () => {
    const keys = rsa();
    const { url } = await startAuthApp({
      jwt: { algorithm: 'RS256', privateKey: pem(keys), publicKeys: [publicPem(keys), publicPem(keys)] },
    });
    expect((await request(url).get('/auth/.well-known/jwks.json')).body.keys).toHaveLength(1);
  });

  it('shows and accepts the old key beside the new one while both are listed', async () => {
    const [old, young] = [rsa(), rsa()];
    const before = await startAuthApp({ jwt: { algorithm: 'RS256', privateKey: pem(old) } });
    const { authorization } = await before.signIn('jo@example.com');
    const during = await startAuthApp({
      jwt: { algorithm: 'RS256', privateKey: pem(young), publicKeys: [publicPem(old)] },
    });
    expect((await request(during.url).get('/auth/.well-known/jwks.json')).body.keys).toHaveLength(2);
    expect((await request(during.url).get('/me').set({ authorization })).status).toBe(200);
    const after = await startAuthApp({ jwt: { algorithm: 'RS256', privateKey: pem(young) } });
    expect((await request(after.url).get('/me').set({ authorization })).status).toBe(401);
  });
});
