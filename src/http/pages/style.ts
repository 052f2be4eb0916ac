/** All of the pages' looks. An application's own `css` comes after it, and may set the colours by their names. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: light-dark(#f4f5f7, #101216);
  --card: light-dark(#ffffff, #191c22);
  --text: light-dark(#16191f, #eceef2);
  --quiet: light-dark(#555d6b, #a4acba);
  --line: light-dark(#858d9b, #6b7484);
  --edge: light-dark(#e3e6eb, #2a2f38);
  --accent: light-dark(#1d4ed8, #93b4ff);
  --on-accent: light-dark(#ffffff, #0c1733);
  --error: light-dark(#b3161b, #ff9c99);
  --radius: 0.625rem;
}
* { box-sizing: border-box; }
html { font: 100%/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Vazirmatn', sans-serif; }
body {
  margin: 0; min-height: 100vh; min-height: 100dvh; padding: 1.5rem 1rem; display: flex; flex-direction: column; align-items: center;
  justify-content: center; gap: 1.5rem; background: var(--page); color: var(--text); overflow-wrap: anywhere;
}
main {
  width: 100%; max-width: 25.5rem; padding: 2.25rem 2rem 2rem; background: var(--card); border: 1px solid var(--edge);
  border-radius: 1rem; box-shadow: 0 1px 2px rgb(0 0 0 / 4%), 0 12px 32px -12px rgb(0 0 0 / 14%);
}
.logo { display: block; max-width: 100%; max-height: 3rem; margin: 0 0 1.25rem; }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; text-wrap: balance; }
:dir(rtl) h1 { letter-spacing: normal; }
p { margin: 0.5rem 0 0; }
main p a:not(.button) { color: var(--accent); }
.hint { color: var(--quiet); }
.hint bdi, .hint strong { color: var(--text); font-weight: 600; }
form { margin: 1.5rem 0 0; }
label { display: block; font-weight: 600; margin-bottom: 0.375rem; }
input {
  display: block; width: 100%; min-height: 3rem; padding: 0.5rem 0.875rem; font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--line); border-radius: var(--radius);
}
.code { font: 600 1.625rem/1.2 ui-monospace, 'SF Mono', 'Cascadia Mono', Consolas, monospace; letter-spacing: 0.3em; text-align: center; min-height: 3.5rem; padding-inline: 0.3em 0; }
[aria-invalid='true'] { border-color: var(--error); box-shadow: 0 0 0 1px var(--error); }
.error { color: var(--error); font-weight: 500; margin-top: 0.5rem; }
.error::before { content: '\\26A0\\FE0E'; margin-inline-end: 0.4em; }
button, .button {
  display: block; width: 100%; min-height: 3rem; margin-top: 1rem; padding: 0.625rem 1rem; font: inherit; font-weight: 600; text-align: center;
  text-decoration: none; cursor: pointer; color: var(--on-accent); background: var(--accent); border: 1px solid transparent; border-radius: var(--radius);
}
button:hover, .button:hover { filter: brightness(1.08); }
button:active { filter: brightness(0.94); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
h1:focus { outline: none; }
.more { margin-top: 1.5rem; padding-top: 1.25rem; border-top: 1px solid var(--edge); }
.more form { margin: 0; }
.more p { margin: 0 0 0.25rem; font-size: 0.9375rem; text-align: center; font-variant-numeric: tabular-nums; }
.quiet { min-height: 2.75rem; margin: 0; color: var(--accent); background: none; border-color: transparent; font-weight: 600; }
.quiet:hover { background: color-mix(in srgb, var(--accent) 9%, transparent); filter: none; }
.quiet:disabled { color: var(--quiet); cursor: default; background: none; font-weight: 500; }
summary { cursor: pointer; color: var(--accent); font-weight: 600; padding: 0.5rem 0; border-radius: var(--radius); }
.shown { margin: 1.5rem 0 0; padding: 0.75rem; text-align: center; font: 600 2rem/1.2 ui-monospace, 'SF Mono', Consolas, monospace; letter-spacing: 0.2em; background: var(--page); border-radius: var(--radius); user-select: all; }
.shown + .hint { margin-top: 1.25rem; }
.qr { margin: 1.25rem auto 0; max-width: 13rem; forced-color-adjust: none; }
.qr svg { display: block; width: 100%; border-radius: var(--radius); }
.app { text-align: center; }
.secret { padding: 0.5rem; text-align: center; font: 0.9rem/1.5 ui-monospace, 'SF Mono', Consolas, monospace; background: var(--page); border-radius: var(--radius); user-select: all; }
.codes { margin: 1.25rem 0; padding: 0.75rem; display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: 0.25rem 1rem; list-style: none; text-align: center; font-family: ui-monospace, 'SF Mono', Consolas, monospace; background: var(--page); border-radius: var(--radius); }
main:has(.codes) + nav { display: none; }
nav ul { display: flex; flex-wrap: wrap; justify-content: center; gap: 0.25rem 0.5rem; margin: 0; padding: 0; list-style: none; font-size: 0.875rem; }
nav a { display: block; padding: 0.25rem 0.375rem; color: var(--quiet); text-decoration: none; border-radius: 0.25rem; }
nav a:hover { color: var(--text); text-decoration: underline; }
nav a[aria-current] { color: var(--text); font-weight: 600; }
[aria-busy='true'] { opacity: 0.6; transition: opacity 0.15s 0.15s; }
@media (max-width: 30rem) { main { padding: 1.75rem 1.25rem 1.5rem; } }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
@media (forced-colors: active) { main, input, button, .button { border-color: ButtonBorder; } }
`;
