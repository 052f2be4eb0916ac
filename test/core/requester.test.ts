import { describeUserAgent } from '../../src/core/requester.js';

describe('a browser’s name for itself', () => {
  it('is shown without control characters, and no longer than 256', () => {
    expect(describeUserAgent('Browser/1.0\r\nfaked: line\u0000\u001b[31m\u0085')).toBe('Browser/1.0faked: line[31m');
    expect(describeUserAgent('x'.repeat(1000))).toHaveLength(256);
    const cut = describeUserAgent(`${'x'.repeat(255)}😀`) ?? '';
    expect(cut.isWellFormed()).toBe(true);
    expect(describeUserAgent(undefined)).toBeUndefined();
  });
});
