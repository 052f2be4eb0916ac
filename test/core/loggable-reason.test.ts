import { loggableReason } from '../../src/core/loggable-reason.js';

describe('the reason why a message was not taken', () => {
  it.each([
    [new TypeError('fetch failed'), 'fetch failed'],
    [
      Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:25'), { code: 'ESOCKET' }),
      'ESOCKET: connect ECONNREFUSED 127.0.0.1:25',
    ],
    [
      Object.assign(new Error('Invalid\r\nrecipient'), { code: 'EENVELOPE', responseCode: 550 }),
      'EENVELOPE 550: Invalid recipient',
    ],
    ['Twilio answered 401', 'Twilio answered 401'],
    [{ code: 'EAUTH' }, 'EAUTH'],
    [undefined, 'no reason given'],
    [null, 'no reason given'],
    [new Error(''), 'no reason given'],
    [{ message: { nested: true } }, 'no reason given'],
  ])('is told: %p', (error, reason) => {
    expect(loggableReason(error)).toBe(reason);
  });

  it.each([
    ['an address', 'no mailbox jo@example.com here', 'no mailbox [address] here'],
    ['an address in JSON', '{"to":"jo@example.com"}', '{"to":"[address]"}'],
    ['a code', '550: your code is 123456', '550: your code is [digits]'],
    ['a code in groups', 'text: 123 456', 'text: [digits]'],
    ['a phone number', 'cannot reach +49 151 123-45678', 'cannot reach +[digits]'],
    ['a token', 'refused https://example.com/x?token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx', /refused .*\[…\]/],
  ])('holds no part that could be %s', (_, said, reason) => {
    expect(loggableReason(new Error(said))).toEqual(
      typeof reason === 'string' ? reason : expect.stringMatching(reason),
    );
  });

  it('is short, however much was said', () => {
    expect(loggableReason(new Error('no! '.repeat(100_000))).length).toBeLessThanOrEqual(200);
  });
});
