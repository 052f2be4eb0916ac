import type { Application } from 'express';
import fc from 'fast-check';
import { generateSync } from 'otplib';
import request from 'supertest';
import { pathOfThisOrigin } from '../../../src/http/pages/return-to.js';
import { JO, PlainBrowser, startPagedApp } from './support.js';

const ATTACKS = [
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '\\/evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/\r\n/evil.example',
  '\t//evil.example',
  ' //evil.example',
  '/\u0000/evil.example',
  '/.//evil.example',
  '/..//evil.example',
  '/a/..//evil.example',
  '/%2e//evil.example',
  '/%2e%2e//evil.example',
  '/a\\b',
  'https://evil.example',
  'https:/evil.example',
  'https:evil.example',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\nscript:alert(1)',
  'data:text/html,x',
  'evil.example',
  '@evil.example',
  '.evil.example',
  '?x',
  '#x',
  '',
  `/${'a'.repeat(3000)}`,
  `/${'日'.repeat(300)}`,
];

describe('the path that a browser goes back to', () => {
  it.each(ATTACKS)('is never %j', (attack) => {
    expect(pathOfThisOrigin(attack)).toBeUndefined();
  });

  it.each([undefined, null, 1, ['/a'], { 0: '/' }])('is text: not %j', (input) => {
    expect(pathOfThisOrigin(input)).toBeUndefined();
  });

  it.each([
    ['/', '/'],
    ['/account?tab=1&x=%2F%2Fevil.example#top', '/account?tab=1&x=%2F%2Fevil.example#top'],
    ['/a/../b', '/b'],
    ['/%2F/evil.example', '/%2F/evil.example'],
    ['/%5Cevil.example', '/%5Cevil.example'],
    ['/ä"<x>', '/%C3%A4%22%3Cx%3E'],
  ])('may be %j', (input, path) => {
    expect(pathOfThisOrigin(input)).toBe(path);
  });

  it('stays on this origin, whatever comes', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '%2e',
      '%2f',
      '%5c',
      '\t',
      '\n',
      ':',
      '@',
      '?',
      '#',
      'evil.example',
      'a',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => `/${pieces.join('')}`),
        ),
        (input) => {
          const path = pathOfThisOrigin(input);
          if (path === undefined) return;
          expect(new URL(path, 'https://app.example').origin).toBe('https://app.example');
          // Whatever reads it a second time finds the same.
          expect(pathOfThisOrigin(path)).toBe(path);
        },
      ),
      { numRuns: 5000 },
    );
  });
});

describe('signing in', () => {
  it('goes to the path that was asked for, and to `returnTo` where that is elsewhere', async () => {
    const app = await startPagedApp({ pages: { returnTo: '/home' } });
    for (const attack of ['//evil.example', '/\\evil.example', 'javascript:alert(1)', '/\t/evil.example']) {
      const browser = new PlainBrowser(app);
      await browser.signIn(`${JO}`, `/auth/sign-in?return_to=${encodeURIComponent(attack)}`);
      expect(browser.next).toBe('/home');
      app.clock.advanceSeconds(3600);
    }
    const browser = new PlainBrowser(app);
    await browser.signIn(JO, '/auth/sign-in?return_to=%2Faccount%3Ftab%3D1%26x%3D2');
    expect(browser.next).toBe('/account?tab=1&x=2');
  });

  it('keeps no cookie that is too long for browsers, however long the path and the address', async () => {
    const kept: string[] = [];
    const prepare = (application: Application) =>
      application.use((_req, res, next) => {
        res.once('finish', () => kept.push(...[res.getHeader('set-cookie') ?? []].flat().map(String)));
        next();
      });
    const app = await startPagedApp({ users: { store: 'memory' }, totp: 'optional' }, { prepare });
    const address = `${'j'.repeat(64)}@${'a.'.repeat(90)}example`; // of 254 characters at most
    const path = Array.from({ length: 4096 }, (_, length) => `/${'a'.repeat(length)}`).findLast(pathOfThisOrigin);
    const { authorization } = await app.signIn(address);
    const post = (to: string, body: object) =>
      request(app.url).post(`/auth${to}`).set('Authorization', authorization).send(body);
    const { secret } = (await post('/totp/enroll', {})).body as { secret: string };
    const code = generateSync({ secret, epoch: Math.floor(app.clock.now() / 1000) });
    expect((await post('/totp/confirm', { code })).status).toBe(200);

    const browser = await new PlainBrowser(app).signIn(address, `/auth/sign-in?return_to=${path}`);
    expect(browser.heading).toBe('One more step');
    const longest = Math.max(...kept.map((cookie) => cookie.slice(0, cookie.indexOf(';')).length));
    expect(longest).toBeGreaterThan(3000);
    expect('__Host-'.length + longest).toBeLessThanOrEqual(4096); // RFC 6265bis, section 5.6
  });

  it('takes one `return_to`, not a list of them', async () => {
    const browser = new PlainBrowser(await startPagedApp());
    await browser.signIn(JO, '/auth/sign-in?return_to=/a&return_to=//evil.example');
    expect(browser.next).toBe('/');
  });
});
