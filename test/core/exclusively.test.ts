import { createExclusively } from '../../src/core/exclusively.js';
import { memoryStore } from '../../src/stores/memory/memory-store.js';
import { fakeClock } from '../support/auth-app.js';

describe('work that is done exclusively', () => {
  const clock = fakeClock();
  const processes = (count: number, storeTimeoutMs = 1000) => {
    const store = memoryStore({ clock });
    return Array.from({ length: count }, () => createExclusively({ store, clock, storeTimeoutMs }));
  };

  it('is done one after the other, in one process and in several', async () => {
    const several = processes(3);
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, (inside += 1));
      await new Promise(setImmediate);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 24 }, (_, place) => several[place % 3]!('admins', work)));
    expect(most).toBe(1);
  });

  it('is done at once where the name is another', async () => {
    const [exclusively] = processes(1);
    let open = () => {};
    const first = exclusively!('one', () => new Promise<void>((resolve) => (open = resolve)));
    await expect(exclusively!('other', async () => 'done')).resolves.toBe('done');
    open();
    await first;
  });

  it('lets the next one go on when it fails', async () => {
    const [exclusively] = processes(1);
    const failing = exclusively!('admins', () => Promise.reject(new Error('no')));
    const next = exclusively!('admins', async () => 'done');
    await expect(failing).rejects.toThrow('no');
    await expect(next).resolves.toBe('done');
  });

  it('does not wait without end for another process that does not get done', async () => {
    const [one, other] = processes(2, 1);
    let open = () => {};
    const first = one!('admins', () => new Promise<void>((resolve) => (open = resolve)));
    await expect(other!('admins', async () => 'done')).rejects.toMatchObject({ code: 'store_unavailable' });
    open();
    await first;
  });

  it('is not waited for in line for longer than for another process', async () => {
    const [exclusively] = processes(1, 1);
    let open = () => {};
    const first = exclusively!('admins', () => new Promise<void>((resolve) => (open = resolve)));
    const work = jest.fn();
    const second = exclusively!('admins', work);
    await new Promise((resolve) => setTimeout(resolve, 20)); // it has 5 ms
    open();
    await first;
    await expect(second).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(work).not.toHaveBeenCalled();
  });

  it('goes on where a process that had begun has ended', async () => {
    const [one, other] = processes(2);
    void one!('admins', () => new Promise(() => {}));
    await new Promise(setImmediate);
    clock.advanceSeconds(20);
    await expect(other!('admins', async () => 'done')).resolves.toBe('done');
  });
});
