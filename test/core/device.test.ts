import { createDevices, DEVICE_LIFE_MS } from '../../src/core/device.js';
import type { Identifier } from '../../src/core/identifier.js';
import { deriveSecrets } from '../../src/core/secrets.js';
import { fakeClock, START_MS } from '../support/auth-app.js';

const [NEW_SECRET, OLD_SECRET] = [
  'the new secret, of more than thirty-two bytes',
  'the old one, which is as long as it',
];
const email = (name: string): Identifier => ({ kind: 'email', value: `${name}@example.com` });
const jo = email('jo');

describe('a device token', () => {
  it('shows the device to the identifier that signed in on it, and to no other', () => {
    const { devices } = setUp();
    const token = devices.remember([], jo);
    expect(devices.recognise([token], jo)).toEqual({ lane: expect.any(String), issuedAtMs: START_MS });
    expect(devices.recognise([token], email('other'))).toBeUndefined();
    expect(devices.recognise([token], { kind: 'phone', value: jo.value })).toBeUndefined();
    expect(devices.recognise([], jo)).toBeUndefined();
  });

  it('is good until 90 days after the sign-in', () => {
    const { devices, clock } = setUp();
    const token = devices.remember([], jo);
    clock.advanceSeconds(DEVICE_LIFE_MS / 1000 - 1);
    expect(devices.recognise([token], jo)).toBeDefined();
    clock.advanceSeconds(1);
    expect(DEVICE_LIFE_MS).toBe(90 * 86_400_000);
    expect(devices.recognise([token], jo)).toBeUndefined();
  });

  it('has no letter changed without being worth nothing', () => {
    const { devices } = setUp();
    const token = devices.remember([], jo);
    for (const place of token.split('').keys()) {
      const other = token[place] === 'A' ? 'B' : 'A';
      const forged = token.slice(0, place) + other + token.slice(place + 1);
      const recognised = devices.recognise([forged], jo);
      // The last letter of 256 bits has two bits that mean nothing, but the text must be the same all the same.
      expect(recognised).toBeUndefined();
    }
  });

  it('is for nobody where it is nonsense', () => {
    const { devices } = setUp();
    const token = devices.remember([], jo);
    for (const nonsense of ['', '~', '~~~~~~~~', '.', 'j:{}', `${token}x`, `x${token}`, '\0', 'a'.repeat(100_000)])
      expect(devices.recognise([nonsense], jo)).toBeUndefined();
  });

  it('is a stranger under a foreign secret, and one of ours under every secret that is listed', () => {
    const token = setUp([OLD_SECRET]).devices.remember([], jo);
    expect(setUp([NEW_SECRET]).devices.recognise([token], jo)).toBeUndefined();
    const { devices } = setUp([NEW_SECRET, OLD_SECRET]);
    const recognised = devices.recognise([token], jo);
    expect(recognised).toBeDefined();

    const renewed = devices.remember([token], jo);
    expect(setUp([NEW_SECRET]).devices.recognise([renewed], jo)?.lane).toBe(recognised?.lane);
  });

  it('keeps its lane when the same identifier signs in again, and lives longer', () => {
    const { devices, clock } = setUp();
    const first = devices.remember([], jo);
    clock.advanceSeconds(3600);
    const second = devices.remember([first], jo);
    expect(devices.recognise([second], jo)).toEqual({
      lane: devices.recognise([first], jo)?.lane,
      issuedAtMs: START_MS + 3_600_000,
    });
    expect(second.split('~')).toHaveLength(1);
  });

  it('gives each device and each identifier a lane of its own', () => {
    const { devices } = setUp();
    const [one, two] = [devices.remember([], jo), devices.remember([], jo)];
    const both = devices.remember([one], email('other'));
    const lanes = [
      devices.recognise([one], jo),
      devices.recognise([two], jo),
      devices.recognise([both], email('other')),
    ].map((device) => device?.lane);
    expect(new Set(lanes).size).toBe(3);
    expect(devices.recognise([both], jo)?.lane).toBe(lanes[0]);
  });

  it('remembers the last five identifiers, and fits into a cookie', () => {
    const { devices, clock } = setUp();
    let token = '';
    for (let place = 0; place < 7; place += 1) {
      clock.advanceSeconds(1);
      token = devices.remember([token], email(`person-${place}`));
    }
    const known = [0, 1, 2, 3, 4, 5, 6].filter((place) => devices.recognise([token], email(`person-${place}`)));
    expect(known).toEqual([2, 3, 4, 5, 6]);
    expect(token.length).toBeLessThan(500);
    expect(encodeURIComponent(token)).toBe(token);
  });

  it('drops what has expired when someone else signs in', () => {
    const { devices, clock } = setUp();
    const token = devices.remember([], jo);
    clock.advanceSeconds(DEVICE_LIFE_MS / 1000);
    expect(devices.remember([token], email('other')).split('~')).toHaveLength(1);
  });

  it('tells nobody whose it is', () => {
    const { devices } = setUp();
    const token = devices.remember([devices.remember([], jo)], email('other'));
    const decoded = token
      .split(/[.~]/)
      .map((part) => Buffer.from(part, 'base64url').toString('latin1'))
      .join(' ');
    for (const text of [token, decoded]) expect(text).not.toMatch(/jo@|other@|example/);
    // Nor do two devices of one person show by their tokens that they are.
    const parts = (text: string) => text.split(/[.~]/).filter((part) => part.length > 10);
    const again = devices.remember([], jo);
    expect(parts(again).filter((part) => parts(token).includes(part))).toEqual([]);
  });

  it('is found among others that were planted beside it', () => {
    const { devices } = setUp();
    const planted = setUp([OLD_SECRET]).devices.remember([], jo);
    const token = devices.remember([], jo);
    expect(devices.recognise([planted, 'nonsense', token], jo)).toEqual(devices.recognise([token], jo));
    const renewed = devices.remember([planted, token], jo);
    expect(devices.recognise([renewed], jo)?.lane).toBe(devices.recognise([token], jo)?.lane);
  });
});

function setUp(secrets: [string, ...string[]] = [NEW_SECRET]) {
  const clock = fakeClock();
  return { clock, devices: createDevices({ secrets: deriveSecrets(secrets), clock }) };
}
