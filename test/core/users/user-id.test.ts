import { newUserId } from '../../../src/core/users/user-id.js';

describe('a user’s id', () => {
  afterEach(() => jest.restoreAllMocks());

  it('is a UUID of version 7 that tells when it was made', () => {
    jest.spyOn(Date, 'now').mockReturnValue(Date.UTC(2100, 0, 1));
    const id = newUserId();
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(Date.UTC(2100, 0, 1));
  });

  it('comes after all that were made before, however many in a millisecond, also when the clock is set back', () => {
    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.UTC(2200, 0, 1));
    const ids = Array.from({ length: 10_000 }, newUserId);
    now.mockReturnValue(Date.UTC(2199, 0, 1));
    ids.push(newUserId());
    now.mockReturnValue(Date.UTC(2201, 0, 1));
    ids.push(newUserId());
    expect(ids).toEqual(ids.toSorted());
    expect(new Set(ids).size).toBe(ids.length);
  });
});
