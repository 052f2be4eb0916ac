/** Calls `show` with the seconds that remain: now, every second, and for the last time with 0. Returns what stops it. */
export function countDown(seconds, show) {
  // By the clock: timers of a page in the background are late.
  const end = Date.now() + seconds * 1000;
  const tick = () => {
    const remaining = Math.max(0, Math.round((end - Date.now()) / 1000));
    show(remaining);
    if (remaining === 0) clearInterval(timer);
  };
  const timer = setInterval(tick, 1000);
  tick();
  return () => clearInterval(timer);
}

/** 299 → "4:59" */
export function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
