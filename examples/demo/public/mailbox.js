import { byId } from './screen.js';

/** The mailbox beside the form, where the demo catches its mail; `useCode` is called with a code that is to be filled in. */
export async function openMailbox(useCode) {
  const { store, mail } = await (await fetch('/demo/about')).json();
  const isCaught = mail === 'caught';
  byId('store').textContent = store === 'memory' ? 'in this process' : 'Redis';
  byId('mail').textContent = isCaught ? 'caught here' : 'by SMTP';
  byId('email-hint').textContent = isCaught
    ? 'Any will do, real or not: the message stays here.'
    : 'One of yours: the message is really sent.';
  byId('mailbox-note').textContent = isCaught
    ? 'No mail yet.'
    : 'The SMTP server that you have configured gets the messages: look into the mailbox that you have signed in with.';

  let code = '';
  byId('fill-in').addEventListener('click', () => useCode(code));

  function show({ from, to, subject, text }) {
    code = /^\d{6,10}$/m.exec(text)?.[0] ?? '';
    byId('mailbox-note').hidden = true;
    byId('message').hidden = false;
    byId('message-from').textContent = from;
    byId('message-to').textContent = to;
    byId('message-subject').textContent = subject;
    byId('message-text').replaceChildren(
      ...text
        .trim()
        .split(/\n\s*\n/)
        .map(paragraph),
    );
  }

  function paragraph(text) {
    const element = document.createElement('p');
    element.textContent = text;
    if (text === code) element.className = 'code';
    return element;
  }

  return {
    async update() {
      if (!isCaught) return;
      const [newest] = await (await fetch('/demo/messages')).json();
      if (newest) show(newest);
    },
    whereTheCodeIs: (email) =>
      isCaught ? `A message is in the mailbox of ${email}.` : `A message is on its way to ${email}.`,
  };
}
