import { drawCode } from '../../src/core/code.js';

describe('a drawn code', () => {
  it.each([6, 7, 8, 9, 10])('has %i digits, leading zeros and all', (length) => {
    for (let draw = 0; draw < 1000; draw += 1) expect(drawCode(length)).toMatch(new RegExp(`^[0-9]{${length}}$`));
  });

  it('has every digit at every place as often as any other', () => {
    const draws = 30_000;
    const counts = Array.from({ length: 6 }, () => Array.from({ length: 10 }, () => 0));
    for (let draw = 0; draw < draws; draw += 1)
      for (const [place, digit] of drawCode(6).split('').entries()) counts[place]![Number(digit)]! += 1;
    // 8 standard deviations: a fair draw fails this once in 10^13 runs, one that never begins with a zero always.
    const deviation = Math.sqrt(draws * 0.1 * 0.9);
    for (const count of counts.flat()) expect(Math.abs(count - draws / 10)).toBeLessThan(8 * deviation);
  });

  it('hardly ever is the one before', () => {
    const codes = new Set(Array.from({ length: 1000 }, () => drawCode(10)));
    expect(codes.size).toBe(1000);
  });
});
