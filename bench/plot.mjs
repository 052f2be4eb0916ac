// The results as bars, one panel a section.
const WIDTH = 820;
const LABEL = 250;
const BAR = 24;

export function plot(sections) {
  let y = 16;
  const parts = [];
  for (const { title, unit, better, rows } of sections) {
    parts.push(`<text x="16" y="${y + 16}" class="title">${escape(title)} (${unit}, ${better} is better)</text>`);
    y += 34;
    const greatest = Math.max(...rows.map(({ value }) => value));
    for (const { name, value } of rows) {
      const width = Math.max(2, ((WIDTH - LABEL - 110) * value) / greatest);
      const own = name.startsWith('express-otp-auth');
      parts.push(
        `<text x="${LABEL - 10}" y="${y + 15}" class="name">${escape(name)}</text>`,
        `<rect x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR - 6}" class="${own ? 'own' : 'peer'}"/>`,
        `<text x="${(LABEL + width + 8).toFixed(1)}" y="${y + 15}" class="value">${Number(value.toPrecision(3))}</text>`,
      );
      y += BAR;
    }
    y += 22;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="system-ui, sans-serif" font-size="13">
<style>text { fill: #222 } .title { font-weight: 600; font-size: 14px } .name { text-anchor: end } .own { fill: #1f6b50 } .peer { fill: #a9a49a } @media (prefers-color-scheme: dark) { text { fill: #eee } }</style>
${parts.join('\n')}
</svg>
`;
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
