/** Names the requests of the script below: it takes the next page as an answer, and a place to go as JSON. */
export const SCRIPT_HEADER = 'X-Sign-In-Script';

/**
 * What the pages do where JavaScript runs. Forms go by `fetch`, and the answer's `main` takes the place of the page's; the
 * countdown counts; a code from an SMS fills itself in (WebOTP). Without it, the same forms work as forms do.
 */
export const SCRIPT = `
(() => {
  'use strict';
  const language = document.documentElement.lang;
  let waiting, timer;

  const main = () => document.querySelector('main');

  async function send(form, submitter) {
    if (main().getAttribute('aria-busy') === 'true') return;
    main().setAttribute('aria-busy', 'true');
    if (waiting) waiting.abort();
    try {
      const answer = await fetch(location.href, {
        method: 'POST',
        body: new URLSearchParams(new FormData(form, submitter)),
        headers: { Accept: 'text/html', '${SCRIPT_HEADER}': '1' },
      });
      if ((answer.headers.get('Content-Type') || '').startsWith('application/json')) {
        const { location: next } = await answer.json();
        if (next) return location.assign(next);
        throw new Error('no page');
      }
      show(await answer.text());
    } catch {
      form.submit();
    }
  }

  function show(markup) {
    const page = new DOMParser().parseFromString(markup, 'text/html');
    const next = page.querySelector('main');
    if (!next) throw new Error('no page');
    main().replaceWith(document.adoptNode(next));
    document.title = page.title;
    start();
    const field = main().querySelector('[aria-invalid="true"]') || main().querySelector('[autofocus]') || main().querySelector('h1');
    if (field) field.focus();
  }

  function count() {
    clearInterval(timer);
    const button = document.querySelector('button[data-wait]');
    if (!button) return;
    const end = performance.now() + Number(button.dataset.wait) * 1000;
    const label = button.textContent;
    const note = document.getElementById('wait');
    if (note) note.remove();
    const format = new Intl.RelativeTimeFormat(language);
    const tick = () => {
      const seconds = Math.ceil((end - performance.now()) / 1000);
      button.disabled = seconds > 0;
      button.textContent = seconds > 0 ? button.dataset.text.replace('{when}', format.format(seconds, 'second')) : label;
      if (seconds <= 0) clearInterval(timer);
    };
    timer = setInterval(tick, 250);
    tick();
  }

  async function receive() {
    const field = document.querySelector('input[data-otp="sms"]');
    if (!field || !('OTPCredential' in window)) return;
    waiting = new AbortController();
    try {
      const { code } = await navigator.credentials.get({ otp: { transport: ['sms'] }, signal: waiting.signal });
      if (!field.isConnected) return;
      field.value = code;
      field.form.requestSubmit();
    } catch {}
  }

  function reveal() {
    const place = document.querySelector('[data-code]');
    const code = /^#code=([0-9]{6,10})$/.exec(location.hash);
    if (!place || !code) return;
    place.textContent = code[1];
    place.hidden = false;
  }

  function start() {
    count();
    receive();
    reveal();
  }

  document.addEventListener('submit', (event) => {
    if (!event.target.matches('main form')) return;
    event.preventDefault();
    send(event.target, event.submitter);
  });
  start();
})();
`;
