// What was measured, and what it says. A figure is a number a round; what is compared was measured within the same rounds.

/** Until then, code is still being compiled, and caches are filled. */
const WARM_UPS = 3;

/**
 * Measures all in turn within each round, after some that do not count.
 *
 * @param measure - gets a name and the round, and resolves to figures: `{ perSecond: 1200, cpu: 31 }`, say.
 * @returns for each of the figures a map: name → a number a round.
 */
export async function inTurn(rounds, names, measure) {
  const all = {};
  for (let round = 1 - WARM_UPS; round <= rounds; round++) {
    for (const name of names) {
      const figures = await measure(name, round);
      const shown = Object.entries(figures).map(([figure, value]) => `${figure} ${rounded(value)}`);
      console.log(`${round < 1 ? 'warm-up' : `round ${round} of ${rounds}`}: ${name}: ${shown.join(', ')}`);
      if (round < 1) continue;
      for (const [figure, value] of Object.entries(figures)) {
        all[figure] ??= new Map(names.map((each) => [each, []]));
        all[figure].get(name).push(value);
      }
    }
  }
  return all;
}

/**
 * One table, and where `plotted` one panel of the plot.
 *
 * @param of - 'median', or 'least' where whatever disturbs a round can only add to the figure.
 */
export function compared(title, figures, base, { unit, better, of = 'median', note, plotted = false }) {
  const pick = of === 'least' ? (values) => Math.min(...values) : median;
  const rows = [...figures].map(([name, values]) => {
    const ratios = values.map((value, round) => value / figures.get(base)[round]);
    return {
      name,
      value: pick(values),
      ratio: pick(values) / pick(figures.get(base)),
      spread: [Math.min(...ratios), Math.max(...ratios)],
    };
  });
  return { kind: 'compared', title, unit, better, of, base, note, plotted, rows };
}

/** A table that compares nothing. */
export function listed(title, columns, rows, note) {
  return { kind: 'listed', title, columns, rows, note };
}

/** How many times better ours is than another. Both directions: more of a rate is better, less of a cost is. */
export function timesBetter(figures, ours, other, { better, of = 'median' }) {
  const [a, b] = [figures.get(ours), figures.get(other)];
  if (of === 'least') return Math.min(...b) / Math.min(...a);
  return median(a.map((value, round) => (better === 'more' ? value / b[round] : b[round] / value)));
}

/** The name with the best median among some. */
export function best(figures, names, { better }) {
  const medianOf = (name) => median(figures.get(name));
  return names.toSorted((a, b) => (better === 'more' ? medianOf(b) - medianOf(a) : medianOf(a) - medianOf(b)))[0];
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function rounded(value) {
  return typeof value === 'number' ? String(Number(value.toPrecision(3))) : value;
}
