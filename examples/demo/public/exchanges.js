// Shows what the page sends and what it is answered: `fetch` with a witness.
import { byId } from './screen.js';

export async function exchange(input, init) {
  const request = new Request(input, init);
  const sent = await request.clone().text();
  const startedAt = performance.now();
  const response = await fetch(request);
  const durationMs = Math.round(performance.now() - startedAt);
  show({ request, sent, response, answered: await response.clone().text(), durationMs });
  return response;
}

function show({ request, sent, response, answered, durationMs }) {
  byId('exchanges-note').textContent = 'The newest comes first. Tokens are cut short here.';
  const summary = element('summary', '', [
    element('span', 'method', request.method),
    element('code', 'path', new URL(request.url).pathname),
    element('span', response.ok ? 'ok' : 'refused', String(response.status)),
    element('span', 'duration', `${durationMs} ms`),
  ]);
  const body = element('dl', '', [
    ...pair('Sent', [authorization(request), readable(sent)]),
    ...pair('Answered', [readable(answered)]),
  ]);
  byId('exchanges').prepend(element('li', '', [element('details', '', [summary, body])]));
}

function authorization({ headers }) {
  return headers.has('Authorization') ? `Authorization: ${shortened(headers.get('Authorization'))}` : '';
}

function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), (_, value) => (typeof value === 'string' ? shortened(value) : value), 2);
  } catch {
    return text;
  }
}

/** JWTs, wherever they are: people make screenshots. */
function shortened(text) {
  return text.replace(/eyJ[\w-]{6}[\w-]*\.[\w-]+\.[\w-]+/g, (token) => `${token.slice(0, 9)}…`);
}

function pair(term, lines) {
  const text = lines.filter(Boolean).join('\n');
  return [element('dt', '', term), element('dd', '', [element('pre', '', text || 'no body')])];
}

function element(name, className, content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...[content].flat());
  return made;
}
