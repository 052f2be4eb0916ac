/** Names the requests of the script below, which takes its answers as JSON: the page's next view, or a place to go. */
export const SCRIPT_HEADER = 'X-Sign-In-Script';

/**
 * What the pages do where JavaScript runs. Forms go by `fetch`, and the next view takes the place of this one; the
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
        headers: { '${SCRIPT_HEADER}': '1' },
      });
      const { location: next, title, view } = await answer.json();
      if (next) location.assign(next);
      else show(title, view);
    } catch {
      form.submit();
    }
  }

  function show(title, view) {
    main().innerHTML = view;
    main().removeAttribute('aria-busy');
    document.title = title;
    start();
    const field = main().querySelector('[aria-invalid="true"]') || main().querySelector('[autofocus]') || main().querySelector('h1');
    if (field) field.focus();
  }

  function count() {
    clearInterval(timer);
    const button = document.querySelector('button[data-wait]');
    if (!button) return;
    const end = performance.now() + Number(button.dataset.wait) * 1000;
    const note = document.getElementById('wait');
    const format = new Intl.RelativeTimeFormat(language);
    const tick = () => {
      const seconds = Math.ceil((end - performance.now()) / 1000);
      const [amount, unit] = seconds < 120 ? [seconds, 'second'] : [Math.ceil(seconds / 60), 'minute'];
      button.disabled = seconds > 0;
      note.textContent = button.dataset.text.replace('{when}', format.format(amount, unit));
      if (seconds > 0) return;
      note.remove();
      clearInterval(timer);
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
    for (const link of document.querySelectorAll('nav a')) link.hash = location.hash;
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
